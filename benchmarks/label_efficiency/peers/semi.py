"""Every strategy of PyPI's `active-semi-supervised-clustering`, with its PCKMeans or MPCKMeans; told the true k.

The package is from 2019 and written in Python loops; `_quick` does the same steps on arrays. Two repairs, both in the
package's favour: a clustering with an empty group is tried again at most five times instead of for ever, and of random
pairs, cannot-links that contradict must-links (only liars bring that about) are left out instead of ending the run.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.label_efficiency.peers import _quick
from benchmarks.label_efficiency.trial import BudgetSpent, Trial

with np.errstate():  # the package turns every floating point warning of the process into an error
    from active_semi_clustering.active.pairwise_constraints.example_oracle import MaximumQueriesExceeded
    from active_semi_clustering.active.pairwise_constraints.helpers import get_constraints_from_neighborhoods
    from active_semi_clustering.active.pairwise_constraints.random import Random

Pairs = list[tuple[int, int]]
CLUSTERERS = {"pckmeans": _quick.PCKMeans, "mpckmeans": _quick.MPCKMeans}


class _Oracle:
    """The oracle as the package calls it."""

    def __init__(self, trial: Trial, labels: Callable[[], np.ndarray]) -> None:
        self.trial, self.labels, self.max_queries_cnt = trial, labels, trial.budget
        self.must: Pairs = []
        self.cannot: Pairs = []

    def query(self, i: int, j: int) -> bool:
        try:
            same = self.trial.ask(int(i), int(j), self.labels)
        except BudgetSpent:
            raise MaximumQueriesExceeded from None
        (self.must if same else self.cannot).append((int(i), int(j)))
        return same


def run(trial: Trial, strategy: str, clusterer: str) -> None:
    """strategy: random, explore, minmax or npu. clusterer: pckmeans or mpckmeans."""
    np.random.seed(trial.seed)  # noqa: NPY002  the package draws from the global generator
    model = CLUSTERERS[clusterer](n_clusters=trial.groups)
    rows = trial.features.astype(np.float64)
    with np.errstate(all="ignore"):
        {"random": _random, "npu": _npu}.get(strategy, _neighbourhoods)(trial, rows, model, strategy)


def _random(trial: Trial, rows: np.ndarray, model: Any, strategy: str) -> None:
    def labels() -> np.ndarray:
        return model.fit(rows, **_consistent(oracle.must, oracle.cannot, len(rows))).labels_

    oracle = _Oracle(trial, labels)
    Random(trial.groups).fit(rows, oracle)
    trial.ended(labels)


def _neighbourhoods(trial: Trial, rows: np.ndarray, model: Any, strategy: str) -> None:
    asker = {"explore": _quick.ExploreConsolidate, "minmax": _quick.MinMax}[strategy](trial.groups)

    def labels() -> np.ndarray:
        must, cannot = get_constraints_from_neighborhoods(asker.neighborhoods)
        return model.fit(rows, ml=must, cl=cannot).labels_

    asker.fit(rows, _Oracle(trial, labels))
    trial.ended(labels)


def _npu(trial: Trial, rows: np.ndarray, model: Any, strategy: str) -> None:
    """It clusters again before every item; the last clustering is the partition at any time."""
    asker = _quick.NPU(model)
    asker.fit(rows, _Oracle(trial, lambda: model.labels_))
    must, cannot = asker.pairwise_constraints_
    trial.ended(lambda: model.fit(rows, ml=must, cl=cannot).labels_)


def _consistent(must: Pairs, cannot: Pairs, count: int) -> dict[str, Pairs]:
    """Must-links as they came, and the cannot-links that do not contradict them."""
    group = _quick.components(must, count)
    return {"ml": must, "cl": [(i, j) for i, j in cannot if group[i] != group[j]]}

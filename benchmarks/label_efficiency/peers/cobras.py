"""COBRAS: super-instances by k-means, split and merged by answers; the authors' code from PyPI's `cobras-ts`.

Source: Van Craenendonck, Dumancic, Van Wolputte, Blockeel 2018, "COBRAS: interactive clustering with pairwise
queries", IDA; arXiv 1803.11060. Not told k. The package is from 2020: numpy's old name for int is lent to it while it
runs, and its k-means gets the ten starts that were scikit-learn's default then. Distances it has computed before and
pairs it has asked are looked up instead of found again; nothing else is changed.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from typing import Any
from unittest import mock

import numpy as np
from cobras_ts import cobras_kmeans
from cobras_ts.clustering import Clustering
from cobras_ts.superinstance_kmeans import SuperInstance_kmeans
from sklearn.cluster import KMeans

from benchmarks.label_efficiency.trial import BudgetSpent, Trial

Pair = tuple[int, int]


def run(trial: Trial) -> None:
    """Cluster until the budget is spent or nothing is left to split."""
    with _of_its_time(trial.seed):
        system = _Cobras(trial)
        try:
            system.cluster()
        except BudgetSpent:
            return
        trial.ended(lambda: np.array(system.clustering.construct_cluster_labeling()))


class _Pairs(list[Pair]):
    """A list that knows at once what it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[Pair] = set()

    def append(self, pair: Pair) -> None:
        super().append(pair)
        self.held.add(pair)

    def __contains__(self, pair: object) -> bool:
        return pair in self.held


class _Cobras(cobras_kmeans.COBRAS_kmeans):
    """COBRAS and, in one, the oracle as it calls it. The partition is the last one whose merging was finished; until
    there is one, as far as merging has come, which is what COBRAS returns then."""

    def __init__(self, trial: Trial) -> None:
        rows = trial.features.astype(np.float64)
        super().__init__(rows, self, trial.budget, store_intermediate_results=False)
        self.trial = trial
        self.finished: np.ndarray | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, _Pairs() if name in ("ml", "cl") and value == [] else value)

    def query_points(self, idx1: int, idx2: int) -> bool:
        return self.trial.ask(int(idx1), int(idx2), self.labels)

    def continue_cluster_process(self) -> bool:
        return True

    def update_clustering(self, clustering: Clustering) -> None:
        self.finished = np.array(clustering.construct_cluster_labeling())

    def labels(self) -> np.ndarray:
        """The partition now."""
        return np.array(self.clustering.construct_cluster_labeling()) if self.finished is None else self.finished


@contextmanager
def _of_its_time(seed: int) -> Iterator[None]:
    """What the package took for granted, for as long as it runs."""
    kmeans = partial(KMeans, n_init=10, random_state=seed)
    distance = cache(SuperInstance_kmeans.distance_to)
    with ExitStack() as lent:
        lent.enter_context(mock.patch.object(np, "int", int, create=True))
        lent.enter_context(mock.patch.object(cobras_kmeans, "KMeans", kmeans))
        lent.enter_context(mock.patch.object(SuperInstance_kmeans, "distance_to", distance))
        yield

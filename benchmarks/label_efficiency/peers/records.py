"""dedupe: its own active learner, classifier, blocking rules and clustering, on records made of feature vectors.

dedupe compares records field by field, so an item becomes a record: nine comparisons of vectors (the whole, and eight
blocks of dimensions), and the k-means cells it falls into on several scales, which are what its blocking rules can be
made of. It is built for many small groups of near copies; sets of a few large groups are not what it is for.
Not told k. Source: Gregg and Eder, dedupe, https://github.com/dedupeio/dedupe (PyPI `dedupe`).
"""

import random
from collections.abc import Callable
from typing import Any

import dedupe
import numpy as np
from dedupe import variables
from sklearn.cluster import MiniBatchKMeans

from benchmarks.label_efficiency.trial import BudgetSpent, Trial

BLOCKS = 8
CELLS = (8, 16, 32, 64, 128, 256)
Record = dict[str, Any]


def run(trial: Trial) -> None:
    """Label its uncertain pairs until the budget is spent; train and partition at every checkpoint."""
    random.seed(trial.seed)
    records = _records(trial.features, trial.seed)
    system: Any = dedupe.Dedupe(_fields(trial.features), num_cores=0, in_memory=True)
    system.classifier.set_params(n_jobs=1)  # processes of its own would be lent time that others do not get
    with np.errstate(all="ignore"):
        system.prepare_training(records)
        system.active_learner.rng = np.random.default_rng(trial.seed)
        try:
            while True:
                _label(system, trial, lambda: _partition(system, records))
        except (BudgetSpent, IndexError):  # IndexError: dedupe has no candidate left
            trial.ended(lambda: _partition(system, records))


def _label(system: Any, trial: Trial, labels: Callable[[], np.ndarray]) -> None:
    first, second = system.uncertain_pairs()[0]
    same = trial.ask(first["row"], second["row"], labels)
    system.mark_pairs({"match": [(first, second)] if same else [], "distinct": [] if same else [(first, second)]})


def _partition(system: Any, records: dict[int, Record]) -> np.ndarray:
    """Every item alone while only one kind of answer is there: dedupe cannot be trained then."""
    labels = np.arange(len(records))
    if all(system.training_pairs.values()):
        system.train()
        for group, (rows, _) in enumerate(system.partition(records, 0.5)):
            labels[list(rows)] = len(records) + group
    return labels


def _records(features: np.ndarray, seed: int) -> dict[int, Record]:
    """Item -> its row and its cells."""
    sizes = [size for size in CELLS if size < len(features) // 2]
    cells = {f"cells{size}": MiniBatchKMeans(size, random_state=seed, n_init=3).fit_predict(features) for size in CELLS
             if size in sizes}  # fmt: skip
    return {
        row: {"row": row} | {name: str(found[row]) for name, found in cells.items()} for row in range(len(features))
    }


def _fields(features: np.ndarray) -> list[Any]:
    parts = [features, *np.array_split(features, BLOCKS, axis=1)]
    distances = [variables.Custom("row", _distance(part), name=f"part{at}") for at, part in enumerate(parts)]
    cells = [variables.Exact(f"cells{size}") for size in CELLS if size < len(features) // 2]
    return [*distances, *cells]


def _distance(part: np.ndarray) -> Callable[[int, int], float]:
    """Euclidean distance of two rows in some of the dimensions."""
    return lambda a, b: float(np.linalg.norm(part[a] - part[b]))

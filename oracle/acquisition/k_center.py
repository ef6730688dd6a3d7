"""Cover the collection: ask about the item farthest from everything that has been asked about.

    next = argmax over x of min over asked y of |x - y|                         (greedy k-center, a 2-approximation)

It is shown beside the nearest member of each group, nearest group first, until its group is known. The `outliers`
that lie loneliest are left uncovered as long as there is anything else.
Source: Sener and Savarese 2018, "Active learning for convolutional neural networks: a core-set approach", ICLR;
arXiv 1708.00489: k-center greedy, and its form that is robust against outliers.
Differs: the paper finds its outliers by integer programming, here they are the items of least `typicality`; the first
item is drawn by chance. Differs from `minmax`: whatever was asked about covers, its group known or not.
"""

from dataclasses import dataclass

import numpy as np

from db.errors import BadInput
from db.nouns import Question, Snapshot
from oracle.acquisition._neighbourhoods import (
    Round,
    all_at_least,
    asked_rows,
    farthest_first,
    neighbourhoods,
    typicality,
)
from oracle.acquisition._screens import generator
from oracle.belief import infer
from oracle.bounds import Whole
from oracle.constraints import ConstraintGraph

REASON = "Nothing like this one has been asked about yet."


@dataclass(frozen=True)
class Acquisition:
    """seed: draws the first item. screen: most groups one item is shown beside. outliers: share of all, in [0, 1)."""

    seed: Whole = 0
    screen: int = 12
    outliers: float = 0.01

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen)
        if not 0 <= self.outliers < 1:
            raise BadInput(f"outliers = a share from 0 to below 1 expected, got {self.outliers}. Try 0.01.")

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens; half placed items first, then the least covered."""
        known, asked = neighbourhoods(snapshot, graph), asked_rows(snapshot, graph)
        pool = self._pool(snapshot, asked)
        start = int(generator(self.seed, graph).integers(len(pool))) if len(pool) else 0
        rows = farthest_first(snapshot, np.flatnonzero(asked), pool, 2 * n + self.screen, start)
        rows += np.flatnonzero(asked & (known.of < 0)).tolist()
        table = Round(snapshot, graph, infer(snapshot, graph), known, self.screen, criterion, "k_center", REASON)
        return table.place(rows, table.by_nearest, n)

    def _pool(self, snapshot: Snapshot, asked: np.ndarray) -> np.ndarray:
        """Rows that may be the next centre."""
        lonely = np.zeros(len(asked), dtype=bool)
        lonely[np.argsort(typicality(snapshot), kind="stable")[: int(self.outliers * len(asked))]] = True
        inliers = np.flatnonzero(~asked & ~lonely)
        return inliers if len(inliers) else np.flatnonzero(~asked)

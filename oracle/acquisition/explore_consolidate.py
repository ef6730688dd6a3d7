"""First find the groups by asking about ever farther items, then fill them with items drawn by chance.

    explore:     argmax over x of its distance to the nearest placed item; compared with one member of every group
    consolidate: x drawn uniformly; compared with the groups in order of the distance from x to their centres

Source: Basu, Banerjee and Mooney 2004, "Active semi-supervision for pairwise constrained clustering", SDM. Code by
others: PyPI active-semi-supervised-clustering, where consolidating goes by the nearest member instead of the centre.
Differs: where the number of groups is not given, exploring ends once every group found holds two items
or more (then Good and Turing's estimate of what was not seen yet is 0), and begins again whenever one is found.
"""

from dataclasses import dataclass

import numpy as np

from db.nouns import Question, Snapshot
from oracle.acquisition._neighbourhoods import Neighbourhoods, Round, all_at_least, farthest_first, neighbourhoods
from oracle.acquisition._screens import generator
from oracle.belief import infer
from oracle.bounds import Whole
from oracle.constraints import ConstraintGraph

EXPLORE = "Nothing like this one has been placed yet: it may be the first of a new group."
CONSOLIDATE = "Drawn by chance, to fill the groups that have been found."


@dataclass(frozen=True)
class Acquisition:
    """seed: of the draws. screen: most groups one item is shown beside. groups: how many there are; 0 if unknown."""

    seed: Whole = 0
    screen: int = 12
    groups: int = 0

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen)
        all_at_least(0, groups=self.groups)

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens; half placed items first."""
        known, rng = neighbourhoods(snapshot, graph), generator(self.seed, graph)
        pool, exploring = known.unplaced, self._exploring(known)
        if exploring and len(pool):
            rows = farthest_first(snapshot, np.flatnonzero(known.of >= 0), pool, 2 * n + self.screen,
                                  int(rng.integers(len(pool))))  # fmt: skip
        else:
            rows = rng.permutation(pool).tolist()
        centres = [snapshot.vectors[members].mean(0) for members in known.rows]
        table = Round(snapshot, graph, infer(snapshot, graph), known, self.screen, criterion, "explore_consolidate",
                      EXPLORE if exploring else CONSOLIDATE)  # fmt: skip
        return table.place(rows, lambda row: _by_distance(snapshot.vectors[row], centres), n)

    def _exploring(self, known: Neighbourhoods) -> bool:
        if self.groups:
            return len(known.rows) < self.groups
        return len(known.rows) < 2 or min(map(len, known.rows)) < 2


def _by_distance(vector: np.ndarray, centres: list[np.ndarray]) -> np.ndarray:
    return np.argsort([float(((vector - centre) ** 2).sum()) for centre in centres], kind="stable")

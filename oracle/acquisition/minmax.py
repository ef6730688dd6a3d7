"""Always place the item that is least like anything placed so far.

    x* = argmin over x of max over placed y of exp(-|x - y|^2 / 2 s^2)

It is compared with the groups in order of the same similarity to their nearest member.
Source: Mallapragada, Jin and Jain 2008, "Active query selection for semi-supervised clustering", ICPR.
Code by others: PyPI active-semi-supervised-clustering (s: the 20th percentile of all distances).
Differs: there a farthest-first phase comes first, until as many groups are found as the user names. As the kernel falls
with distance whatever s is, both phases choose the same item, so there is one phase here and no s.
"""

from dataclasses import dataclass

import numpy as np

from db.nouns import Question, Snapshot
from oracle.acquisition._neighbourhoods import Round, all_at_least, farthest_first, neighbourhoods
from oracle.acquisition._screens import generator
from oracle.belief import infer
from oracle.bounds import Whole
from oracle.constraints import ConstraintGraph

REASON = "This one is least like anything placed so far: where does it belong?"


@dataclass(frozen=True)
class Acquisition:
    """seed: draws the first item. screen: most groups one item is shown beside."""

    seed: Whole = 0
    screen: int = 12

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen)

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens; half placed items first."""
        known = neighbourhoods(snapshot, graph)
        pool = known.unplaced
        if not len(pool):
            return []
        start = int(generator(self.seed, graph).integers(len(pool)))
        rows = farthest_first(snapshot, np.flatnonzero(known.of >= 0), pool, 2 * n + self.screen, start)
        table = Round(snapshot, graph, infer(snapshot, graph), known, self.screen, criterion, "minmax", REASON)
        return table.place(rows, table.by_nearest, n)

"""Ask about typical items of parts of the collection nobody has asked about: best while answers are few.

    parts       k-means with k = items asked about + screens wanted, rounded up to a power of two, at most `parts`
    next part   the one with the fewest items asked about, of several the largest
    its item    the one of highest typicality, 1 / mean distance to its nearest neighbours

Source: Hacohen, Dekel and Weinshall 2022, "Active learning on a budget: opposite strategies suit high and low budgets",
ICML; arXiv 2202.02794. The authors' code: avihu111/TypiClust (at most 500 parts, 20 neighbours, their distances
squared, no part of 5 items or fewer).
Differs: k is rounded up, so that the parts stay the same for many answers; neighbours are the snapshot's over all items
instead of the part's; parts of fewer than `least` items come last instead of never. The item is shown beside the
nearest member of each known group, nearest group first.
"""

from dataclasses import dataclass

import numpy as np

from db.nouns import Question, Snapshot
from oracle.acquisition._clusters import cuts_of
from oracle.acquisition._neighbourhoods import Round, all_at_least, asked_rows, neighbourhoods, typicality
from oracle.belief import infer
from oracle.bounds import Whole
from oracle.constraints import ConstraintGraph

REASON = "Typical of a part of the collection that has hardly been asked about."


@dataclass(frozen=True)
class Acquisition:
    """seed: of k-means. screen: most groups one item is shown beside. parts, least: see above."""

    seed: Whole = 0
    screen: int = 12
    parts: int = 256
    least: int = 5

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen, parts=self.parts, least=self.least)

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens; half placed items first, then the least asked part."""
        known, asked = neighbourhoods(snapshot, graph), asked_rows(snapshot, graph)
        rows = self._typical(snapshot, asked, known.of < 0, max(n, 1))
        table = Round(snapshot, graph, infer(snapshot, graph), known, self.screen, criterion, "typiclust", REASON)
        return table.place(rows, table.by_nearest, n)

    def _typical(self, snapshot: Snapshot, asked: np.ndarray, unplaced: np.ndarray, n: int) -> list[int]:
        """Unplaced rows: the most typical one of each part, then the next of each; never asked ones first."""
        k = min(1 << (int(asked.sum()) + n - 1).bit_length(), self.parts, len(asked))
        pieces = cuts_of(snapshot, self.seed).cut(np.arange(len(asked)), k)
        pieces = sorted(pieces, key=lambda p: (len(p) < self.least, int(asked[p].sum()), -len(p), int(p[0])))
        rank = typicality(snapshot)
        turns = [(len(rows) < self.least, turn, place, int(row)) for place, rows in enumerate(pieces)
                 for turn, row in enumerate(rows[np.lexsort((-rank[rows], asked[rows]))]) if unplaced[row]]  # fmt: skip
        return [turn[-1] for turn in sorted(turns, key=lambda turn: (bool(asked[turn[-1]]), turn))]

"""The belief laid out for choosing questions: what every item is worth, who stands for a group, what was asked."""

from dataclasses import dataclass

import numpy as np

from oracle.belief import Belief
from oracle.constraints import ConstraintGraph
from oracle.evidence import Pair, pair_of
from oracle.kernel import kernel_of
from oracle.moves import informative

CERTAIN = 0.01  # answers are never taken to be righter than this leaves
TYPICAL = 0.6  # chance of its group from which on a member may stand for it
TRIED = 8  # members tried as the anchor of a screen


@dataclass(frozen=True)
class Screen:
    """One possible question, in row positions. value: expected items put right."""

    value: float
    anchor: int
    candidates: tuple[int, ...]
    expected: tuple[float, ...]
    reason: str


class Desk:
    """One state of the belief, and what earlier questions of the same round have used up.

    joint: (N, G+1) chance of each group, last of none; (N, 2) of coin flips before any answer. influence: (N,) how much
    doubt an item reaches; novelty: the same for items in no group. worth: (N,) in [0, 1], dims as rows are used.
    """

    def __init__(self, belief: Belief, graph: ConstraintGraph, dim: float) -> None:
        self.belief, self.graph, self.snapshot, self.dim = belief, graph, belief.snapshot, dim
        self.joint = belief.joint if belief.groups else np.full((len(belief.labels), 2), 0.5)
        doubt = np.column_stack([1 - self.joint.max(1), belief.fresh])
        spread = kernel_of(self.snapshot).spread(doubt)
        self.influence, self.novelty = spread[:, 0], spread[:, 1]
        self.worth = np.ones(len(self.joint))
        self._shown: set[Pair] = set()  # in this round
        self._members = [self._standing_for(group) for group in range(belief.groups)]

    def information(self, chance: np.ndarray) -> np.ndarray:
        """Nats one answer tells about a yes-no question of this chance, any shape."""
        return informative(chance, max(self.belief.error_rate, CERTAIN))

    def known(self, a: int, b: int) -> bool:
        """True if this very pair was asked, now or before, or no single answer decides it: what hangs on one can be
        asked again."""
        if pair_of(a, b) in self._shown:
            return True
        one, other = int(self.snapshot.ids[a]), int(self.snapshot.ids[b])
        return self.graph.asked(one, other) or self.graph.settled(one, other)

    def members(self, group: int) -> np.ndarray:
        """Rows that may stand for a group."""
        return self._members[group]

    def show(self, screen: Screen) -> None:
        """A screen is shown: its candidates are used up, and what lies near them is worth less."""
        self._shown |= {pair_of(screen.anchor, row) for row in screen.candidates}
        rows = np.array(screen.candidates)
        self.worth[self.snapshot.neighbours[rows].ravel()] *= self.dim
        self.worth[rows] = 0.0

    def representative(self, group: int, row: int) -> int | None:
        """The member a person can compare with an item most easily: near to it and surely of the group; None if all
        were compared."""
        rows = self._members[group]
        rows = rows[rows != row]
        for place in self._easiest(rows, group, self.snapshot.vectors[row], 1.0):
            if not self.known(row, int(rows[place])):
                return int(rows[place])
        return None

    def anchor(self, group: int, rows: np.ndarray) -> int:
        """The member most easily compared with many items, of those who were compared with few of them."""
        members = self._members[group]
        order = self._easiest(members, group, self.snapshot.vectors[rows].mean(0), 1.05)[:TRIED]
        new = [sum(not self.known(int(members[place]), int(row)) for row in rows) for place in order]
        return int(members[order[int(np.argmax(new))]])

    def nearest_new_pair(self, rows: np.ndarray, others: np.ndarray, tries: int) -> tuple[int, int] | None:
        """The two most alike rows of two sets that were not asked about yet, among so many."""
        alike = self.snapshot.vectors[rows] @ self.snapshot.vectors[others].T
        for place in np.argsort(-alike, axis=None, kind="stable")[:tries]:
            one, other = divmod(int(place), len(others))
            if not self.known(int(rows[one]), int(others[other])):
                return int(rows[one]), int(others[other])
        return None

    def _easiest(self, rows: np.ndarray, group: int, centre: np.ndarray, most: float) -> np.ndarray:
        """Order of rows by distance to a centre, those less sure of the group further back."""
        distance = np.maximum(most - self.snapshot.vectors[rows] @ centre, 1e-6)
        return np.argsort(distance / self.joint[rows, group] ** 4, kind="stable")

    def _standing_for(self, group: int) -> np.ndarray:
        belief = self.belief
        members = np.flatnonzero(belief.member == group)
        sure = members[self.joint[members, group] > TYPICAL]
        return sure if len(sure) else members if len(members) else belief.founders[[group]]

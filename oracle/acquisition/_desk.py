"""The belief laid out for choosing questions: what every item is worth, who stands for a group, what was asked."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from oracle.belief import Belief
from oracle.constraints import ConstraintGraph
from oracle.evidence import Pair, pair_of
from oracle.kernel import kernel_of
from oracle.moves import informative
from oracle.rows import BLOCK, TINY, row_max
from oracle.shortlist import ALL, Rows

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

    influence: (N,) float32 how much doubt an item reaches; novelty: the same for items in no group. worth: (N,) in
    [0, 1], dims as rows are used.
    """

    def __init__(self, belief: Belief, graph: ConstraintGraph, dim: float) -> None:
        self.belief, self.graph, self.snapshot, self.dim = belief, graph, belief.snapshot, dim
        likely = (
            row_max(belief.probabilities) * (1 - belief.fresh) if belief.groups else np.full(len(belief.labels), 0.5)
        )
        doubt = np.column_stack([1 - np.maximum(likely, belief.fresh), belief.fresh])
        spread = kernel_of(self.snapshot).spread(doubt)
        self.influence, self.novelty = np.ascontiguousarray(spread.T)
        self.worth = np.ones(len(doubt), dtype=np.float32)
        self._members = self._standing()
        self._asked: dict[Pair, bool] = {}  # or settled, or shown in this round
        self._chosen: dict[tuple[int, int], int | None] = {}
        self._beside: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # vectors of a group's members, and how sure

    def chance(self, rows: Rows, groups: Rows = ALL) -> np.ndarray:
        """(R, G) chance of each group, without that of none; float32."""
        known = (1 - self.belief.fresh[rows]).astype(np.float32)
        return np.asarray(self.belief.probabilities[rows][:, groups] * known[:, None], dtype=np.float32)

    @cached_property
    def doubt(self) -> np.ndarray:
        """(N,) float32 entropy over the groups and none of them, in nats; of a coin flip before any answer."""
        if not self.belief.groups:
            return np.full(len(self.worth), np.log(2), dtype=np.float32)
        fresh, found = self.belief.fresh.astype(np.float32) + np.float32(TINY), []
        for at in range(0, len(fresh), BLOCK):
            chance = self.chance(slice(at, at + BLOCK))
            found.append(np.einsum("ng,ng->n", chance, np.log(chance + np.float32(TINY))))
        return np.asarray(-np.concatenate(found) - fresh * np.log(fresh))

    @cached_property
    def per_question(self) -> np.ndarray:
        """(N,) what it is worth to know an item's group, over the questions it will probably take."""
        order, found = np.arange(1, self.belief.groups + 2), []
        for at in range(0, len(self.worth), BLOCK):
            chance = self.belief.fresh[at : at + BLOCK, None].astype(np.float32)
            chance = np.column_stack([self.chance(slice(at, at + BLOCK)), chance])
            found.append(-np.sort(-chance, axis=1) @ order)  # likeliest group first
        return np.asarray(self.influence * self.doubt / np.concatenate(found))

    def information(self, chance: np.ndarray) -> np.ndarray:
        """Nats one answer tells about a yes-no question of this chance, any shape."""
        return informative(chance, max(self.belief.error_rate, CERTAIN))

    def known(self, a: int, b: int) -> bool:
        """True if this very pair was asked, now or before, or no single answer decides it: what hangs on one can be
        asked again."""
        pair = pair_of(a, b)
        if pair not in self._asked:
            one, other = int(self.snapshot.ids[a]), int(self.snapshot.ids[b])
            self._asked[pair] = self.graph.asked(one, other) or self.graph.settled(one, other)
        return self._asked[pair]

    def members(self, group: int) -> np.ndarray:
        """Rows that may stand for a group."""
        return self._members[group]

    def show(self, screen: Screen) -> np.ndarray:
        """A screen is shown: its candidates are used up, what lies near them is worth less. The rows this concerns."""
        self._asked |= {pair_of(screen.anchor, row): True for row in screen.candidates}
        rows = np.array(screen.candidates)
        near = np.unique(self.snapshot.neighbours[rows])
        self.worth[near] *= self.dim
        self.worth[rows] = 0.0
        return np.concatenate([near, rows])

    def representative(self, group: int, row: int) -> int | None:
        """The member easiest to compare with one row: near to it and surely of the group; None if all were compared."""
        chosen = self._chosen.get((group, row), row)
        if chosen is not None and (chosen == row or self.known(row, chosen)):
            self._chosen[group, row] = self._first_open(group, row)
        return self._chosen[group, row]

    def _first_open(self, group: int, row: int) -> int | None:
        rows = self._members[group]
        far = self._hardness(group, self.snapshot.vectors[row], 1.0)
        first = int(rows[far.argmin()])
        if first != row and not self.known(row, first):
            return first
        order = rows[np.argsort(far, kind="stable")].tolist()
        return next((one for one in order if one != row and not self.known(row, one)), None)

    def anchor(self, group: int, rows: np.ndarray) -> int:
        """The member most easily compared with many items, of those who were compared with few of them."""
        members = self._members[group]
        order = np.argsort(self._hardness(group, self.snapshot.vectors[rows].mean(0), 1.05), kind="stable")[:TRIED]
        best, most = int(members[order[0]]), -1
        for one in members[order].tolist():
            new = sum(not self.known(one, row) for row in rows.tolist())
            if new > most:
                best, most = one, new
            if most == len(rows):
                break
        return best

    def nearest_new_pair(self, rows: np.ndarray, others: np.ndarray, tries: int) -> tuple[int, int] | None:
        """The two most alike rows of two sets that were not asked about yet, among so many."""
        alike = self.snapshot.vectors[rows] @ self.snapshot.vectors[others].T
        for place in np.argsort(-alike, axis=None, kind="stable")[:tries]:
            one, other = divmod(int(place), len(others))
            if not self.known(int(rows[one]), int(others[other])):
                return int(rows[one]), int(others[other])
        return None

    def _hardness(self, group: int, centre: np.ndarray, most: float) -> np.ndarray:
        """(M,) distance of a group's members to a centre, more where they are less sure of the group."""
        if group not in self._beside:
            rows = self._members[group]
            self._beside[group] = self.snapshot.vectors[rows], self._sure(rows, group) ** 4
        vectors, trust = self._beside[group]
        return np.asarray(np.maximum(most - vectors @ centre, 1e-6) / trust)

    def _sure(self, rows: np.ndarray, group: int) -> np.ndarray:
        """(R,) chance of one group."""
        return np.asarray(self.belief.probabilities[rows, group] * (1 - self.belief.fresh[rows]))

    def _standing(self) -> list[np.ndarray]:
        """Rows that may stand for each group, rising."""
        belief = self.belief
        rows = belief.asked[belief.member[belief.asked] >= 0]
        rows = rows[np.argsort(belief.member[rows], kind="stable")]
        ends = np.searchsorted(belief.member[rows], np.arange(belief.groups + 1))
        return [self._standing_for(group, rows[begin:end]) for group, (begin, end) in enumerate(pairwise(ends))]

    def _standing_for(self, group: int, members: np.ndarray) -> np.ndarray:
        sure = members[self._sure(members, group) > TYPICAL]
        return sure if len(sure) else members if len(members) else self.belief.founders[[group]]

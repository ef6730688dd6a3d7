"""Ask the screen that is expected to put most items right: Pairwright's own rule, the default inside `mixed`.

    value of a candidate i under group g   = (influence K applied to the current risk)_i x entropy(p(i in g))
    value of a stranger among the groups   = (influence_i + influence of what no group explains) x entropy(p_i over
    groups, new)
    value of comparing groups g and h      = entropy(p(g = h)) x the smaller of the two

A screen is one anchor with up to `screen` candidates and costs about the same to look at whichever it is, so the rule
takes
the screen with the highest sum. Near candidates repeat each other: each one chosen dims its neighbours.
Source: expected-risk reduction over a propagation kernel after Zhu, Lafferty and Ghahramani 2003, with group screens
instead of labels.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.belief import Belief, infer
from oracle.constraints import ConstraintGraph
from oracle.kernel import kernel_of

LIKELY = 0.7  # above this mean expectation a screen is quicker to answer as "click the strangers"


@dataclass(frozen=True)
class Screen:
    """One possible question, in row positions. value: expected items put right."""

    value: float
    anchor: int
    candidates: tuple[int, ...]
    expected: tuple[float, ...]
    reason: str


@dataclass(frozen=True)
class Acquisition:
    """seed: accepted like everywhere, nothing here is drawn. screen: most candidates on one screen. dim: share of its
    value a chosen candidate's near
    twin keeps."""

    seed: int = 0
    screen: int = 12
    dim: float = 0.7
    explore: float = 24.0

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, best first; no candidate twice. Deterministic: the probability of each is 1."""
        desk = _Desk(infer(snapshot, graph), graph, self)
        questions = []
        for _ in range(n):
            screen = desk.best()
            if screen is None:
                break
            desk.use(screen)
            questions.append(_question(screen, snapshot, criterion))
        return questions


def _question(screen: Screen, snapshot: Snapshot, criterion: int) -> Question:
    likely = len(screen.expected) > 2 and float(np.mean(screen.expected)) > LIKELY
    kind = Kind.PAIR if len(screen.candidates) == 1 else Kind.ODD if likely else Kind.TICK
    return Question(
        criterion=criterion, kind=kind, anchor=int(snapshot.ids[screen.anchor]),
        candidates=tuple(int(snapshot.ids[row]) for row in screen.candidates), proposer="pairwright",
        version=snapshot.version, expected=tuple(round(p, 4) for p in screen.expected), reason=screen.reason,
    )  # fmt: skip


def entropy(chance: np.ndarray) -> np.ndarray:
    """Of a yes-no question, in nats; chance in [0, 1], any shape."""
    p = np.clip(chance, 1e-9, 1 - 1e-9)
    return np.asarray(-(p * np.log(p) + (1 - p) * np.log1p(-p)))


class _Desk:
    """The belief laid out for choosing: what every item is worth, what has been used up by earlier screens of this
    round."""

    def __init__(self, belief: Belief, graph: ConstraintGraph, rule: Acquisition) -> None:
        self.belief, self.graph, self.rule = belief, graph, rule
        self.snapshot = belief.snapshot
        kernel = kernel_of(self.snapshot)
        joint = belief.joint if belief.groups else _cold(belief)
        risk = np.where(belief.member >= 0, 0.0, 1 - joint.max(1))
        unexplained = np.where(belief.member >= 0, 0.0, belief.fresh)
        spread = kernel.spread(np.column_stack([risk, unexplained]))
        self.influence, self.novelty = spread[:, 0], spread[:, 1]  # (N,) in items
        self.joint = joint
        self.worth = np.ones(len(joint))  # dims as rows are used
        self.compared: set[tuple[int, int]] = set()  # groups already put side by side in this round
        self.representatives = [self._members(group) for group in range(belief.groups)]

    def best(self) -> Screen | None:
        """The screen worth most now; None if nothing is left to learn."""
        options = [*self._group_screens(), *self._stranger_screens(), *self._bridge_screens()]
        return max((one for one in options if one.candidates), key=lambda screen: screen.value, default=None)

    def use(self, screen: Screen) -> None:
        """Take a screen's rows out of this round, and dim what lies near them."""
        rows = np.array(screen.candidates)
        self.worth[self.snapshot.neighbours[rows].ravel()] *= self.rule.dim
        self.worth[rows] = 0.0
        self.worth[screen.anchor] *= 0.5 if self.belief.member[screen.anchor] >= 0 else 0.0
        self.compared |= {self._groups_of(screen.anchor, row) for row in screen.candidates}

    # the three kinds of screen ------------------------------------------------------------------------------------
    def _group_screens(self) -> Iterable[Screen]:
        """A group's member with the items whose belonging to it is most worth knowing."""
        belief = self.belief
        for group in range(belief.groups):
            chance = self.joint[:, group]
            value = self.influence * entropy(chance) * self.worth
            value[(belief.member >= 0) | belief.against[:, group]] = 0.0
            rows = self._diverse(value)
            if len(rows):
                anchor = self._nearest_member(group, rows)
                reason = "These may belong to a group you have already described; each answer moves its neighbours too."
                yield self._screen(anchor, rows, chance[rows], float(value[rows].sum()), reason)

    def _stranger_screens(self) -> Iterable[Screen]:
        """An item no group explains well, with one member of every group it could join and its nearest unknown
        items."""
        belief = self.belief
        chance = self.joint / self.joint.sum(1, keepdims=True)
        doubt = -(chance * np.log(chance + 1e-12)).sum(1)
        value = (self.influence * doubt + self.rule.explore * self.novelty * belief.fresh) * self.worth
        value[belief.member >= 0] = 0.0
        for anchor in np.argsort(-value)[:3]:
            if value[anchor] <= 0:
                continue
            rows, expected = self._line_up(int(anchor))
            if len(rows):
                reason = "No group explains this picture yet: which of these does it belong with?"
                yield self._screen(int(anchor), rows, expected, float(value[anchor]), reason)

    def _bridge_screens(self) -> Iterable[Screen]:
        """A group's member with one member of each group it was never compared with."""
        belief = self.belief
        if belief.groups < 2:
            return
        mass = belief.probabilities.sum(0)
        overlap = belief.probabilities.T @ belief.probabilities / np.minimum(mass[:, None], mass[None, :])
        alike = np.clip(0.05 + 1.5 * overlap, 0.02, 0.9)  # chance that two groups are one
        worth = entropy(alike) * np.minimum(mass[:, None], mass[None, :])
        worth[belief.apart] = 0.0
        np.fill_diagonal(worth, 0.0)
        group = int(worth.sum(1).argmax())
        order = np.argsort(-worth[group])[: self.rule.screen]
        others = [
            int(o)
            for o in order
            if worth[group, o] > 0 and (min(group, int(o)), max(group, int(o))) not in self.compared
        ]
        if others:
            anchor = self._central(group)
            rows = np.array([self._nearest_member(o, np.array([anchor])) for o in others])
            reason = "Are these groups the same thing? One answer settles every pair between them."
            yield self._screen(anchor, rows, alike[group, others], float(worth[group, others].sum()), reason)

    # choosing rows ------------------------------------------------------------------------------------------------
    def _diverse(self, value: np.ndarray) -> np.ndarray:
        """The best rows, each dimming its neighbours before the next is chosen."""
        value = value.copy()
        chosen: list[int] = []
        while len(chosen) < self.rule.screen and (row := int(value.argmax())) >= 0 and value[row] > 1e-9:
            chosen.append(row)
            value[self.snapshot.neighbours[row]] *= self.rule.dim
            value[row] = 0.0
        return np.array(chosen, dtype=np.int64)

    def _line_up(self, anchor: int) -> tuple[np.ndarray, np.ndarray]:
        """Who to show beside a stranger: groups by probability, then its nearest items without a group."""
        belief = self.belief
        open_groups = [g for g in np.argsort(-self.joint[anchor, : belief.groups]) if not belief.against[anchor, g]]
        shown = [int(g) for g in open_groups[: self.rule.screen]]
        rows = [self._nearest_member(group, np.array([anchor])) for group in shown]
        expected = [float(self.joint[anchor, group]) for group in shown]
        room = self.rule.screen - len(rows)
        filler = self._unknown_near(anchor, room)
        return np.array(rows + filler, dtype=np.int64), np.array(expected + [0.5] * len(filler))

    def _unknown_near(self, anchor: int, room: int) -> list[int]:
        """Items without a group around an anchor: some near, some further, so that the group's edge shows."""
        if room <= 0:
            return []
        cosine = self.snapshot.vectors @ self.snapshot.vectors[anchor]
        value = (self.influence + self.novelty) * self.worth * np.exp(3 * cosine)
        value[(self.belief.member >= 0)] = 0.0
        value[anchor] = 0.0
        return [int(row) for row in self._diverse(value)[:room]]

    def _members(self, group: int) -> np.ndarray:
        return np.flatnonzero(self.belief.member == group)

    def _nearest_member(self, group: int, rows: np.ndarray) -> int:
        """The member a person can compare most easily: nearest to the rows, and typical of its group."""
        members = self.representatives[group]
        centre = self.snapshot.vectors[rows].mean(0)
        return int(members[(self.snapshot.vectors[members] @ centre).argmax()])

    def _central(self, group: int) -> int:
        members = self.representatives[group]
        return self._nearest_member(group, members)

    def _groups_of(self, a: int, b: int) -> tuple[int, int]:
        one, other = int(self.belief.member[a]), int(self.belief.member[b])
        return min(one, other), max(one, other)

    def _screen(self, anchor: int, rows: np.ndarray, expected: np.ndarray, value: float, reason: str) -> Screen:
        keep = [k for k, row in enumerate(rows) if row != anchor and not self._known(anchor, int(row))]
        return Screen(value if keep else 0.0, anchor, tuple(int(rows[k]) for k in keep),
                      tuple(float(expected[k]) for k in keep), reason)  # fmt: skip

    def _known(self, a: int, b: int) -> bool:
        return self.graph.relation(int(self.snapshot.ids[a]), int(self.snapshot.ids[b])) is not None


def _cold(belief: Belief) -> np.ndarray:
    """(N, 2) before any answer: everything may be anything."""
    return np.full((len(belief.labels), 2), 0.5)

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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from heapq import merge
from itertools import pairwise

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.belief import Belief, infer
from oracle.constraints import ConstraintGraph
from oracle.kernel import kernel_of
from oracle.shortlist import ALL, Rows, Shortlist

LIKELY = 0.7  # above this mean expectation a screen is quicker to answer as "click the strangers"
TIE = 1e-3  # share of a value by which chance tells apart what nothing else does
BLOCK = 8192  # rows looked at together
TOGETHER = 16  # strangers whose cosines are worked out together


@dataclass(frozen=True)
class Screen:
    """One possible question, in row positions. value: expected items put right."""

    value: float
    anchor: int
    candidates: tuple[int, ...]
    expected: tuple[float, ...]
    reason: str


Option = tuple[float, Callable[[], Screen | None]]  # what a screen is worth, and how to make it


@dataclass(frozen=True)
class Acquisition:
    """seed: decides between items that are worth the same before any answer. screen: most candidates on one
    screen. dim: share of its value a chosen candidate's near twin keeps."""

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
    """Of a yes-no question, in nats; chance in [0, 1], any shape and precision."""
    p = np.maximum(chance, 1e-9)
    q = np.maximum(1 - p, 1e-9)
    return np.asarray(-(p * np.log(p) + q * np.log(q)))


class _Desk:
    """The belief laid out for choosing: what every item is worth, what has been used up by earlier screens of this
    round."""

    def __init__(self, belief: Belief, graph: ConstraintGraph, rule: Acquisition) -> None:
        self.belief, self.graph, self.rule = belief, graph, rule
        self.snapshot = belief.snapshot
        self.unknown = belief.member < 0
        likely = belief.probabilities.max(1) * (1 - belief.fresh) if belief.groups else np.full(len(self.unknown), 0.5)
        risk = np.where(self.unknown, 1 - np.maximum(likely, belief.fresh), 0.0)
        unexplained = np.where(self.unknown, belief.fresh, 0.0)
        spread = kernel_of(self.snapshot).spread(np.column_stack([risk, unexplained]))
        self.influence, self.novelty = np.ascontiguousarray(spread.T)  # (N,) in items, float32
        self.worth = np.ones(len(risk), dtype=np.float32)  # dims as rows are used
        self.compared: set[tuple[int, int]] = set()  # groups already put side by side in this round
        self.representatives = self._members()
        self.cosines: dict[int, np.ndarray] = {}  # of some strangers with everybody
        self.shortlist = Shortlist(
            self._group_values, belief.groups, self.worth, self.snapshot.neighbours, rule.dim, rule.screen
        )

    def best(self) -> Screen | None:
        """The screen worth most now; None if nothing is left to learn."""
        kinds = self._group_screens(), self._stranger_screens(), self._bridge_screens()
        for _, make in merge(*kinds, key=lambda option: -option[0]):
            screen = make()
            if screen is not None and screen.candidates:
                return screen
        return None

    def use(self, screen: Screen) -> None:
        """Take a screen's rows out of this round, and dim what lies near them."""
        rows = np.array(screen.candidates)
        near = np.unique(self.snapshot.neighbours[rows])
        self.worth[near] *= self.rule.dim
        self.worth[rows] = 0.0
        self.worth[screen.anchor] *= 0.5 if self.belief.member[screen.anchor] >= 0 else 0.0
        self.shortlist.dimmed(np.concatenate([near, rows, [screen.anchor]]))
        self.compared |= {self._groups_of(screen.anchor, row) for row in screen.candidates}

    # what rows are worth ------------------------------------------------------------------------------------------
    def _joint(self, rows: Rows, groups: Rows = ALL) -> np.ndarray:
        """(R, G) chance of each group."""
        known = (1 - self.belief.fresh[rows]).astype(np.float32)
        return np.asarray(self.belief.probabilities[rows][:, groups] * known[:, None])

    def _group_values(self, rows: Rows, groups: Rows) -> np.ndarray:
        """(R, G) what it is worth to know whether rows belong to groups."""
        value = entropy(self._joint(rows, groups))
        value *= (self.influence[rows] * self.unknown[rows])[:, None]
        value[self.belief.against[rows][:, groups]] = 0.0
        return value

    @cached_property
    def _stranger_values(self) -> np.ndarray:
        """(N,) what it is worth to know where rows belong."""
        fresh = self.belief.fresh.astype(np.float32)
        value = self.influence * self._doubts() + self.rule.explore * self.novelty * fresh
        if not self.belief.groups:  # all the same up to rounding, which would favour one region of a large graph
            value *= 1 + TIE * np.random.default_rng(self.rule.seed).random(len(value))
        return np.where(self.unknown, value, 0.0).astype(np.float32)

    def _doubts(self) -> np.ndarray:
        """(N,) entropy over the groups and none of them, in nats."""
        if not self.belief.groups:
            return np.full(len(self.worth), np.log(2), dtype=np.float32)  # anything is possible
        fresh, found = self.belief.fresh + 1e-12, []
        for at in range(0, len(fresh), BLOCK):
            chance = self._joint(slice(at, at + BLOCK))
            found.append(np.einsum("ng,ng->n", chance, np.log(chance + np.float32(1e-12))))
        return -np.concatenate(found) - fresh * np.log(fresh)

    # the three kinds of screen ------------------------------------------------------------------------------------
    def _group_screens(self) -> Iterator[Option]:
        """A group's member with the items whose belonging to it is most worth knowing."""
        for group, choice in self.shortlist.choices():
            if len(choice.rows):
                yield choice.total, partial(self._group_screen, group, choice.rows, choice.total)

    def _group_screen(self, group: int, rows: np.ndarray, value: float) -> Screen:
        reason = "These may belong to a group you have already described; each answer moves its neighbours too."
        return self._screen(self._nearest_member(group, rows), rows, self._joint(rows)[:, group], value, reason)

    def _stranger_screens(self) -> Iterator[Option]:
        """An item no group explains well, with one member of every group it could join and its nearest unknown
        items."""
        value = self._stranger_values * self.worth
        for _ in range(min(3, len(value))):
            anchor = int(value.argmax())
            if value[anchor] <= 0:
                return
            yield float(value[anchor]), partial(self._stranger_screen, anchor, float(value[anchor]))
            value[anchor] = 0.0

    def _stranger_screen(self, anchor: int, value: float) -> Screen | None:
        rows, expected = self._line_up(anchor)
        reason = "No group explains this picture yet: which of these does it belong with?"
        return self._screen(anchor, rows, expected, value, reason) if len(rows) else None

    @cached_property
    def _bridges(self) -> tuple[np.ndarray, np.ndarray]:
        """(G, G) chance that two groups are one, and what it is worth to know."""
        belief = self.belief
        mass = belief.probabilities.sum(0)
        overlap = belief.probabilities.T @ belief.probabilities / np.minimum(mass[:, None], mass[None, :])
        alike = np.clip(0.05 + 1.5 * overlap, 0.02, 0.9)  # chance that two groups are one
        worth = entropy(alike) * np.minimum(mass[:, None], mass[None, :])
        worth[belief.apart] = 0.0
        np.fill_diagonal(worth, 0.0)
        return alike, worth

    def _bridge_screens(self) -> Iterator[Option]:
        """A group's member with one member of each group it was never compared with."""
        if self.belief.groups < 2:
            return
        worth = self._bridges[1]
        group = int(worth.sum(1).argmax())
        order = np.argsort(-worth[group])[: self.rule.screen]
        others = [
            int(o)
            for o in order
            if worth[group, o] > 0 and (min(group, int(o)), max(group, int(o))) not in self.compared
        ]
        if others:
            value = float(worth[group, others].sum())
            yield value, partial(self._bridge_screen, group, others, value)

    def _bridge_screen(self, group: int, others: list[int], value: float) -> Screen:
        anchor = self._central(group)
        rows = np.array([self._nearest_member(o, np.array([anchor])) for o in others])
        reason = "Are these groups the same thing? One answer settles every pair between them."
        return self._screen(anchor, rows, self._bridges[0][group, others], value, reason)

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
        chance = self._joint(np.array([anchor]))[0]
        open_groups = [g for g in np.argsort(-chance[: belief.groups]) if not belief.against[anchor, g]]
        shown = [int(g) for g in open_groups[: self.rule.screen]]
        rows = [self._nearest_member(group, np.array([anchor])) for group in shown]
        expected = [float(chance[group]) for group in shown]
        room = self.rule.screen - len(rows)
        filler = self._unknown_near(anchor, room)
        return np.array(rows + filler, dtype=np.int64), np.array(expected + [0.5] * len(filler))

    def _unknown_near(self, anchor: int, room: int) -> list[int]:
        """Items without a group around an anchor: some near, some further, so that the group's edge shows."""
        if room <= 0:
            return []
        value = np.exp(3 * self._cosines_with(anchor))
        value *= (self.influence + self.novelty) * self.worth * self.unknown
        value[anchor] = 0.0
        return [int(row) for row in self._diverse(value)[:room]]

    def _cosines_with(self, anchor: int) -> np.ndarray:
        """(N,) cosines of everybody with a stranger; with the next strangers too, in one go."""
        if anchor not in self.cosines:
            value = self._stranger_values * self.worth
            count = min(TOGETHER, len(value))
            strangers = np.unique([anchor, *np.argpartition(-value, count - 1)[:count]])
            rows = self.snapshot.vectors[strangers] @ self.snapshot.vectors.T
            self.cosines = dict(zip(strangers.tolist(), rows, strict=True))
        return self.cosines[anchor]

    def _members(self) -> list[np.ndarray]:
        """Rows of each group, rising."""
        rows = np.flatnonzero(~self.unknown)
        rows = rows[np.argsort(self.belief.member[rows], kind="stable")]
        ends = np.searchsorted(self.belief.member[rows], np.arange(self.belief.groups + 1))
        return [rows[begin:end] for begin, end in pairwise(ends)]

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

"""Ask the screen that is expected to put most items right: Pairwright's own rule, the default inside `mixed`.

    value of a candidate i under group g = influence_i x what an answer tells about "i in g"
    value of a stranger among the groups = (influence_i + influence of what no group explains) x entropy(p_i, new)
    value of comparing groups g and h    = what an answer tells about "g = h" x the smaller of the two
    influence                            = the kernel applied to everybody's chance of being in the wrong group

What an answer tells is entropy(answer) - entropy(error rate): the more answers err, the less there is to gain from the
next one, and the more from a second one about an item already asked. A screen is one anchor with up to `screen`
candidates and costs about the same to look at whichever it is, so the rule takes the screen with the highest sum. Near
candidates repeat each other: each one chosen dims its neighbours. With `screen` = 1 see `_pairs`.
Source: expected-risk reduction over a propagation kernel after Zhu, Lafferty and Ghahramani 2003, with group screens
instead of labels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from heapq import merge

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._desk import Desk, Screen
from oracle.acquisition._pairs import best_pair
from oracle.belief import infer
from oracle.bounds import Count, Share, Weight, Whole
from oracle.constraints import ConstraintGraph
from oracle.shortlist import Choice, Rows, Shortlist

LIKELY = 0.7  # above this mean expectation a screen is quicker to answer as "click the strangers"
TELLING = 1e-4  # nats below which a group is not shown beside a stranger
STRANGERS = 3  # strangers looked at
BRIDGE = 0.01  # items put right below which two groups are not compared
AHEAD = 8  # strangers whose likeness to everybody is worked out together

Option = tuple[float, Callable[[], Screen]]  # what a screen is worth at most, and how to make it


@dataclass(frozen=True)
class Acquisition:
    """seed: accepted like everywhere, nothing here is drawn. screen: most candidates on one screen. dim: share of its
    value a chosen candidate's near twin keeps. explore: weight of items that no group explains."""

    seed: Whole = 0
    screen: Count = 12
    dim: Share = 0.7
    explore: Weight = 24.0

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, best first; no candidate twice. Deterministic: the probability of each is 1."""
        if len(snapshot.ids) < 2:
            return []
        screens = _Screens(Desk(infer(snapshot, graph), graph, self.dim), self)
        questions = []
        for _ in range(n):
            screen = screens.best()
            if screen is None:
                break
            screens.use(screen)
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


class _Screens:
    """The screens of one round."""

    def __init__(self, desk: Desk, rule: Acquisition) -> None:
        self.desk, self.rule, self.belief = desk, rule, desk.belief
        self._compared: set[tuple[int, int]] = set()  # groups already put side by side in this round
        self._taken: set[int] = set()  # rows shown as candidates in this round
        self._asked = 0
        self._made: dict[int, tuple[Choice, Screen]] = {}  # each group's screen, as long as its choice stands
        self._pull: dict[int, np.ndarray] = {}  # how much some strangers pull everybody
        self._beside: dict[int, list[tuple[int, float]]] = {}  # whom to show beside a stranger, until it is shown

    def best(self) -> Screen | None:
        """The screen worth most now; None if nothing is left to learn. Only those that may be it are worked out."""
        if self.rule.screen == 1 and self.belief.groups:
            return best_pair(self.desk, self.desk.graph.size + self._asked, self._taken)
        best = None
        kinds = self._group_screens(), self._stranger_screens(), self._bridge_screens()
        for most, make in merge(*kinds, key=lambda option: -option[0]):
            if best is not None and best.value >= most:
                break
            screen = make()
            if screen.candidates and (best is None or screen.value > best.value):
                best = screen
        return best

    def use(self, screen: Screen) -> None:
        """Take a screen's rows out of this round, and dim what lies near them."""
        self._asked += 1
        self._taken |= set(screen.candidates)
        changed = self.desk.show(screen)
        self.desk.worth[screen.anchor] *= 0.5 if self.belief.member[screen.anchor] >= 0 else 0.0
        if self.rule.screen > 1:
            self._shortlist.dimmed(np.append(changed, screen.anchor))
        own, *others = self.belief.member[[screen.anchor, *screen.candidates]].tolist()
        self._compared |= {(min(own, other), max(own, other)) for other in others}
        for row in (screen.anchor, *screen.candidates):
            self._beside.pop(row, None)

    # the three kinds of screen ------------------------------------------------------------------------------------
    @cached_property
    def _shortlist(self) -> Shortlist:
        desk = self.desk
        return Shortlist(
            self._group_values, self.belief.groups, desk.worth, desk.snapshot.neighbours, self.rule.dim,
            self.rule.screen,
        )  # fmt: skip

    def _group_values(self, rows: Rows, groups: Rows) -> np.ndarray:
        """(R, G) what it is worth to know whether rows belong to groups."""
        desk = self.desk
        return np.asarray(desk.information(desk.chance(rows, groups)) * desk.influence[rows][:, None])

    def _group_screens(self) -> Iterator[Option]:
        """A group's member with the items whose belonging to it is most worth knowing."""
        for group, choice in self._shortlist.choices():
            if len(choice.rows):
                yield choice.total, partial(self._group_screen, group, choice)

    def _group_screen(self, group: int, choice: Choice) -> Screen:
        known = self._made.get(group)
        if known is None or known[0] is not choice:
            desk, rows = self.desk, choice.rows
            reason = "These may belong to a group you have already described; each answer moves its neighbours too."
            value = self._group_values(rows, np.array([group]))[:, 0] * desk.worth[rows]
            screen = self._screen(desk.anchor(group, rows), rows, desk.chance(rows)[:, group], value, reason)
            self._made[group] = known = choice, screen
        return known[1]

    @cached_property
    def _stranger_values(self) -> np.ndarray:
        """(N,) what it is worth to know where rows belong."""
        desk = self.desk
        value = desk.influence * desk.doubt + self.rule.explore * desk.novelty * self.belief.fresh.astype(np.float32)
        value[self.belief.founders] = 0.0
        return value

    def _stranger_screens(self) -> Iterator[Option]:
        """An item no group explains well, with one member of every group it could join and its nearest unknown
        items."""
        value = self._stranger_values * self.desk.worth
        for _ in range(min(STRANGERS, len(value))):
            anchor = int(value.argmax())
            if value[anchor] <= 0:
                return
            yield float(value[anchor]), partial(self._stranger_screen, anchor, float(value[anchor]))
            value[anchor] = 0.0

    def _stranger_screen(self, anchor: int, value: float) -> Screen:
        rows, expected = self._line_up(anchor)
        reason = "No group explains this picture yet: which of these does it belong with?"
        return self._screen(anchor, rows, expected, np.full(len(rows), value / max(len(rows), 1)), reason)

    @cached_property
    def _bridges(self) -> tuple[np.ndarray, np.ndarray, int, int]:
        """(G, G) chance that two groups are one, and what it is worth to know; the group to compare, and its anchor."""
        belief, desk = self.belief, self.desk
        mass = np.ones(len(desk.worth), np.float32) @ belief.probabilities
        smaller = np.minimum(mass[:, None], mass) + 1e-9
        overlap = belief.probabilities.T @ belief.probabilities / smaller
        odds = np.log(0.05 + 1.5 * np.clip(overlap, 0, 0.6)) + np.clip(belief.between, -30, 30)
        alike = 1 / (1 + np.exp(-odds))
        worth = desk.information(alike) * smaller
        np.fill_diagonal(worth, 0.0)
        group = int(worth.sum(1).argmax())
        return alike, worth, group, desk.anchor(group, desk.members(group))

    def _bridge_screens(self) -> Iterator[Option]:
        """A group's member with one member of each group that may be the same."""
        if self.belief.groups < 2:
            return
        _, worth, group, _ = self._bridges
        others = [int(o) for o in np.argsort(-worth[group])[: self.rule.screen]
                  if worth[group, o] > BRIDGE and (min(group, o), max(group, o)) not in self._compared]  # fmt: skip
        if others:
            yield float(worth[group, others].sum()), partial(self._bridge_screen, others)

    def _bridge_screen(self, others: list[int]) -> Screen:
        alike, worth, group, anchor = self._bridges
        reason = "Are these groups the same thing? One answer settles every pair between them."
        shown = [(o, row) for o in others if (row := self.desk.representative(o, anchor)) is not None]
        others, rows = [o for o, _ in shown], np.array([row for _, row in shown], dtype=np.int64)
        return self._screen(anchor, rows, alike[group, others], worth[group, others], reason)

    # choosing rows ------------------------------------------------------------------------------------------------
    def _diverse(self, value: np.ndarray) -> np.ndarray:
        """The best rows, each dimming its neighbours before the next is chosen."""
        value = value.copy()
        chosen: list[int] = []
        while len(chosen) < self.rule.screen and (row := int(value.argmax())) >= 0 and value[row] > 1e-9:
            chosen.append(row)
            value[self.desk.snapshot.neighbours[row]] *= self.rule.dim
            value[row] = 0.0
        return np.array(chosen, dtype=np.int64)

    def _line_up(self, anchor: int) -> tuple[np.ndarray, np.ndarray]:
        """Who to show beside a stranger: groups by what the answer tells, then its nearest items without a group."""
        if anchor not in self._beside:
            self._beside[anchor] = self._telling(anchor)
        shown = self._beside[anchor]
        filler = self._unknown_near(anchor, self.rule.screen - len(shown))
        rows = [row for row, _ in shown] + filler
        return np.array(rows, dtype=np.int64), np.array([chance for _, chance in shown] + [0.5] * len(filler))

    def _telling(self, anchor: int) -> list[tuple[int, float]]:
        """A member of every group that a stranger may be in, and the chance of it; the most telling first."""
        chance = self.desk.chance(np.array([anchor]))[0, : self.belief.groups]
        told = self.desk.information(chance)
        best = [int(g) for g in np.argsort(-told)[: self.rule.screen] if told[g] > TELLING]
        return [(row, float(chance[g])) for g in best if (row := self.desk.representative(g, anchor)) is not None]

    def _unknown_near(self, anchor: int, room: int) -> list[int]:
        """Items without a group around an anchor: some near, some further, so that the group's edge shows."""
        if room <= 0:
            return []
        value = self._pulled_by(anchor) * self._unknown_worth * self.desk.worth
        value[anchor] = 0.0
        return [int(row) for row in self._diverse(value)[:room]]

    @cached_property
    def _unknown_worth(self) -> np.ndarray:
        """(N,) what items without a group may teach."""
        return np.where(self.belief.member < 0, self.desk.influence + self.desk.novelty, np.float32(0))

    def _pulled_by(self, anchor: int) -> np.ndarray:
        """(N,) more where items look like a stranger; worked out for the next strangers too, in one go."""
        if anchor not in self._pull:
            value, vectors = self._stranger_values * self.desk.worth, self.desk.snapshot.vectors
            count = min(AHEAD, len(value))
            strangers = np.unique([anchor, *np.argpartition(-value, count - 1)[:count]])
            self._pull = dict(zip(strangers.tolist(), np.exp(3 * (vectors[strangers] @ vectors.T)), strict=True))
        return self._pull[anchor]

    def _screen(self, anchor: int, rows: np.ndarray, expected: np.ndarray, value: np.ndarray, reason: str) -> Screen:
        """A screen of the rows that were not asked with this anchor, nor shown in this round."""
        keep = [k for k, row in enumerate(rows.tolist())
                if row != anchor and row not in self._taken and not self.desk.known(anchor, row)]  # fmt: skip
        return Screen(
            float(value[keep].sum()), anchor, tuple(rows[keep].tolist()), tuple(expected[keep].tolist()), reason
        )

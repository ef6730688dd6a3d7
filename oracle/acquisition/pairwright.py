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

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._desk import Desk, Screen
from oracle.acquisition._pairs import best_pair
from oracle.belief import infer
from oracle.constraints import ConstraintGraph

LIKELY = 0.7  # above this mean expectation a screen is quicker to answer as "click the strangers"
TELLING = 1e-4  # nats below which a group is not shown beside a stranger
STRANGERS = 3  # strangers looked at
BRIDGE = 0.01  # items put right below which two groups are not compared


@dataclass(frozen=True)
class Acquisition:
    """seed: accepted like everywhere, nothing here is drawn. screen: most candidates on one screen. dim: share of its
    value a chosen candidate's near twin keeps. explore: weight of items that no group explains."""

    seed: int = 0
    screen: int = 12
    dim: float = 0.7
    explore: float = 24.0

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

    def best(self) -> Screen | None:
        """The screen worth most now; None if nothing is left to learn."""
        if self.rule.screen == 1 and self.belief.groups:
            return best_pair(self.desk, self.desk.graph.size + self._asked, self._taken)
        options = [*self._group_screens(), *self._stranger_screens(), *self._bridge_screens()]
        return max((one for one in options if one.candidates), key=lambda screen: screen.value, default=None)

    def use(self, screen: Screen) -> None:
        """Take a screen's rows out of this round, and dim what lies near them."""
        self._asked += 1
        self._taken |= set(screen.candidates)
        self.desk.show(screen)
        self.desk.worth[screen.anchor] *= 0.5 if self.belief.member[screen.anchor] >= 0 else 0.0
        self._compared |= {self._groups_of(screen.anchor, row) for row in screen.candidates}

    # the three kinds of screen ------------------------------------------------------------------------------------
    def _group_screens(self) -> Iterable[Screen]:
        """A group's member with the items whose belonging to it is most worth knowing."""
        reason = "These may belong to a group you have already described; each answer moves its neighbours too."
        for group in range(self.belief.groups):
            chance = self.desk.joint[:, group]
            value = self.desk.influence * self.desk.information(chance) * self.desk.worth
            rows = self._diverse(value)
            if len(rows):
                yield self._screen(self.desk.anchor(group, rows), rows, chance[rows], value[rows], reason)

    def _stranger_screens(self) -> Iterable[Screen]:
        """An item no group explains well, with one member of every group it could join and its nearest unknown
        items."""
        desk, chance = self.desk, self.desk.joint
        reason = "No group explains this picture yet: which of these does it belong with?"
        doubt = -(chance * np.log(chance + 1e-12)).sum(1)
        value = (desk.influence * doubt + self.rule.explore * desk.novelty * self.belief.fresh) * desk.worth
        value[self.belief.founders] = 0.0
        for anchor in np.argsort(-value)[:STRANGERS]:
            if value[anchor] > 0:
                rows, expected = self._line_up(int(anchor))
                shares = np.full(len(rows), value[anchor] / max(len(rows), 1))
                yield self._screen(int(anchor), rows, expected, shares, reason)

    def _bridge_screens(self) -> Iterable[Screen]:
        """A group's member with one member of each group that may be the same."""
        belief, desk = self.belief, self.desk
        if belief.groups < 2:
            return
        reason = "Are these groups the same thing? One answer settles every pair between them."
        mass = belief.probabilities.sum(0)
        smaller = np.minimum(mass[:, None], mass) + 1e-9
        overlap = belief.probabilities.T @ belief.probabilities / smaller
        odds = np.log(0.05 + 1.5 * np.clip(overlap, 0, 0.6)) + np.clip(belief.between, -30, 30)
        alike = 1 / (1 + np.exp(-odds))
        worth = desk.information(alike) * smaller
        np.fill_diagonal(worth, 0.0)
        group = int(worth.sum(1).argmax())
        anchor = desk.anchor(group, desk.members(group))
        others = [int(o) for o in np.argsort(-worth[group])[: self.rule.screen]
                  if worth[group, o] > BRIDGE and (min(group, o), max(group, o)) not in self._compared]  # fmt: skip
        shown = [(o, row) for o in others if (row := desk.representative(o, anchor)) is not None]
        if shown:
            others, rows = [o for o, _ in shown], np.array([row for _, row in shown])
            yield self._screen(anchor, rows, alike[group, others], worth[group, others], reason)

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
        chance = self.desk.joint[anchor, : self.belief.groups]
        told = self.desk.information(chance)
        telling = [int(g) for g in np.argsort(-told)[: self.rule.screen] if told[g] > TELLING]
        shown = [(g, row) for g in telling if (row := self.desk.representative(g, anchor)) is not None]
        filler = self._unknown_near(anchor, self.rule.screen - len(shown))
        rows = [row for _, row in shown] + filler
        return np.array(rows, dtype=np.int64), np.array([float(chance[g]) for g, _ in shown] + [0.5] * len(filler))

    def _unknown_near(self, anchor: int, room: int) -> list[int]:
        """Items without a group around an anchor: some near, some further, so that the group's edge shows."""
        if room <= 0:
            return []
        desk, vectors = self.desk, self.desk.snapshot.vectors
        value = (desk.influence + desk.novelty) * desk.worth * np.exp(3 * (vectors @ vectors[anchor]))
        value[self.belief.member >= 0] = 0.0
        value[anchor] = 0.0
        return [int(row) for row in self._diverse(value)[:room]]

    def _groups_of(self, a: int, b: int) -> tuple[int, int]:
        one, other = int(self.belief.member[a]), int(self.belief.member[b])
        return min(one, other), max(one, other)

    def _screen(self, anchor: int, rows: np.ndarray, expected: np.ndarray, value: np.ndarray, reason: str) -> Screen:
        """A screen of the rows that were not asked with this anchor, nor shown in this round."""
        keep = [k for k, row in enumerate(rows.tolist())
                if row != anchor and row not in self._taken and not self.desk.known(anchor, row)]  # fmt: skip
        return Screen(float(value[keep].sum()), anchor, tuple(int(rows[k]) for k in keep),
                      tuple(float(expected[k]) for k in keep), reason)  # fmt: skip

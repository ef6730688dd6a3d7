"""Ask about whole groups: click the strangers in one, or say whether two close ones are the same thing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._screens import Desk, chance_same, generator, group_centres, question
from oracle.belief import Belief, infer
from oracle.bounds import Count, Whole
from oracle.constraints import ConstraintGraph

STRANGERS = "Do all of these belong together? Click the ones that do not."
MERGE = "These two groups look alike: are they the same thing?"


@dataclass(frozen=True)
class Acquisition:
    """seed: breaks ties. screen: most candidates on one screen. shown: members a merge question shows of each group."""

    seed: Whole = 0
    screen: Count = 12
    shown: Count = 4

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens: loosest group, closest pair of groups, next group, next pair, and so on."""
        table = _Table(snapshot, graph, self, criterion)
        turns = zip_longest(table.strangers(), table.merges())
        found = (one for turn in turns for one in turn if one is not None)
        return [one for one, _ in zip(found, range(n), strict=False)]


class _Table:
    """The current groups laid out: members from the most typical to the least."""

    def __init__(self, snapshot: Snapshot, graph: ConstraintGraph, rule: Acquisition, criterion: int) -> None:
        self.snapshot, self.graph, self.rule, self.criterion = snapshot, graph, rule, criterion
        self.belief: Belief = infer(snapshot, graph)
        self.desk = Desk(snapshot, graph)
        self.jitter = generator(rule.seed, graph).random(len(snapshot.ids)) * 1e-6
        names, self.centres = group_centres(snapshot, self.belief.labels)
        self.members = [self._typical_first(name, place) for place, name in enumerate(names)]

    def _typical_first(self, name: int, place: int) -> np.ndarray:
        rows = np.flatnonzero(self.belief.labels == name)
        typical = self.snapshot.vectors[rows] @ self.centres[place] + self.jitter[rows]
        return np.asarray(rows[np.argsort(-typical, kind="stable")])

    def strangers(self) -> Iterator[Question]:
        """The most typical member of a group beside its least typical ones; groups by how many may be strangers."""
        for rows in sorted(self.members, key=lambda rows: (-self._looseness(rows), int(rows[0]))):
            anchor = int(rows[0])
            shown = [row for row in rows[:0:-1].tolist() if self.desk.open_rows(anchor)[row]][: self.rule.screen]
            if shown:
                self.desk.take(anchor, shown)
                yield self._ask(Kind.ODD, anchor, shown, STRANGERS)

    def _looseness(self, rows: np.ndarray) -> float:
        """Expected number of strangers: sum of one minus the chance to belong with the most typical member."""
        sample = rows[:: max(1, len(rows) // 64)]
        chance = chance_same(self.belief, int(rows[0]), sample)
        return float((1 - chance).mean() * len(rows) + self.jitter[rows[0]])

    def merges(self) -> Iterator[Question]:
        """Pairs of groups, closest centres first, whose most typical members may be asked about."""
        closeness = self.centres @ self.centres.T
        upper = np.triu_indices(len(self.centres), 1)
        for place in np.argsort(-closeness[upper], kind="stable")[: 50 * self.rule.screen]:
            one, other = self.members[upper[0][place]], self.members[upper[1][place]]
            anchor, opposite = int(one[0]), int(other[0])
            if self.desk.open_rows(anchor)[opposite]:
                self.desk.take(anchor, [opposite])
                more = self.rule.shown
                yield self._ask(Kind.MERGE, anchor, other[:more], MERGE, context=one[1:more])

    def _ask(
        self, kind: Kind, anchor: int, rows: list[int] | np.ndarray, reason: str, context: np.ndarray | tuple[()] = ()
    ) -> Question:
        expected = chance_same(self.belief, anchor, np.asarray(rows))
        return question(self.snapshot, kind, anchor, rows, criterion=self.criterion, proposer="groups",
                        reason=reason, expected=expected, context=context)  # fmt: skip

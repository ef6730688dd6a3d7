"""What the last answers changed: the log gone through again over one snapshot, an answer at a time.

Costs one inference per answer, so it belongs in the background; what was found before is handed in and kept. In a very
large collection a few answers are looked at together, and whatever they moved counts for each that showed it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from db.nouns import Snapshot, Statement
from oracle.belief import Belief
from oracle.constraints import ConstraintGraph
from oracle.holdout import along
from oracle.quality import doubts

LAST = 100  # answers: (1 - 2/21)^100 = .00005 of the weighted mean is older
LARGE, TOGETHER = 3000, 5  # items from which on answers are looked at together, so many at a time


@dataclass(frozen=True)
class Change:
    """One answer's effect. changed: whether an item it shows is in another group since. unsettled: doubt left, [0, 1].

    groups: how many there are after it.
    """

    answer: int
    changed: bool
    unsettled: float
    groups: int


class Watch:
    """Sees beliefs along a log and notes what the last answers changed.

    known: effects found before, by answer; they are not looked for again. stops: after which answers it must see a
    belief, the one before the first answer of interest too.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        said: Sequence[Statement],
        *,
        known: Mapping[int, Change] | None = None,
        last: int = LAST,
    ) -> None:
        every = sorted({one.answer for one in said})
        self._answers = every[-last:] if last else []
        self._found = {answer: known[answer] for answer in self._answers if known and answer in known}
        new = [answer for answer in self._answers if answer not in self._found]
        self._todo = self._answers[self._answers.index(new[0]) :] if new else []
        self._rows = _rows(snapshot, said, set(self._todo))
        step = TOGETHER if len(snapshot.ids) > LARGE else 1
        count = len(every) - len(self._todo)
        ends = [place for place in range(count, len(every)) if (place + 1) % step == 0 or place == len(every) - 1]
        self.stops = [every[place] for place in ([count - 1] if count else []) + ends] if self._todo else []
        self._before = snapshot.start

    @property
    def changes(self) -> list[Change]:
        """Found so far, oldest first."""
        return [self._found[answer] for answer in self._answers if answer in self._found]

    def see(self, stop: int, belief: Belief) -> None:
        """The belief once the answers up to this one were heard."""
        new = [answer for answer in self._todo if answer <= stop]
        self._todo = self._todo[len(new) :]
        if new:
            gone = moved(self._before, belief.labels)
            doubt, groups = float(doubts(belief).mean()), len(np.unique(belief.labels))
            for answer in new:
                self._found[answer] = Change(answer, bool(gone[self._rows[answer]].any()), doubt, groups)
        self._before = belief.labels


def replay(
    snapshot: Snapshot,
    said: Sequence[Statement],
    *,
    known: Mapping[int, Change] | None = None,
    last: int = LAST,
    graph: Callable[[Sequence[Statement]], ConstraintGraph] = ConstraintGraph.build,
) -> list[Change]:
    """The effect of the last answers, oldest first."""
    watch = Watch(snapshot, said, known=known, last=last)
    for stop, belief in along(snapshot, said, graph([]), watch.stops):
        watch.see(stop, belief)
    return watch.changes


def moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(N,) bool: items in another group than before. Names do not count: a group goes on where most of it went."""
    old, new = (np.unique(labels, return_inverse=True)[1] for labels in (before, after))
    shape = (int(old.max(initial=0)) + 1, int(new.max(initial=0)) + 1)
    table = sparse.coo_matrix((np.ones(len(old)), (old, new)), shape=shape).tocsr()
    heir = np.asarray(table.argmax(1)).ravel()  # where most of each old group went
    parent = np.asarray(table.argmax(0)).ravel()  # whence most of each new group came
    goes_on = parent[new] == old
    return np.asarray((heir[old] != new) | ~goes_on)


def _rows(snapshot: Snapshot, said: Sequence[Statement], answers: set[int]) -> dict[int, np.ndarray]:
    """Positions of the items that each of these answers speaks of."""
    items: dict[int, set[int]] = {answer: set() for answer in answers}
    for one in said:
        if one.answer in items:
            items[one.answer] |= {one.a, one.b} & snapshot.position.keys()
    return {
        answer: np.array([snapshot.position[item] for item in shown], dtype=np.int64) for answer, shown in items.items()
    }

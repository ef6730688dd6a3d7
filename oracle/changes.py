"""What the last answers changed: the log replayed over one snapshot, an answer at a time.

Costs one inference per answer, so it belongs in the background; what an earlier replay found is handed in and kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from db.nouns import Snapshot, Statement
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.quality import doubts

LAST = 100  # answers: (1 - 2/21)^100 = .00005 of the weighted mean is older


@dataclass(frozen=True)
class Change:
    """One answer's effect. changed: whether an item it shows is in another group since. unsettled: doubt left, [0, 1].

    groups: how many there are after it.
    """

    answer: int
    changed: bool
    unsettled: float
    groups: int


def replay(
    snapshot: Snapshot,
    said: Sequence[Statement],
    *,
    known: Mapping[int, Change] | None = None,
    last: int = LAST,
    graph: Callable[[Sequence[Statement]], ConstraintGraph] = ConstraintGraph.build,
    told: Callable[[int, int], object] = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Change]:
    """The effect of the last answers, oldest first. known: effects found before, by answer; they are not redone.

    told: called with (answers done, of how many). stopped: ask to end early; what was found so far is returned.
    """
    answers = sorted({one.answer for one in said})[-last:]
    found = {answer: known[answer] for answer in answers if known and answer in known}
    todo = [answer for answer in answers if answer not in found]
    if not todo:
        return [found[answer] for answer in answers]
    by_answer: dict[int, list[Statement]] = {answer: [] for answer in answers}
    for one in said:
        if one.answer in by_answer:
            by_answer[one.answer].append(one)
    ledger = graph([one for one in said if one.answer < todo[0]])
    before = infer(snapshot, ledger).labels
    for done, answer in enumerate(one for one in answers if one >= todo[0]):
        if stopped():
            break
        told(done, len(answers))
        ledger.update(by_answer[answer])
        belief = infer(snapshot, ledger)
        rows = _rows(snapshot, by_answer[answer])
        changed = bool(moved(before, belief.labels)[rows].any())
        found[answer] = Change(answer, changed, float(doubts(belief).mean()), len(np.unique(belief.labels)))
        before = belief.labels
    return [found[answer] for answer in answers if answer in found]


def moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(N,) bool: items in another group than before. Names do not count: a group goes on where most of it went."""
    old, new = (np.unique(labels, return_inverse=True)[1] for labels in (before, after))
    shape = (int(old.max(initial=0)) + 1, int(new.max(initial=0)) + 1)
    table = sparse.coo_matrix((np.ones(len(old)), (old, new)), shape=shape).tocsr()
    heir = np.asarray(table.argmax(1)).ravel()  # where most of each old group went
    parent = np.asarray(table.argmax(0)).ravel()  # whence most of each new group came
    goes_on = parent[new] == old
    return np.asarray((heir[old] != new) | ~goes_on)


def _rows(snapshot: Snapshot, said: Sequence[Statement]) -> np.ndarray:
    items = {item for one in said for item in (one.a, one.b)}
    return np.array([snapshot.position[item] for item in items if item in snapshot.position], dtype=np.int64)

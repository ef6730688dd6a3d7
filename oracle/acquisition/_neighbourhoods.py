"""Neighbourhoods, and placing items among them: the loop several rules of the literature share.

A neighbourhood is a set of items that answers keep together; every two neighbourhoods are known to differ. An item is
placed by comparing it with one member of each until one is "the same"; if none is, it founds a neighbourhood.
Source: Basu, Banerjee and Mooney 2004, "Active semi-supervision for pairwise constrained clustering", SDM.
Differs: nothing is kept between calls, neighbourhoods are read off the constraint graph, so answers that came from
elsewhere count as well; the representative of a neighbourhood is its member nearest to the item.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from db.errors import BadInput
from db.nouns import Kind, Question, Snapshot, Verdict
from oracle.acquisition._screens import Desk, chance_same, question
from oracle.belief import Belief
from oracle.constraints import ConstraintGraph

BEGUN = "This one is half placed: earlier answers ruled some groups out, does it belong with one of these?"


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """What is known so far.

    rows: positions of the members, one array per neighbourhood, the largest first. of: (N,) neighbourhood of each row,
    -1 outside. begun: rows of parts compared with some neighbourhoods and in none, the most compared first.
    """

    rows: list[np.ndarray]
    of: np.ndarray
    begun: list[int]

    @property
    def unplaced(self) -> np.ndarray:
        """Rows in no neighbourhood."""
        return np.flatnonzero(self.of < 0)


def neighbourhoods(snapshot: Snapshot, graph: ConstraintGraph) -> Neighbourhoods:
    """Each part is a neighbourhood if answers keep it apart from all before it.

    The largest come first; of equals those told apart from most others, lest an item that is half placed takes the
    place of neighbourhoods it was not compared with yet.
    """
    found: list[np.ndarray] = []
    waiting: list[tuple[int, int]] = []
    pieces = parts(snapshot, graph)
    size, denied = np.array([len(part) for part in pieces]), _times_denied(snapshot, graph, pieces)
    for part in (pieces[place] for place in np.lexsort((-denied, -size))):
        item = int(snapshot.ids[part[0]])
        apart = sum(graph.relation(item, int(snapshot.ids[other[0]])) is Verdict.DIFFERENT for other in found)
        if apart == len(found):
            found.append(part)
        elif apart or len(part) > 1:
            waiting.append((-apart, int(part[0])))
    of = np.full(len(snapshot.ids), -1)
    for place, rows in enumerate(found):
        of[rows] = place
    return Neighbourhoods(found, of, [row for _, row in sorted(waiting)])


def _times_denied(snapshot: Snapshot, graph: ConstraintGraph, pieces: list[np.ndarray]) -> np.ndarray:
    """(P,) from how many other parts answers tell each apart."""
    of = {int(snapshot.ids[row]): place for place, rows in enumerate(pieces) for row in rows}
    a, b, sign, _ = graph.arrays()
    told = zip(a[sign < 0].tolist(), b[sign < 0].tolist(), strict=True)
    pairs = {(of[one], of[other]) for one, other in told if one in of and other in of}
    apart = {pair for one, other in pairs if one != other for pair in ((one, other), (other, one))}
    return np.bincount([one for one, _ in apart], minlength=len(pieces)).astype(np.int64)


def parts(snapshot: Snapshot, graph: ConstraintGraph) -> list[np.ndarray]:
    """Rows that trusted answers join, and rows that were only told apart, alone; the largest first, then by row."""
    place = snapshot.position
    joined = [sorted(place[item] for item in part if item in place) for part in graph.trusted_components()]
    a, b, _, _ = graph.arrays()
    asked = {place[item] for item in np.union1d(a, b).tolist() if item in place}
    alone = asked.difference(*joined)
    found = [part for part in joined if part] + [[row] for row in alone]
    return [np.array(part) for part in sorted(found, key=lambda part: (-len(part), part[0]))]


def asked_rows(snapshot: Snapshot, graph: ConstraintGraph) -> np.ndarray:
    """(N,) bool: items anything was answered about, "unsure" too."""
    said = np.unique([item for one in graph.statements for item in (one.a, one.b)]).astype(np.int64)
    return np.isin(snapshot.ids, said)


@dataclass(frozen=True, eq=False)
class Round:
    """What every question of one call shares."""

    snapshot: Snapshot
    graph: ConstraintGraph
    belief: Belief
    known: Neighbourhoods
    screen: int
    criterion: int
    proposer: str
    reason: str

    def place(self, rows: Sequence[int], order: Callable[[int], np.ndarray], n: int) -> list[Question]:
        """Up to n screens: an item beside a representative of each neighbourhood that may hold it, likeliest first.

        rows: items to place, best first; half placed ones go before them. order: places of the
        neighbourhoods, the likeliest first, for a row. Neighbours of an item wait for another round. While fewer than
        two neighbourhoods are known, the rows that come next stand in for them.
        """
        desk, found = Desk(self.snapshot, self.graph), list[Question]()
        passed = np.zeros(len(self.snapshot.ids), dtype=bool)
        half = dict.fromkeys(self.known.begun)
        for row in [*half, *(row for row in rows if row not in half)]:
            if len(found) >= n:
                break
            beside = [] if passed[row] else self._line_up(desk, row, order, rows)
            if beside:
                passed[self.snapshot.neighbours[row]] = passed[row] = True
                desk.take(row, beside)
                found.append(self._ask(row, beside, BEGUN if row in half else self.reason))
        return found

    def by_nearest(self, row: int) -> np.ndarray:
        """Places of the neighbourhoods in order of their member nearest to a row."""
        cosine = self.snapshot.vectors @ self.snapshot.vectors[row]
        return np.argsort([-float(cosine[members].max()) for members in self.known.rows], kind="stable")

    def _line_up(self, desk: Desk, row: int, order: Callable[[int], np.ndarray], spare: Sequence[int]) -> list[int]:
        beside: list[int] = []
        for place in order(row) if self.known.rows else ():
            if len(beside) >= self.screen:
                break
            members = self.known.rows[int(place)]
            beside += nearest(self.snapshot, row, members[desk.open_rows(row)[members]], 1)
        if len(self.known.rows) < 2:
            free = (other for other in spare if desk.open_rows(row)[other] and other not in beside)
            beside += [other for _, other in zip(range(self.screen - len(beside)), free, strict=False)]
        return beside

    def _ask(self, row: int, beside: list[int], reason: str) -> Question:
        kind = Kind.PAIR if len(beside) == 1 else Kind.TICK
        expected = chance_same(self.belief, row, np.array(beside))
        return question(self.snapshot, kind, row, beside, criterion=self.criterion, proposer=self.proposer,
                        reason=reason, expected=expected)  # fmt: skip


def nearest(snapshot: Snapshot, row: int, rows: np.ndarray, count: int) -> list[int]:
    """The rows nearest to a row, at most `count`."""
    cosine = snapshot.vectors[rows] @ snapshot.vectors[row]
    return [int(other) for other in rows[np.argsort(-cosine, kind="stable")[:count]]]


def farthest_first(snapshot: Snapshot, covered: np.ndarray, pool: np.ndarray, count: int, first: int) -> list[int]:
    """Rows of the pool, each the one farthest from everything covered and chosen before it.

    covered: rows, may be empty; then the pool's place `first` is chosen first.
    Source: Gonzalez 1985, "Clustering to minimize the maximum intercluster distance".
    """
    near = np.full(len(pool), -np.inf)  # (M,) cosine to the nearest covered row
    if len(covered):
        near = (snapshot.vectors[pool] @ snapshot.vectors[covered].T).max(1)
    chosen: list[int] = []
    while len(chosen) < min(count, len(pool)):
        at = int(near.argmin()) if len(covered) or chosen else first
        chosen.append(int(pool[at]))
        near = np.maximum(near, snapshot.vectors[pool] @ snapshot.vectors[pool[at]])
        near[at] = np.inf
    return chosen


def typicality(snapshot: Snapshot) -> np.ndarray:
    """(N,) one over the mean distance to the nearest neighbours; 0 without any."""
    if not snapshot.neighbours.shape[1]:
        return np.zeros(len(snapshot.ids))
    distance = np.sqrt(np.maximum(2.0 - 2.0 * snapshot.cosines.astype(np.float64), 0.0)).mean(1)
    return np.asarray(1.0 / np.maximum(distance, 1e-9))


def all_at_least(least: float, /, **settings: float) -> None:
    """Refuse settings below their smallest value. Raises: BadInput."""
    for name, value in settings.items():
        if not value >= least:
            raise BadInput(f"{name} = {least} or more expected, got {value}. Give a larger one.")

"""Cut the items into small even parts and join the parts by asking about their most central items.

    repeat   take the largest part; halve it, then its smaller half, until the centres of two halves are "the same":
             after l halvings cut it into 2^max(l, 1) parts by k-means, each a group of its own
             join groups, closest first, while their centres are "the same"

Groups are as close as the means of their closest parts; the centre of a part is its item nearest to the mean.
Source: Van Craenendonck, Dumančić, Van Wolputte and Blockeel 2018, "COBRAS: interactive clustering with pairwise
queries", IDA; arXiv 1803.11060. The authors' code: PyPI cobras-ts.
Differs: nothing is kept between calls, the whole run is played again with the answers (and what they imply), and the
first pair nobody has answered is the question; contradicted pairs count by their net evidence, pairs answered "unsure"
as different; parts whose items answers have joined already are not cut; of two groups those two centres are shown that
are closest, where the authors' code takes the first of each. To fill a round or a screen, the run goes on as the model
expects; joining shows one centre beside those of several groups.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import chain, islice, product

import numpy as np
from scipy.spatial.distance import cdist

from db.nouns import Kind, Question, Snapshot, Verdict
from oracle.acquisition._clusters import Cuts, cuts_of
from oracle.acquisition._neighbourhoods import all_at_least, parts
from oracle.acquisition._screens import chance_same, question
from oracle.belief import infer
from oracle.bounds import Whole
from oracle.constraints import ConstraintGraph

CUT = "These are typical of two halves of a large group: should it be taken apart?"
JOIN = "These are typical of groups that lie close together: are they the same thing?"


@dataclass(frozen=True)
class Acquisition:
    """seed: of k-means. screen: most groups whose centres are shown beside one centre."""

    seed: Whole = 0
    screen: int = 12

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen)

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, in the order the run comes upon them."""
        found: list[Question] = []
        if not len(snapshot.ids):
            return found
        for query in islice(_Run(snapshot, graph, cuts_of(snapshot, self.seed), self.screen).queries(), n):
            kind = Kind.PAIR if len(query.beside) == 1 else Kind.TICK
            found.append(
                question(snapshot, kind, query.centre, query.beside, criterion=criterion, proposer="cobras",
                         reason=query.reason, expected=query.expected)
            )  # fmt: skip
        return found


@dataclass(frozen=True)
class _Query:
    centre: int
    beside: list[int]
    expected: np.ndarray
    reason: str


Step = Generator[_Query, None, bool]


class _Run:
    """The run from its start: yields what nobody has answered, and goes on as the model expects."""

    def __init__(self, snapshot: Snapshot, graph: ConstraintGraph, cuts: Cuts, screen: int) -> None:
        self.snapshot, self.graph, self.cuts, self.screen = snapshot, graph, cuts, screen
        self.belief = infer(snapshot, graph)
        self.guessed: dict[tuple[int, int], bool] = {}
        self.clusters: list[list[np.ndarray]] = [[np.arange(len(snapshot.ids))]]
        self.apart = np.zeros((1, 1), dtype=bool)  # groups known to differ
        self.part_of = -1 - np.arange(len(snapshot.ids))  # a number of its own for whom no answer joins
        for number, rows in enumerate(parts(snapshot, graph)):
            self.part_of[rows] = number
        self.whole: set[int] = set()  # centres of parts that k-means cannot cut

    def queries(self) -> Iterator[_Query]:
        """Unanswered pairs, in the order of the run, to its end: every part a single item, or joined by answers."""
        while (place := self._largest()) is not None:
            rows = self.clusters[place[0]][place[1]]
            level = yield from self._level(rows)
            self._cut(*place, min(len(rows), 2**level))
            yield from self._join_groups()

    def _largest(self) -> tuple[int, int] | None:
        sizes = [(len(rows), -group, -at) for group, cluster in enumerate(self.clusters)
                 for at, rows in enumerate(cluster) if self._may_be_cut(rows)]  # fmt: skip
        return (-max(sizes)[1], -max(sizes)[2]) if sizes else None

    def _may_be_cut(self, rows: np.ndarray) -> bool:
        return bool((self.part_of[rows] != self.part_of[rows[0]]).any()) and self.cuts.medoid(rows) not in self.whole

    # cutting ------------------------------------------------------------------------------------------------------
    def _level(self, rows: np.ndarray) -> Generator[_Query, None, int]:
        """How often to halve a part, 1 or more."""
        level = 0
        while len(rows) > 1 and len(halves := self.cuts.cut(rows, 2)) == 2:
            one, other = map(self.cuts.medoid, halves)
            if (yield from self._same(one, [other], CUT)):
                break
            level += 1
            rows = min((half for half in halves if len(half) > 1), key=len, default=rows[:1])
        return max(level, 1)

    def _cut(self, group: int, at: int, k: int) -> None:
        """The pieces become groups of their own, behind the others; what is left of the group forgets who differs."""
        rows = self.clusters[group][at]
        pieces = self.cuts.cut(rows, k)
        if len(pieces) == 1:  # it stays where it is
            self.whole.add(self.cuts.medoid(rows))
            return
        del self.clusters[group][at]
        self.apart[group] = self.apart[:, group] = False
        kept = np.array([other for other, cluster in enumerate(self.clusters) if cluster], dtype=np.int64)
        self.clusters = [self.clusters[other] for other in kept] + [[piece] for piece in pieces]
        apart = np.zeros((len(self.clusters), len(self.clusters)), dtype=bool)
        apart[: len(kept), : len(kept)] = self.apart[np.ix_(kept, kept)]
        self.apart = apart

    # joining ------------------------------------------------------------------------------------------------------
    def _join_groups(self) -> Iterator[_Query]:
        centres = [np.array([self.cuts.medoid(rows) for rows in cluster]) for cluster in self.clusters]
        near = _closeness([np.array([self.snapshot.vectors[rows].mean(0) for rows in own]) for own in self.clusters])
        while len(near) > 1:
            open_ = np.where(self.apart, -np.inf, near)
            x, y = map(int, np.unravel_index(open_.argmax(), open_.shape))
            if open_[x, y] == -np.inf:
                return
            if (yield from self._linked(centres, open_, x, y)):
                self.clusters[x] += self.clusters[y]
                centres[x] = np.concatenate([centres[x], centres.pop(y)])
                near, self.apart = _merged(near, x, y, np.maximum), _merged(self.apart, x, y, np.logical_or)
                np.fill_diagonal(near, -np.inf)
                del self.clusters[y]
            else:
                self.apart[x, y] = self.apart[y, x] = True

    def _linked(self, centres: list[np.ndarray], open_: np.ndarray, x: int, y: int) -> Step:
        """Whether two groups are one: by what is known of any two of their centres, else by asking the closest two."""
        one, other = self._closest(centres[x], centres[y])
        pairs = chain([(one, other)], product(centres[x].tolist(), centres[y].tolist()))
        known = next((told for pair in pairs if (told := self._known(*pair)) is not None), None)
        if known is not None:
            return known
        others = [int(z) for z in np.argsort(-open_[x], kind="stable")[: self.screen + 1] if open_[x, z] > -np.inf]
        beside = [other] + [self._closest(np.array([one]), centres[z])[1] for z in others if z != y]
        return (yield from self._same(one, beside[: self.screen], JOIN))

    def _closest(self, one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
        cosine = self.snapshot.vectors[one] @ self.snapshot.vectors[other].T
        a, b = np.unravel_index(cosine.argmax(), cosine.shape)
        return int(one[a]), int(other[b])

    # answers ------------------------------------------------------------------------------------------------------
    def _same(self, centre: int, beside: list[int], reason: str) -> Step:
        """Whether the first of `beside` is the same as the centre; the unknown among the rest share its screen."""
        known = self._known(centre, beside[0])
        if known is not None:
            return known
        shown = [row for row in beside if self._known(centre, row) is None]
        expected = chance_same(self.belief, centre, np.array(shown))
        self.guessed |= {_pair(centre, row): bool(p >= 0.5) for row, p in zip(shown, expected, strict=True)}
        yield _Query(centre, shown, expected, reason)
        return self.guessed[_pair(centre, beside[0])]

    def _known(self, one: int, other: int) -> bool | None:
        a, b = int(self.snapshot.ids[one]), int(self.snapshot.ids[other])
        verdict = self.graph.relation(a, b)
        if verdict is not None:
            return verdict is Verdict.SAME
        if self.graph.asked(a, b):
            return self.graph.evidence(a, b) > 0
        return self.guessed.get(_pair(one, other))


def _pair(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


def _closeness(means: list[np.ndarray]) -> np.ndarray:
    """(C, C) minus the distance of the closest two parts of every two groups; -inf on the diagonal.

    means: (P, D) of the parts of each group.
    """
    flat = np.concatenate(means).astype(np.float64)
    starts = np.cumsum([0, *map(len, means[:-1])])
    near = np.maximum.reduceat(np.maximum.reduceat(-cdist(flat, flat), starts, axis=0), starts, axis=1)
    np.fill_diagonal(near, -np.inf)
    return np.asarray(near)


def _merged(table: np.ndarray, x: int, y: int, how: np.ufunc) -> np.ndarray:
    """A symmetric table of groups after y joined x."""
    joined = table.copy()
    joined[x] = joined[:, x] = how(table[x], table[y])
    joined[x, x] = False if table.dtype == bool else -np.inf
    return np.delete(np.delete(joined, y, axis=0), y, axis=1)

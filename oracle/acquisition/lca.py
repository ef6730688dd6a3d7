"""Ask the pair that decides between the current groups and their best local alternative.

    w(a, b)       = log of p(cosine | same group) / p(cosine | different groups), among neighbours, within ±limit
    pull(A, B)    = mean of w over the pairs between A and B + sum of the evidence of the answers about them
    score         = sum of pulls inside groups - sum of pulls between groups
    alternatives  = a part moves to another group, a part leaves for itself, two groups become one
    gain          = score of the alternative - score of the groups as they are

The alternative with gain nearest to 0 comes first, the least decided one: of the pairs on which the two differ, the
open one with w nearest to 0 is asked. Parts are single items, or items that answers have joined. Pairs are those of the
neighbour graph and those with answers.
Source: Stewart, Parham, Holmberg and Berger-Wolf 2021, "The animal ID problem: continual curation", arXiv 2106.10377
(local clusters and their alternatives). The authors' code: WildMeOrg/wbia-plugin-lca, where no w exceeds the weight of
an answer, and of the pairs on which two clusterings differ those without w come first, then those with the largest |w|.
Differs: our groups hold hundreds of items where animals have ten pictures, so the opinions w of many alike pairs count
once, as their mean, beside what people said; w is fitted to the current groups; only pairs with w are asked, w nearest
to 0 first; alternatives differ by one step instead of being searched by merging and splitting; the partition is the
belief's, so one that scores higher is not adopted, but it ranks as the way back would after adopting it: by -gain.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._neighbourhoods import all_at_least, parts
from oracle.acquisition._screens import Desk, chance_same, generator, question
from oracle.belief import Belief, infer
from oracle.bounds import Weight, Whole
from oracle.constraints import ConstraintGraph

MOVE = "The groups would make nearly as much sense if this one were elsewhere: this decides it."
JOIN = "The groups would make nearly as much sense if these two were one: this decides it."


@dataclass(frozen=True)
class Acquisition:
    """seed: breaks ties. screen: most candidates on one screen. limit: most nats a cosine weighs.

    near: nearest neighbours of each item that make pairs.
    """

    seed: Whole = 0
    screen: int = 12
    limit: Weight = 2.0
    near: int = 10

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen, near=self.near)
        all_at_least(0, limit=self.limit)

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, the closest decision first; an item is decided about once in a round."""
        belief, desk = infer(snapshot, graph), Desk(snapshot, graph)
        table = Alternatives(belief, graph, parts(snapshot, graph), self.limit, self.near)
        found: list[Question] = []
        passed = np.zeros(len(snapshot.ids), dtype=bool)
        for one in table.best_first(generator(self.seed, graph)):
            if len(found) >= n:
                break
            anchor, rows = table.deciding(one, desk, passed, self.screen)
            if rows:
                passed[[anchor, *rows]] = True
                desk.take(anchor, rows)
                kind = Kind.PAIR if len(rows) == 1 else Kind.TICK
                found.append(
                    question(snapshot, kind, anchor, rows, criterion=criterion, proposer="lca",
                             reason=JOIN if one.part < 0 else MOVE,
                             expected=chance_same(belief, anchor, np.array(rows)))
                )  # fmt: skip
        return found


@dataclass(frozen=True)
class Alternative:
    """gain: in nats. part: the one that moves, -1 where two groups become one. home, goal: groups, -1 for a new one."""

    gain: float
    part: int
    home: int
    goal: int


class Alternatives:
    """The weighted pairs of a belief, its groups, and what a step away from them would gain."""

    def __init__(
        self, belief: Belief, graph: ConstraintGraph, joined: list[np.ndarray], limit: float, near: int
    ) -> None:
        self.group = np.unique(belief.labels, return_inverse=True)[1]  # (N,)
        self.part = _numbered(joined, len(self.group))  # (N,)
        self.home = np.zeros(int(self.part.max(initial=-1)) + 1, dtype=np.int64)  # (P,)
        self.home[self.part] = self.group
        self.weights, self.told = weights(belief, graph, self.group, limit, near)  # (N, N) symmetric, nats

    def _pulls(self, one: np.ndarray, within: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Number, group and pull for every two sides that have pairs. one: (N,) numbers, compared with the groups.

        within: (N,) numbers; pairs inside one of them do not count.
        """
        pairs = self.weights.tocoo()
        kept = np.ones(pairs.nnz, dtype=bool) if within is None else within[pairs.row] != within[pairs.col]
        row, col = pairs.row[kept], pairs.col[kept]
        told = np.asarray(self.told[row, col]).ravel() if len(row) else np.zeros(0)
        width = int(self.group.max(initial=-1)) + 1
        key, place, count = np.unique(one[row] * width + self.group[col], return_inverse=True, return_counts=True)
        pull = np.bincount(place, pairs.data[kept], len(key)) / count + np.bincount(place, told, len(key))
        return key // width, key % width, pull

    def best_first(self, rng: np.random.Generator) -> Iterator[Alternative]:
        """Every step, the least decided first."""
        part, goal, gain = self._moves()
        one, other, pull = self._pulls(self.group, self.group)
        once = one < other
        steps = [np.column_stack([part, self.home[part], goal]),
                 np.column_stack([np.full(int(once.sum()), -1), one[once], other[once]])]  # fmt: skip
        gains = np.concatenate([gain, 2.0 * pull[once]])
        who = np.concatenate(steps).astype(np.int64)
        for at in np.lexsort((rng.random(len(gains)), np.round(np.abs(gains), 9))):
            yield Alternative(float(gains[at]), *map(int, who[at]))

    def _moves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Part, goal (-1: a group of its own) and gain of every move along a pair."""
        part, goal, pull = self._pulls(self.part, self.part)
        stays = np.zeros(len(self.home))  # (P,) pull of home
        at_home = goal == self.home[part]
        stays[part[at_home]] = pull[at_home]
        part = np.concatenate([part[~at_home], part[at_home]])
        gain = 2.0 * (np.concatenate([pull[~at_home], np.zeros(int(at_home.sum()))]) - stays[part])
        return part, np.concatenate([goal[~at_home], np.full(int(at_home.sum()), -1)]), gain

    def deciding(self, step: Alternative, desk: Desk, passed: np.ndarray, screen: int) -> tuple[int, list[int]]:
        """The item and the rows whose pairs decide most: those with weight nearest to 0; no rows if none is open."""
        own = self.part == step.part if step.part >= 0 else self.group == step.home
        sides = (self.group == step.goal) | ((self.group == step.home) if step.part >= 0 else False)
        best: tuple[float, int, list[int]] = (np.inf, -1, [])
        for row in np.flatnonzero(own & ~passed):
            links = slice(self.weights.indptr[row], self.weights.indptr[row + 1])
            rows, sure = self.weights.indices[links], np.abs(self.weights.data[links])
            fits = sides[rows] & ~own[rows] & ~passed[rows]
            if not fits.any() or sure[fits].min() >= best[0]:
                continue
            rows, sure = rows[fits], sure[fits]
            kept = desk.open_rows(int(row))[rows]
            if kept.any() and sure[kept].min() < best[0]:
                order = np.lexsort((rows[kept], sure[kept]))[:screen]
                best = (float(sure[kept].min()), int(row), [int(other) for other in rows[kept][order]])
        return best[1], best[2]


def weights(
    belief: Belief, graph: ConstraintGraph, group: np.ndarray, limit: float, near: int
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """(N, N) symmetric, in nats: what the cosines of neighbours and of answered pairs say, and what people said."""
    snapshot, count = belief.snapshot, len(group)
    a, b, sign, nats = graph.arrays()
    known = np.isin(a, snapshot.ids) & np.isin(b, snapshot.ids)
    one, other = np.searchsorted(snapshot.ids, a[known]), np.searchsorted(snapshot.ids, b[known])
    told = sparse.csr_matrix(((sign * nats)[known], (one, other)), (count, count))
    beside = snapshot.neighbours[:, :near]
    rows = np.concatenate([np.repeat(np.arange(count), beside.shape[1]), one])
    cols = np.concatenate([beside.ravel(), other])
    key = np.unique(np.minimum(rows, cols) * count + np.maximum(rows, cols))
    low, high = key // count, key % count
    cosine = np.einsum("md,md->m", snapshot.vectors[low], snapshot.vectors[high])
    opinion = np.clip(likelihood_ratio(cosine, group[low] == group[high]), -limit, limit)
    both = np.concatenate([low, high]), np.concatenate([high, low])  # not a sum of two matrices: that drops zeros
    return sparse.csr_matrix((np.tile(opinion, 2), both), (count, count)), (told + told.T).tocsr()


def likelihood_ratio(cosine: np.ndarray, same: np.ndarray) -> np.ndarray:
    """(M,) log p(cosine | same) / p(cosine | different), linear in the cosine; 0 where all pairs are of one kind."""
    if same.all() or not same.any():
        return np.zeros(len(cosine))
    fitted = LogisticRegression(class_weight="balanced").fit(100.0 * cosine[:, None], same)
    return np.asarray(fitted.decision_function(100.0 * cosine[:, None]))


def _numbered(joined: list[np.ndarray], count: int) -> np.ndarray:
    """(N,) number of the part an item is in; items no answer joins are parts of their own."""
    part = np.full(count, -1)
    for number, rows in enumerate(joined):
        part[rows] = number
    part[part < 0] = len(joined) + np.arange(int((part < 0).sum()))
    return part

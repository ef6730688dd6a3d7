"""Contradictions among the answers, and which answers are the likeliest to be wrong.

A contradiction is a pair said to be different although a chain of "same" joins its ends, or a pair about which
answers disagree. For each, the weakest set of positive edges between the ends (minimum cut) is weighed against all
negative evidence across it; the lighter side is suspected, both if they weigh the same. So two lies that join two
groups do not outweigh five answers that keep them apart. Nothing is resolved here: suspects become questions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import chain

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from oracle.evidence import Pair, pair_of

LogOdds = Callable[[int, int], float]  # the model's own log-odds that two items are the same
GRAIN = 256  # cuts are computed on whole numbers: 1/256 nat
HEAVIEST = 400 * GRAIN


@dataclass(frozen=True)
class Conflict:
    """One contradiction.

    a, b: the pair whose direct evidence is contradicted. against, support: nats for different (the direct answers, or
    all that crosses the weakest cut, if more) and for same (direct answers plus the weakest cut of the chains).
    suspects: pairs worth asking again, the most doubtful first.
    answers: ids of the answers involved. settled: answers disagreed, and one side now leads by an answer's worth.
    """

    a: int
    b: int
    against: float
    support: float
    suspects: tuple[Pair, ...]
    answers: tuple[int, ...] = ()
    settled: bool = False


@dataclass(frozen=True)
class Cut:
    """The lightest way to part two items. support: its weight; against: of the negative pairs that cross it; in 1/256
    nat. edges: the positive pairs on it, of all equally good cuts."""

    support: int
    against: int
    edges: tuple[Pair, ...]


class Cutter:
    """Minimum cuts between members of one component, each worked out once.

    weights: nats of every positive edge, keyed by sorted pair; at least a grain each. denied: nats of every negative
    pair inside; cuts and chains are between their ends. Equal to another if it cuts alike.
    """

    def __init__(self, members: Sequence[int], weights: Mapping[Pair, float], denied: Mapping[Pair, float]) -> None:
        self._items = np.sort(np.array(members, dtype=np.int64))
        self._pairs, ends, whole = self._laid_out({edge: max(nats, 1 / GRAIN) for edge, nats in weights.items()})
        ends_of = np.unique(np.fromiter(chain.from_iterable(denied), np.int64, 2 * len(denied)))
        kept = _on_a_way(ends, len(self._items), np.searchsorted(self._items, ends_of))
        self._pairs, whole = self._pairs[kept], whole[kept]
        self._items = np.union1d(self._pairs, ends_of)
        self._ends = np.searchsorted(self._items, self._pairs).astype(np.int32)
        _, self._denied, self._against = self._laid_out(denied)
        rows, columns = np.concatenate([self._ends, self._ends[:, ::-1]]).T
        shape = (len(self._items), len(self._items))
        self._capacity = csr_array((np.concatenate([whole, whole]), (rows, columns)), shape=shape)
        self._capacity.sort_indices()
        self._cuts: dict[Pair, Cut] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cutter):
            return NotImplemented
        return all(map(np.array_equal, self._content(), other._content()))

    __hash__ = None  # type: ignore[assignment]  # nobody looks one up

    def _content(self) -> tuple[np.ndarray, ...]:
        return self._items, self._pairs, self._capacity.data, self._denied, self._against

    def _laid_out(self, nats: Mapping[Pair, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(M, 2) pairs, (M, 2) rows of their ends and (M,) weight in whole grains, sorted by pair."""
        pairs = np.fromiter(chain.from_iterable(nats), np.int64, 2 * len(nats)).reshape(-1, 2)
        weight = np.fromiter(nats.values(), np.float64, len(nats))
        order = np.lexsort(pairs.T[::-1])
        order = order[weight[order] > 0]
        whole = np.clip(np.rint(weight[order] * GRAIN), 1, HEAVIEST).astype(np.int32)
        return pairs[order], np.searchsorted(self._items, pairs[order]).astype(np.int32), whole

    def _row(self, item: int) -> int:
        return int(np.searchsorted(self._items, item))

    def chain(self, a: int, b: int) -> list[Pair]:
        """A shortest chain of positive edges from a to b."""
        start, here = self._row(a), self._row(b)
        before = breadth_first_order(self._capacity, start, return_predecessors=True)[1]
        edges = []
        while here != start:
            edges.append(pair_of(int(self._items[before[here]]), int(self._items[here])))
            here = int(before[here])
        return edges[::-1]

    def cut(self, a: int, b: int) -> Cut:
        """Of all lightest cuts between a and b, those that most negative evidence crosses."""
        if (a, b) not in self._cuts:
            self._cuts[a, b] = self._cut(self._row(a), self._row(b))
        return self._cuts[a, b]

    def _cut(self, start: int, end: int) -> Cut:
        flow = maximum_flow(self._capacity, start, end)
        left, links = self._left_over(flow.flow)
        _, strong = connected_components(left, directed=True, connection="strong")
        # (members,): the items up to any rank between start and end are one side
        rank = _ranks(strong[links], int(strong.max()) + 1)[strong]
        crossing = _crossing(rank[self._denied], self._against, int(rank.max()) + 1)[rank[start] : rank[end]]
        best = np.flatnonzero(crossing == crossing.max()) + rank[start]
        low, high = _sorted(rank[self._ends])
        on_best = np.searchsorted(best, low) < np.searchsorted(best, high)  # some best cut lies between the ends
        return Cut(int(flow.flow_value), int(crossing.max()), tuple(map(tuple, self._pairs[on_best].tolist())))

    def _left_over(self, flow: csr_array) -> tuple[csr_array, np.ndarray]:
        """What a flow leaves over, without the edges it fills, and (L, 2) rows of the others. Flow and capacity keep
        their edges in the same order."""
        whole = self._capacity
        left = csr_array((whole.data - flow.data, whole.indices.copy(), whole.indptr.copy()), shape=whole.shape)
        left.eliminate_zeros()
        rows = np.repeat(np.arange(len(self._items)), np.diff(left.indptr))
        return left, np.column_stack([rows, left.indices])


def _on_a_way(ends: np.ndarray, items: int, kept: np.ndarray) -> np.ndarray:
    """(M,) bool: edges that do not merely lead to a dead end. ends: (M, 2) rows; kept: rows between which ways matter.

    Nothing flows into a dead end, and its items stand on the same side of every lightest cut as the one it hangs on.
    """
    on, wanted = np.ones(len(ends), dtype=bool), np.zeros(items, dtype=bool)
    wanted[kept] = True
    while True:
        loose = (np.bincount(ends[on].ravel(), minlength=items) == 1) & ~wanted
        dead = on & loose[ends].any(1)
        if not dead.any():
            return on
        on &= ~dead


def _ranks(links: np.ndarray, parts: int) -> np.ndarray:
    """A place for every strong part of what the flow leaves over, such that nothing leads from a part to a later one.
    links: (L, 2) parts that its edges join.

    The items of the first k parts are then one side of a lightest cut, as long as they hold the start and not the end.
    """
    after: dict[int, set[int]] = {part: set() for part in range(parts)}
    for one, other in links[links[:, 0] != links[:, 1]].tolist():
        after[one].add(other)
    ranks = np.empty(len(after), dtype=np.int64)
    ranks[list(TopologicalSorter(after).static_order())] = np.arange(len(after))
    return ranks


def _sorted(ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the higher of two columns, row by row."""
    return np.minimum(ranks[:, 0], ranks[:, 1]), np.maximum(ranks[:, 0], ranks[:, 1])


def _crossing(ranks: np.ndarray, weight: np.ndarray, parts: int) -> np.ndarray:
    """(parts,) weight of the pairs that a cut right after each rank separates. ranks: (M, 2)."""
    low, high = _sorted(ranks)
    return np.cumsum(np.bincount(low, weight, parts) - np.bincount(high, weight, parts))


def suspected(pair: Pair, cut: Cut, weight: Callable[[Pair], float]) -> list[Pair]:
    """The lighter side of a contradiction, lightest pair first; both sides if they weigh the same."""
    suspects = [pair] if cut.against <= cut.support else []
    if cut.support <= cut.against:
        suspects += sorted(cut.edges, key=lambda edge: (weight(edge), edge))
    return suspects

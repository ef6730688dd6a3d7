"""Contradictions among the answers, and which answers are the likeliest to be wrong.

A contradiction is a pair said to be different although a chain of "same" joins its ends, or a pair about which
answers disagree. For each, the weakest set of positive edges between the ends (minimum cut) is weighed against all
negative evidence across it; the lighter side is suspected, both if they weigh the same. So two lies that join two
groups do not outweigh five answers that keep them apart. Nothing is resolved here: suspects become questions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_flow

from oracle.evidence import Pair

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
    """Minimum cuts between members of one component.

    weights: nats of every positive edge, keyed by sorted pair; at least a grain each. denied: nats of every negative
    pair inside.
    """

    def __init__(self, members: Sequence[int], weights: Mapping[Pair, float], denied: Mapping[Pair, float]) -> None:
        self._row = {item: row for row, item in enumerate(sorted(members))}
        self._edges = sorted(weights)
        self._ends, whole = self._laid_out({edge: max(nats, 1 / GRAIN) for edge, nats in weights.items()})
        self._denied, self._against = self._laid_out(denied)
        rows, columns = np.concatenate([self._ends, self._ends[:, ::-1]]).T
        shape = (len(self._row), len(self._row))
        self._capacity = csr_array((np.concatenate([whole, whole]), (rows, columns)), shape=shape)

    def _laid_out(self, nats: Mapping[Pair, float]) -> tuple[np.ndarray, np.ndarray]:
        """(M, 2) rows of the ends and (M,) whole grains, sorted by pair."""
        pairs = sorted(nats)
        ends = np.array([[self._row[a], self._row[b]] for a, b in pairs], dtype=np.int32).reshape(-1, 2)
        return ends, np.array([grains(nats[pair]) if nats[pair] > 0 else 0 for pair in pairs], dtype=np.int32)

    def cut(self, a: int, b: int) -> Cut:
        """Of all lightest cuts between a and b, those that most negative evidence crosses."""
        start, end = self._row[a], self._row[b]
        flow = maximum_flow(self._capacity, start, end)
        left = csr_array(self._capacity - flow.flow)
        left.eliminate_zeros()
        _, strong = connected_components(left, directed=True, connection="strong")
        rank = _ranks(left, strong)[strong]  # (members,): the items up to any rank between start and end are one side
        crossing = _crossing(rank[self._denied], self._against)[rank[start] : rank[end]]
        best = np.flatnonzero(crossing == crossing.max()) + rank[start]
        low, high = np.sort(rank[self._ends], axis=1).T
        on_best = np.searchsorted(best, low) < np.searchsorted(best, high)  # some best cut lies between the ends
        return Cut(
            int(flow.flow_value), int(crossing.max()), tuple(self._edges[row] for row in np.flatnonzero(on_best))
        )


def _ranks(left: csr_array, strong: np.ndarray) -> np.ndarray:
    """A place for every strong part of what the flow leaves over, such that nothing leads from a part to a later one.

    The items of the first k parts are then one side of a lightest cut, as long as they hold the start and not the end.
    """
    rows, columns = left.nonzero()
    after: dict[int, set[int]] = {part: set() for part in range(int(strong.max()) + 1)}
    for one, other in np.unique(strong[np.column_stack([rows, columns])], axis=0).tolist():
        if one != other:
            after[one].add(other)
    ranks = np.empty(len(after), dtype=np.int64)
    ranks[list(TopologicalSorter(after).static_order())] = np.arange(len(after))
    return ranks


def _crossing(ranks: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(parts,) weight of the pairs that a cut right after each rank separates. ranks: (M, 2)."""
    steps = np.zeros(int(ranks.max(initial=0)) + 2, dtype=np.int64)
    low, high = np.sort(ranks, axis=1).T
    np.add.at(steps, low, weight)
    np.add.at(steps, high, -weight)
    return np.cumsum(steps)


def grains(nats: float) -> int:
    """Evidence as a whole number of 1/256 nat, at least 1."""
    return max(1, min(HEAVIEST, round(nats * GRAIN)))


def suspected(pair: Pair, cut: Cut, weight: Callable[[Pair], float]) -> list[Pair]:
    """The lighter side of a contradiction, lightest pair first; both sides if they weigh the same."""
    suspects = [pair] if cut.against <= cut.support else []
    if cut.support <= cut.against:
        suspects += sorted(cut.edges, key=lambda edge: (weight(edge), edge))
    return suspects

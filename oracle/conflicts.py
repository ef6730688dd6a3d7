"""Contradictions among the answers, and which answers are the likeliest to be wrong.

A contradiction is a pair said to be different although a chain of "same" joins its ends, or a pair about which
answers disagree. For each, the weakest set of positive edges between the ends (minimum cut) is weighed against the
direct evidence; the lighter side is suspected, both if they weigh the same. Nothing is resolved here: suspects become
questions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_flow

from oracle.evidence import Pair

LogOdds = Callable[[int, int], float]  # the model's own log-odds that two items are the same
Cut = tuple[int, tuple[Pair, ...]]
GRAIN = 256  # cuts are computed on whole numbers: 1/256 nat
HEAVIEST = 400 * GRAIN


@dataclass(frozen=True)
class Conflict:
    """One contradiction.

    a, b: the pair whose direct evidence is contradicted. against, support: nats for different and for same (direct
    answers plus the weakest cut of the chains). suspects: pairs worth asking again, the most doubtful first.
    answers: ids of the answers involved. settled: answers disagreed, and one side now leads by an answer's worth.
    """

    a: int
    b: int
    against: float
    support: float
    suspects: tuple[Pair, ...]
    answers: tuple[int, ...] = ()
    settled: bool = False


class Cutter:
    """Minimum cuts between members of one component.

    weights: nats of every positive edge (> 0), keyed by sorted pair.
    """

    def __init__(self, members: Sequence[int], weights: Mapping[Pair, float]) -> None:
        self._row = {item: row for row, item in enumerate(sorted(members))}
        self._edges = sorted(weights)
        self._ends = np.array([[self._row[a], self._row[b]] for a, b in self._edges], dtype=np.int32).reshape(-1, 2)
        whole = np.array([grains(weights[edge]) for edge in self._edges], dtype=np.int32)
        rows, columns = np.concatenate([self._ends, self._ends[:, ::-1]]).T
        shape = (len(self._row), len(self._row))
        self._capacity = csr_array((np.concatenate([whole, whole]), (rows, columns)), shape=shape)

    def cut(self, a: int, b: int) -> Cut:
        """Weight of the lightest cut between a and b, in 1/256 nat, and every edge that lies on some lightest cut."""
        flow = maximum_flow(self._capacity, self._row[a], self._row[b])
        left = csr_array(self._capacity - flow.flow)
        left.eliminate_zeros()
        _, strong = connected_components(left, directed=True, connection="strong")
        u, v = self._ends.T
        crossing = strong[u] != strong[v]  # full one way, and no way round: on some lightest cut
        return int(flow.flow_value), tuple(self._edges[row] for row in np.flatnonzero(crossing))


def grains(nats: float) -> int:
    """Evidence as a whole number of 1/256 nat, at least 1."""
    return max(1, min(HEAVIEST, round(nats * GRAIN)))


def suspected(
    pair: Pair, direct: float, cut: int, edges: Sequence[Pair], weight: Callable[[Pair], float]
) -> list[Pair]:
    """The lighter side of a contradiction, lightest pair first; both sides if they weigh the same."""
    against = grains(direct)
    suspects = [pair] if against <= cut else []
    if cut <= against:
        suspects += sorted(edges, key=lambda edge: (weight(edge), edge))
    return suspects

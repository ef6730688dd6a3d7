"""Groups the answers themselves speak of: correlation clustering of the evidence, no embedding needed.

Noise is voted down by numbers instead of being closed transitively, so one wrong answer glues nothing.
"""

import numpy as np
import scipy.sparse as sparse

from oracle.contraction import contracted, links_of


def signed_evidence(a: np.ndarray, b: np.ndarray, nats: np.ndarray, count: int) -> sparse.csr_matrix:
    """Symmetric (count, count) matrix of net evidence. a, b: (M,) positions; nats: (M,) signed."""
    rows, columns, values = np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([nats, nats])
    return sparse.csr_matrix((values, (rows, columns)), shape=(count, count))


def answered_groups(evidence: sparse.csr_matrix, hints: sparse.csr_matrix | None = None) -> np.ndarray:
    """Group of each row, -1 where the answers do not say. (count,) int64, groups numbered by their oldest row.

    hints: symmetric (count, count) nats that join or part rows beside the evidence, but found no group by themselves.
    """
    group = _contracted(evidence if hints is None else (evidence + hints).tocsr())
    pulls = evidence.maximum(0).tocoo()
    inside = group[pulls.row] == group[pulls.col]
    held = np.bincount(group[pulls.row[inside]], pulls.data[inside], minlength=len(group) + 1) > 0
    return _renumber(_stand_alone(evidence, np.where(held[group], group, -1)))


def membership(group: np.ndarray, count: int) -> sparse.csr_matrix:
    """One-hot (N, count) of the rows that have a group."""
    rows = np.flatnonzero(group >= 0)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, group[rows])), shape=(len(group), count))


def _contracted(evidence: sparse.csr_matrix) -> np.ndarray:
    """(N,) group of each row after contraction, named after one of its rows."""
    links = sparse.triu(evidence, k=1).tocoo()
    pairs = zip(links.row.tolist(), links.col.tolist(), strict=True)
    found = contracted(links_of(zip(pairs, links.data.tolist(), strict=True)))
    group = np.arange(evidence.shape[0])
    group[np.fromiter(found, dtype=np.int64, count=len(found))] = list(found.values())
    return group


def _stand_alone(evidence: sparse.csr_matrix, group: np.ndarray) -> np.ndarray:
    """Rows that every group denies are groups of their own, oldest first."""
    names = np.unique(group[group >= 0])
    if not len(names):
        return group
    place = np.full(len(group) + 1, -1)
    place[names] = np.arange(len(names))
    votes = (evidence @ membership(place[group], len(names))).toarray()  # (N, G)
    alone: list[int] = []
    group = group.copy()
    for row in np.flatnonzero((group < 0) & (votes < 0).all(1)):
        if all(evidence[row, other] < 0 for other in alone):
            alone.append(int(row))
            group[row] = row
    return group


def _renumber(group: np.ndarray) -> np.ndarray:
    used, first = np.unique(group[group >= 0], return_index=True)
    order = np.argsort(first, kind="stable")
    number = np.full(int(group.max(initial=-1)) + 2, -1, dtype=np.int64)
    number[used[order]] = np.arange(len(used))
    return np.where(group >= 0, number[group], -1)

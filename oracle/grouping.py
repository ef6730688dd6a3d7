"""Groups the answers themselves speak of: correlation clustering of the evidence, no embedding involved.

Grow every group by net evidence, found a new one where nothing fits, let items change sides, join groups whose answers
say so. Noise is voted down by numbers instead of being closed transitively, so one wrong answer glues nothing.
"""

import numpy as np
import scipy.sparse as sparse

ROUNDS = 6
TIE = 1e-9  # nats; less is rounding


def signed_evidence(a: np.ndarray, b: np.ndarray, nats: np.ndarray, count: int) -> sparse.csr_matrix:
    """Symmetric (count, count) matrix of net evidence. a, b: (M,) positions; nats: (M,) signed."""
    rows, columns, values = np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([nats, nats])
    return sparse.csr_matrix((values, (rows, columns)), shape=(count, count))


def answered_groups(evidence: sparse.csr_matrix) -> np.ndarray:
    """Group of each row, -1 where the answers do not say. (count,) int64, groups numbered by their oldest row."""
    asked = np.flatnonzero(np.diff(evidence.indptr))
    found = np.full(evidence.shape[0], -1, dtype=np.int64)
    found[asked] = _renumber(_settled(evidence[asked][:, asked].tocsr()))
    return found


def _settled(evidence: sparse.csr_matrix) -> np.ndarray:
    """Grow, then change sides and join until nothing moves."""
    group = _grow(evidence)
    for _ in range(ROUNDS):
        moved = _join(evidence, _change_sides(evidence, group))
        if (moved == group).all():
            break
        group = moved
    return group


def membership(group: np.ndarray, count: int) -> sparse.csr_matrix:
    """One-hot (N, count) of the rows that have a group."""
    rows = np.flatnonzero(group >= 0)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, group[rows])), shape=(len(group), count))


def _grow(evidence: sparse.csr_matrix) -> np.ndarray:
    """Found a group, let everything it pulls follow, found the next."""
    positive = evidence.maximum(0)
    pull = np.asarray(positive.sum(1)).ravel()
    group = np.full(evidence.shape[0], -1, dtype=np.int64)
    best, denied = (
        np.zeros(len(group)),
        np.zeros(len(group), dtype=bool),
    )  # strongest pull so far; denied by every group
    count = 0
    while (seed := _founder(group, denied, positive, pull)) is not None:
        votes, joined = np.zeros(len(group)), np.array([seed])  # (N,) net nats for the new group
        while len(joined):
            group[joined] = count
            votes = evidence @ (group == count).astype(float)
            joined = np.flatnonzero((group < 0) & (votes > best + TIE))
        best, denied = np.maximum(best, votes), (votes < -TIE) & (denied | (count == 0))
        count += 1
    return group


def _founder(group: np.ndarray, denied: np.ndarray, positive: sparse.csr_matrix, pull: np.ndarray) -> int | None:
    """The free item with most "same" answers among free items; failing that, one known to differ from every group."""
    free = group < 0
    among = np.where(free & (pull > 0), positive @ free.astype(float), 0.0)
    if among.max(initial=0.0) > 0:
        return int(among.argmax())
    alone = np.flatnonzero(free & denied)
    return int(alone[0]) if len(alone) else None


def _change_sides(evidence: sparse.csr_matrix, group: np.ndarray) -> np.ndarray:
    """Each member goes where the net evidence is highest; the others judge with their own side of the last round."""
    count = int(group.max(initial=-1)) + 1
    if not count:
        return group
    votes = (evidence @ membership(group, count)).toarray()  # (N, G)
    best = votes.argmax(1)
    own = np.where(group >= 0, np.take_along_axis(votes, np.maximum(group, 0)[:, None], 1)[:, 0], -np.inf)
    top = votes[np.arange(len(group)), best]
    return np.where((group >= 0) & (top > np.maximum(own, 0) + TIE), best, group)


def _join(evidence: sparse.csr_matrix, group: np.ndarray) -> np.ndarray:
    """Join pairs of groups whose answers are on balance "same", strongest first."""
    while (count := int(group.max(initial=-1)) + 1) > 1:
        sides = membership(group, count)
        between = (sides.T @ evidence @ sides).toarray()
        np.fill_diagonal(between, 0.0)
        if between.max() <= TIE:
            return group
        keep, gone = sorted(divmod(int(between.argmax()), count))
        group = np.where(group == gone, keep, group)
        group = np.where(group > gone, group - 1, group)
    return group


def _renumber(group: np.ndarray) -> np.ndarray:
    used, first = np.unique(group[group >= 0], return_index=True)
    order = np.argsort(first, kind="stable")
    number = np.full(int(group.max(initial=-1)) + 2, -1, dtype=np.int64)
    number[used[order]] = np.arange(len(used))
    return np.where(group >= 0, number[group], -1)

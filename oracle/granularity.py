"""How closely the start clusters are to be looked at, and what a cluster that nobody was asked about may hold.

    kin_l = (HELD + sum_i share_i) / (HELD + A_l)     share_i: of the asked items that lie with i at level l but not at
                                                      the next, how many are in i's group; A_l: items that have any
    a level is left for the next, finer one while kin_l < ALIKE
    novel = groups met in one cluster only / (clusters met + 1)

Only items whose group answers support count. ALIKE is below one half: parts that two kinds share evenly are not read
apart, and items worth asking about lie between groups more often than others do.
Source of `novel`: Good 1953, "The population frequencies of species and the estimation of population parameters",
Biometrika 40, with clusters as draws and groups as species.
"""

import numpy as np

from db.nouns import Snapshot

HELD = 3.0  # asked items that count as alike before any was asked about
ALIKE = 0.4  # kin below which a level is too coarse


def fitting(snapshot: Snapshot, rows: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(N,) the start clusters, taken apart as far as asked items call for it. rows (A,), group (A,): what is known."""
    level = snapshot.start
    for finer in snapshot.finer:
        if kin(level[rows], finer[rows], group) >= ALIKE:
            break
        level = finer
    return level


def kin(cluster: np.ndarray, part: np.ndarray, group: np.ndarray) -> float:
    """Chance that two items of one cluster, but not of one part of it, are in one group. (A,) each."""
    others = _alike(cluster) - _alike(part)  # of the cluster, outside the part
    same = _alike(_both(cluster, group)) - _alike(_both(part, group))
    some = others > 0
    return float((HELD + (same[some] / others[some]).sum()) / (HELD + some.sum()))


def novel(cluster: np.ndarray, group: np.ndarray) -> float:
    """Chance that a cluster nobody was asked about holds a group not met yet. (A,) each, of what is known."""
    met = np.unique(_both(cluster, group), return_index=True)[1]
    once = (np.bincount(group[met]) == 1).sum()
    return float(once / (len(np.unique(cluster)) + 1))


def _both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(A,) one label for every two, both at least 0."""
    return np.asarray(one.astype(np.int64) * (other.max(initial=0) + 1) + other)


def _alike(label: np.ndarray) -> np.ndarray:
    """(A,) how many items have the same label as each, itself included."""
    _, which, count = np.unique(label, return_inverse=True, return_counts=True)
    return np.asarray(count[which])

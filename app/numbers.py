"""Numbers of groups that outlive a partition: a group is called what the old group was that most of it comes from.

A partition only knows rows; tomorrow's has other groups in another order. So every new one is laid over the last: the
largest overlap first, each number goes to one group, and what is left over gets a number never used before.
"""

from dataclasses import dataclass

import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from db.artifacts import ArtifactStore
from db.errors import Broken, NotFound

FILE = "numbers.safetensors"


@dataclass(frozen=True)
class Numbers:
    """ids: (N,) items, rising. of: (N,) number of the group of each. free: the next number never used."""

    ids: np.ndarray
    of: np.ndarray
    free: int

    def same(self, other: "Numbers") -> bool:
        """Whether every item is in the group of the same number."""
        return self.free == other.free and np.array_equal(self.ids, other.ids) and np.array_equal(self.of, other.of)


NONE = Numbers(np.zeros(0, np.int64), np.zeros(0, np.int64), 1)


def matched(ids: np.ndarray, labels: np.ndarray, last: Numbers) -> Numbers:
    """Number the groups of a new partition as the old ones were. ids: (N,) rising; labels: (N,) group of each.

    New numbers go to the larger groups first, ties to the one with the smallest item.
    """
    _, first, group, size = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    given = np.zeros(len(size), np.int64)
    taken: set[int] = set()
    for new, old in _overlaps(ids, group, last):
        if not given[new] and old not in taken:
            given[new] = old
            taken.add(old)
    fresh = [group for group in np.lexsort([first, -size]).tolist() if not given[group]]
    given[fresh] = np.arange(last.free, last.free + len(fresh))
    return Numbers(ids, given[group], last.free + len(fresh))


def _overlaps(ids: np.ndarray, group: np.ndarray, last: Numbers) -> list[tuple[int, int]]:
    """(new group, old number) of all that share an item, the most shared first, ties by number."""
    _, now, then = np.intersect1d(ids, last.ids, assume_unique=True, return_indices=True)
    pairs, shared = np.unique(np.stack([group[now], last.of[then]]), axis=1, return_counts=True)
    order = np.lexsort([pairs[0], pairs[1], -shared])
    return [(int(new), int(old)) for new, old in pairs[:, order].T]


def kept(store: ArtifactStore, criterion: int) -> Numbers:
    """The numbers of the last partition that anybody saw; none where there was none, or it is damaged."""
    try:
        found = load_file(store.open(_name(criterion)) / FILE)
        return Numbers(found["ids"], found["of"], int(found["free"][0]))
    except (NotFound, Broken):
        return NONE


def keep(store: ArtifactStore, criterion: int, numbers: Numbers) -> None:
    """Keep them in the place of the last."""
    arrays = {"ids": numbers.ids, "of": numbers.of, "free": np.array([numbers.free], np.int64)}
    store.replace(_name(criterion), {FILE: to_bytes({key: np.ascontiguousarray(one) for key, one in arrays.items()})})


def _name(criterion: int) -> str:
    return f"groups/{criterion}"

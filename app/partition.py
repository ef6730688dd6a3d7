"""The groups of now, laid out for reading page by page: worked out once per state of the log, kept, never per page.

    snapshot + answers -> labels (`app.homes`) -> items in order, group by group -> any page is a slice

A reader who pages names the state it began with (`stand`), so that no group is seen twice or never because somebody
answered in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from app.homes import Seen
from db.nouns import Snapshot, Statement, Verdict

BEFORE = -1  # in the place of an event: no answer at all


class Key(NamedTuple):
    """What groups depend on. criterion: its id; event: the newest of the log that they know."""

    criterion: int
    version: int
    event: int

    @property
    def stand(self) -> str:
        """Names this state to a reader."""
        return f"{self.version}.{self.event}"


@dataclass(frozen=True, eq=False)
class Partition:
    """order: (N,) rows, group by group, largest group first, the surest items of a group first.

    starts: (G+1,) where each group begins in it. sure: (N,) by row, see `app.homes`. numbers: (G,) what a group is
    called while nobody has named it; the same from one state to the next.
    """

    stand: str
    snapshot: Snapshot
    order: np.ndarray
    starts: np.ndarray
    sure: np.ndarray
    numbers: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """(G,) items of every group."""
        return np.diff(self.starts)

    @cached_property
    def place(self) -> np.ndarray:
        """(N,) which group every row is in."""
        found = np.empty(len(self.order), dtype=np.int64)
        found[self.order] = np.repeat(np.arange(len(self.sizes)), self.sizes)
        return found

    @cached_property
    def doubt(self) -> np.ndarray:
        """(G,) mean of 1 - sure: 1 where no answer tells."""
        return np.asarray(np.add.reduceat(1 - self.sure[self.order].astype(np.float64), self.starts[:-1]) / self.sizes)

    def members(self, group: int) -> np.ndarray:
        """Item ids of a group, the surest first; the first stands for it."""
        return self.snapshot.ids[self.order[self.starts[group] : self.starts[group + 1]]]

    def group_of(self, item: int) -> int | None:
        """The group that holds an item; None if the model has not seen it."""
        row = self.snapshot.position.get(item)
        return None if row is None else int(self.place[row])

    def confirmed(self, said: Sequence[Statement]) -> np.ndarray:
        """(N,) bool: rows that an answer joins to another item of their group."""
        found = np.zeros(len(self.order), dtype=bool)
        known = self.snapshot.position
        same = ((known.get(one.a), known.get(one.b)) for one in said if one.verdict is Verdict.SAME)
        pairs = np.array([pair for pair in same if None not in pair], dtype=np.int64).reshape(-1, 2)
        found[pairs[self.place[pairs[:, 0]] == self.place[pairs[:, 1]]]] = True
        return found

    def per_group(self, rows: np.ndarray) -> np.ndarray:
        """(G,) how many of these rows each group holds. rows: (N,) bool."""
        return np.bincount(self.place[rows], minlength=len(self.sizes))


def lay_out(stand: str, snapshot: Snapshot, found: Seen, numbers: np.ndarray | None = None) -> Partition:
    """Labels, as groups in reading order. Ties: the group with the smallest item first.

    numbers: (N,) of the group of each row; from 1 by place where they are not given.
    """
    _, group, size = np.unique(found.labels, return_inverse=True, return_counts=True)
    first = np.full(len(size), len(group))
    np.minimum.at(first, group, np.arange(len(group)))
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.lexsort([first, -size])] = np.arange(len(size))
    fit = _fit(snapshot.vectors, group, len(size))
    order = np.lexsort([-fit, -found.sure, rank[group]])
    starts = np.concatenate([[0], np.cumsum(np.sort(size)[::-1])])
    named = np.arange(1, len(size) + 1) if numbers is None else numbers[order[starts[:-1]]]
    return Partition(stand, snapshot, order, starts, found.sure, named)


def _fit(vectors: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """(N,) cosine to the middle of the own group."""
    middles = np.zeros((count, vectors.shape[1]), dtype=np.float32)
    np.add.at(middles, group, vectors)
    middles /= np.maximum(np.linalg.norm(middles, axis=1, keepdims=True), 1e-12)
    return np.einsum("nd,nd->n", vectors, middles[group])  # type: ignore[no-any-return]

"""How much of what is known about an asked item arrives at others: kept as it comes, so that a new answer costs little.

Small graphs keep whole columns of the kernel, computed once per snapshot when an item is first asked about. Large ones
keep what arrives at the asked items alone, and walk again for everybody:

    K = 1 + T + T T P C^-1 P^T D     (`walk`), so K_ij = T_ij + far_i . between_j, and 1 more where i = j

with a sparse far_i and a dense between_j for each asked item: a new one costs a row and a column of small products.
"""

from dataclasses import dataclass
from threading import Lock
from typing import Literal, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import scipy.sparse as sparse

from db.nouns import Snapshot
from oracle.kernel import Kernel, kernel_of
from oracle.walk import Walk

TOLERANCE = 1e-3
SPARE = 64  # items room is made for at a time, at least
WASTE = 1.2  # times as many items may be kept as are wanted before those wanted are copied out


@dataclass(frozen=True, eq=False)
class Among:
    """What reaches A asked items from each other. kept: (T, T) float32, to row from column; place: (A,) in it."""

    kept: np.ndarray
    place: np.ndarray

    @property
    def own(self) -> np.ndarray:
        """(A,) what every item keeps of its own."""
        return np.asarray(self.kept.diagonal()[self.place])

    def __len__(self) -> int:
        return len(self.place)

    def __matmul__(self, mass: np.ndarray) -> np.ndarray:
        """(A, G) what arrives of (A, G) mass."""
        return np.asarray((self.kept @ _scattered(mass, self.place, len(self.kept)))[self.place])

    def at_some(self, rows: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """(R, G) what arrives of (A, G) mass at some items."""
        return np.asarray(self.kept[self.place[rows]] @ _scattered(mass, self.place, len(self.kept)))

    def from_some(self, rows: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """(A, G) what arrives of (R, G) mass at some items."""
        return np.asarray((self._columns(self.place[rows]) @ mass)[self.place])

    def _columns(self, places: np.ndarray) -> np.ndarray:
        """(T, R) of what is kept. Where columns lie in one piece, as in large tables, that is a fifth of the time."""
        if self.kept.strides[0] > self.kept.strides[1]:
            return np.asarray(self.kept[:, places])
        return np.asarray(self.kept.T[places].T)

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) what reaches rows[k] from columns[k]."""
        return np.asarray(self.kept[self.place[rows], self.place[columns]])

    def block(self, rows: np.ndarray) -> np.ndarray:
        """(R, R) what reaches some items from each other."""
        return np.asarray(self.kept[np.ix_(self.place[rows], self.place[rows])])


class Reach(Protocol):
    """What is kept of one snapshot's kernel."""

    def among(self, rows: np.ndarray) -> Among:
        """From each other, for (A,) rows without repeats."""

    def near(self, rows: np.ndarray) -> np.ndarray:
        """(A,) what reaches an item close to each of the rows from it."""

    def flow(self, rows: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """(N, G) float32: what reaches everybody from mass (A, G) at the rows."""


class _Places:
    """The place of every row in the order in which they were first asked about."""

    def __init__(self, count: int) -> None:
        self.of, self.rows = np.full(count, -1), np.zeros(0, dtype=np.int64)

    def add(self, rows: np.ndarray) -> np.ndarray:
        """The rows that are new, with places from now on."""
        new = rows[self.of[rows] < 0]
        self.of[new] = len(self.rows) + np.arange(len(new))
        self.rows = np.concatenate([self.rows, new])
        return new


class _Columns:
    """All of the columns. Memory: 4 bytes per item and asked item."""

    def __init__(self, kernel: Kernel, beside: np.ndarray) -> None:
        self._kernel, self._beside, self._lock = kernel, beside, Lock()
        self._places = _Places(len(beside))
        self._kept = np.zeros((len(beside), 0), dtype=np.float32)

    def among(self, rows: np.ndarray) -> Among:
        place = self._known(rows)
        return Among(self._kept[np.ix_(rows, place)], np.arange(len(rows)))

    def near(self, rows: np.ndarray) -> np.ndarray:
        place = self._known(rows)
        return np.asarray(self._kept[self._beside[rows], place])

    def flow(self, rows: np.ndarray, mass: np.ndarray) -> np.ndarray:
        place, total = self._known(rows), len(self._places.rows)
        if total > WASTE * len(rows):
            return np.asarray(self._kept[:, place] @ mass.astype(np.float32))
        return np.asarray(self._kept[:, :total] @ _scattered(mass.astype(np.float32), place, total))

    def _known(self, rows: np.ndarray) -> np.ndarray:
        with self._lock:
            known, new = len(self._places.rows), self._places.add(rows)
            if len(new):
                unit = np.zeros((len(self._beside), len(new)), dtype=np.float32)
                unit[new, np.arange(len(new))] = 1.0
                self._kept = _with_room(self._kept, len(self._beside), known + len(new), known)
                self._kept[:, known : known + len(new)] = self._kernel.spread(unit, tolerance=TOLERANCE)
            return self._places.of[rows]


class _Regions:
    """Only what reaches the asked items. Memory: 4 bytes per pair of them, and per asked item and region."""

    def __init__(self, walk: Walk, beside: np.ndarray) -> None:
        self._walk, self._beside, self._lock = walk, beside, Lock()
        self._places = _Places(len(beside))
        regions = len(walk.regions)
        self._far = sparse.csr_matrix((0, regions), dtype=np.float32)  # (T, M)
        self._between = np.zeros((regions, 0), dtype=np.float32)  # (M, T)
        self._kept = np.zeros((0, 0), dtype=np.float32)
        self._near = np.zeros(0, dtype=np.float32)  # (T,)

    def among(self, rows: np.ndarray) -> Among:
        place, total = self._known(rows), len(self._places.rows)
        if total > WASTE * len(rows):
            return Among(self._kept.T[np.ix_(place, place)].T, np.arange(len(rows)))
        return Among(self._kept[:total, :total], place)

    def near(self, rows: np.ndarray) -> np.ndarray:
        place = self._known(rows)
        return np.asarray(self._near[place])

    def flow(self, rows: np.ndarray, mass: np.ndarray) -> np.ndarray:
        return self._walk.spread_from(rows, mass)

    def _known(self, rows: np.ndarray) -> np.ndarray:
        with self._lock:
            new = self._places.add(rows)
            if len(new):
                self._add(new)
            return self._places.of[rows]

    def _add(self, new: np.ndarray) -> None:
        known, total = len(self._places.rows) - len(new), len(self._places.rows)
        far, between = self._walk.far[new], self._walk.between_from(new)
        self._between = _with_room(self._between, len(between), total, known)
        self._between[:, known:total] = between
        kept = _with_room(self._kept, total, total, known, "F")  # what comes from one item is read together
        kept[:known, known:total] = self._far @ between
        kept[known:total, :total] = (far @ self._between)[:, :total]
        kept[known:total, :total] += self._walk.one_step(new, self._places.rows)
        kept[:known, known:total] += self._walk.one_step(self._places.rows[:known], new)
        kept[np.arange(known, total), np.arange(known, total)] += 1.0
        self._kept, self._far = kept, sparse.vstack([self._far, far]).tocsr()
        beside = self._beside[new]
        near = np.asarray(self._walk.far[beside].multiply(between.T).sum(1)).ravel()
        near += self._walk.one_step(beside, new).diagonal() + (beside == new)
        self._near = np.concatenate([self._near, near.astype(np.float32)])


def _with_room(kept: np.ndarray, height: int, width: int, filled: int, order: Literal["C", "F"] = "C") -> np.ndarray:
    """The same array if it is large enough, else a larger one in this order with its first `filled` columns."""
    if kept.shape[0] >= height and kept.shape[1] >= width:
        return kept
    spare = filled // 4 + SPARE
    tall = height if len(kept) == height else height + spare
    grown = np.zeros((tall, width + spare), dtype=np.float32, order=order)
    grown[: len(kept), :filled] = kept[:, :filled]
    return grown


def _scattered(mass: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    full = np.zeros((count, mass.shape[1]), dtype=mass.dtype)
    full[place] = mass
    return full


_KEPT: WeakKeyDictionary[Kernel, Reach] = WeakKeyDictionary()


def reach_of(snapshot: Snapshot, close: int) -> Reach:
    """What reaches whom in a snapshot, kept as long as its kernel is. close: which neighbour counts as close."""
    kernel = kernel_of(snapshot)
    if kernel not in _KEPT:
        width = snapshot.neighbours.shape[1]
        beside = snapshot.neighbours[:, min(close, width - 1)] if width else np.arange(len(snapshot.ids))
        _KEPT[kernel] = _Columns(kernel, beside) if kernel.long is None else _Regions(kernel.long, beside)
    return _KEPT[kernel]

"""How much of what is known about an asked item arrives at every other item: columns of the kernel, kept as they come.

A column is computed once per snapshot, when its item is first asked about; so a new answer costs the columns of its own
few items and nothing for the older ones.
"""

from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from db.nouns import Snapshot
from oracle.kernel import Kernel, kernel_of

TOLERANCE = 1e-3
SPARE = 64  # columns room is made for at a time, at least


class Reach:
    """Columns of (I - alpha D^-1 W)^-1 for the items asked so far. Memory: 4 bytes per item and asked item."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._lock = kernel, Lock()
        self._place: dict[int, int] = {}
        self._columns = np.zeros((kernel.walk.shape[0], 0), dtype=np.float32)

    def columns(self, rows: np.ndarray) -> np.ndarray:
        """(N, A) float32: what reaches every item from each of the rows."""
        with self._lock:
            new = np.array([row for row in rows.tolist() if row not in self._place], dtype=np.int64)
            if len(new):
                self._add(new)
            return self._columns[:, [self._place[row] for row in rows.tolist()]]

    def _add(self, rows: np.ndarray) -> None:
        unit = np.zeros((len(self._columns), len(rows)), dtype=np.float32)
        unit[rows, np.arange(len(rows))] = 1.0
        known, total = len(self._place), len(self._place) + len(rows)
        if total > self._columns.shape[1]:
            room = np.zeros((len(self._columns), max(total, known + known // 4 + SPARE)), dtype=np.float32)
            room[:, :known] = self._columns[:, :known]
            self._columns = room
        self._columns[:, known:total] = self._kernel.spread(unit, tolerance=TOLERANCE)
        self._place |= {row: known + k for k, row in enumerate(rows.tolist())}


_KEPT: WeakKeyDictionary[Kernel, Reach] = WeakKeyDictionary()


def reach_of(snapshot: Snapshot) -> Reach:
    """The columns of a snapshot, kept as long as its kernel is."""
    kernel = kernel_of(snapshot)
    if kernel not in _KEPT:
        _KEPT[kernel] = Reach(kernel)
    return _KEPT[kernel]

"""K-means cuts of a snapshot that several questions in a row need, kept between calls."""

import warnings
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from db.nouns import Snapshot

KEPT = 2000  # cuts remembered per snapshot
ROUNDS = 30  # of k-means: enough for questions, where a cut need not be optimal


@dataclass(frozen=True, eq=False)
class Cuts:
    """Cuts of one snapshot; the same rows, number and seed always give the same cut."""

    vectors: np.ndarray
    seed: int
    _kept: dict[tuple[bytes, int], list[np.ndarray]] = field(default_factory=dict)

    def cut(self, rows: np.ndarray, k: int) -> list[np.ndarray]:
        """Rows cut into at most k parts by k-means, none empty; fewer where vectors repeat."""
        key = (rows.tobytes(), k)
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = self._fresh(rows, min(k, len(rows)))
        return self._kept[key]

    def _fresh(self, rows: np.ndarray, k: int) -> list[np.ndarray]:
        if k == len(rows):
            return [rows[place : place + 1] for place in range(k)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct vectors than k: then fewer parts
            labels = KMeans(k, n_init=1, max_iter=ROUNDS, random_state=self.seed).fit_predict(self.vectors[rows])
        return [rows[labels == label] for label in np.unique(labels)]

    def medoid(self, rows: np.ndarray) -> int:
        """The row nearest to the mean of the rows."""
        return int(rows[((self.vectors[rows] - self.vectors[rows].mean(0)) ** 2).sum(1).argmin()])


def cuts_of(snapshot: Snapshot, seed: int) -> Cuts:
    """The cuts of a snapshot, shared by all who ask about it."""
    return _cuts(_Held(snapshot), seed)


@dataclass(frozen=True, eq=False)
class _Held:
    snapshot: Snapshot

    def __hash__(self) -> int:
        return id(self.snapshot)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.snapshot is self.snapshot


@lru_cache(maxsize=4)
def _cuts(held: _Held, seed: int) -> Cuts:
    return Cuts(held.snapshot.vectors, seed)

"""Nearest neighbours: the one place that knows faiss. An index is rebuilt from vectors, never loaded from a file.

Cosines of unit rows are inner products. Exact search up to EXACT items, beyond that inverted lists whose recall is
measured on the very vectors they hold, and raised until it is good enough.
"""

from dataclasses import dataclass

import faiss
import numpy as np

from db.errors import BadInput

EXACT = 100_000  # items: up to here one exact query takes a few milliseconds
WANTED_RECALL = 0.95  # of the 10 nearest
BLOCK = 4096  # queries at once
SAMPLE = 200  # queries that measure the recall


@dataclass
class Index:
    """kind: "exact" or "lists". recall: measured share of the true 10 nearest that a search returns."""

    kind: str
    recall: float
    inner: faiss.Index

    def search(self, queries: np.ndarray, k: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """queries: (Q, D) float32 unit rows. among: positions to search, all by default. Every list is probed then.

        Returns: (positions (Q, k) int64, cosines (Q, k)); -1 where too few.
        """
        only = None if among is None else self._only(among)
        found = [
            self.inner.search(_checked(queries[at : at + BLOCK]), k, params=only)
            for at in range(0, len(queries), BLOCK)
        ]
        if not found:
            return np.empty((0, k), np.int64), np.empty((0, k), np.float32)
        return np.concatenate([rows for _, rows in found]), np.concatenate([near for near, _ in found])

    def _only(self, among: np.ndarray) -> faiss.SearchParameters:
        """How to search some rows alone: exactly, as the few that are wanted may lie in any list."""
        those = faiss.IDSelectorBatch(np.ascontiguousarray(among, np.int64))
        if isinstance(self.inner, faiss.IndexIVF):
            return faiss.SearchParametersIVF(sel=those, nprobe=self.inner.nlist)  # type: ignore[call-arg]
        return faiss.SearchParameters(sel=those)  # type: ignore[call-arg]


def neighbours(vectors: np.ndarray, k: int, *, exact: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest others of every row, nearest first; equally near ones by position.

    Args:
        vectors: (N, D) float32, unit rows.
        exact: False allows inverted lists from 20,000 rows on: 1e5 rows in seconds, recall about .95.
    Returns: (positions (N, K) int64, cosines (N, K) float32) with K = min(k, N - 1).
    """
    rows = _checked(vectors)
    wanted = min(k, len(rows) - 1)
    if wanted < 1:
        return np.empty((len(rows), 0), np.int64), np.empty((len(rows), 0), np.float32)
    index = _exact(rows) if exact else build_index(rows, exact_up_to=EXACT // 5)
    positions, cosines = index.search(rows, wanted + 1)
    return _without_self(positions, cosines, wanted)


def build_index(
    vectors: np.ndarray, *, recall: float = WANTED_RECALL, exact_up_to: int = EXACT, seed: int = 0
) -> Index:
    """An index whose type fits the size, with its measured recall.

    Args: vectors (N, D) float32, unit rows. recall: wanted share of the true 10 nearest.
    """
    rows = _checked(vectors)
    return _exact(rows) if len(rows) <= exact_up_to else _lists(rows, recall, seed)


def _exact(rows: np.ndarray) -> Index:
    inner = faiss.IndexFlatIP(rows.shape[1])
    inner.add(rows)
    return Index("exact", 1.0, inner)


def _lists(rows: np.ndarray, wanted: float, seed: int) -> Index:
    """Inverted lists around about 4 sqrt(N) centres; probes double until the measured recall is reached."""
    count, dim = rows.shape
    centres = int(min(4 * np.sqrt(count), count / 40))
    inner = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, max(centres, 1), faiss.METRIC_INNER_PRODUCT)
    inner.cp.seed, inner.cp.niter = seed + 1, 8
    inner.cp.max_points_per_centroid = 64
    inner.train(rows)
    inner.add(rows)
    rng = np.random.default_rng(seed)
    asked = rows[rng.choice(count, min(SAMPLE, count), replace=False)]
    truth = faiss.knn(asked, rows, min(10, count), metric=faiss.METRIC_INNER_PRODUCT)[1]
    inner.nprobe = 2
    while (measured := _recall(inner, asked, truth)) < wanted and inner.nprobe < inner.nlist:
        inner.nprobe = min(2 * inner.nprobe, inner.nlist)
    return Index("lists", measured, inner)


def _recall(inner: faiss.Index, asked: np.ndarray, truth: np.ndarray) -> float:
    found = inner.search(asked, truth.shape[1])[1]
    hits = [len(np.intersect1d(near, true)) for near, true in zip(found, truth, strict=True)]
    return float(np.sum(hits) / truth.size)


def _without_self(positions: np.ndarray, cosines: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Drop every row's own position, or its farthest hit where copies pushed it out; break ties by position."""
    own = positions == np.arange(len(positions))[:, None]  # (N, k + 1)
    own[~own.any(axis=1), -1] = True
    positions, cosines = positions[~own].reshape(-1, k), cosines[~own].reshape(-1, k)
    order = np.lexsort((positions, -cosines), axis=1)
    return np.take_along_axis(positions, order, 1), np.take_along_axis(cosines, order, 1)


def _checked(vectors: np.ndarray) -> np.ndarray:
    """Contiguous float32 rows. Raises BadInput for another shape or numbers that are not finite."""
    if vectors.ndim != 2:
        raise BadInput(f"vectors: expected (N, D), got {vectors.shape}.")
    rows = np.ascontiguousarray(vectors, np.float32)
    if not np.isfinite(rows).all():
        raise BadInput("vectors: expected finite numbers, got NaN or infinity.")
    return rows

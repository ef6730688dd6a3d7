"""Nearest neighbours: what all ways of searching share (`trainer.engines`), and those that hold everything in memory.

Cosines of unit rows are inner products. Exact search up to EXACT items, beyond that inverted lists whose recall is
measured on the very vectors they hold, and raised until it is good enough.
"""

from collections.abc import Callable
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
            self.inner.search(checked(queries[at : at + BLOCK]), k, params=only) for at in range(0, len(queries), BLOCK)
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
    rows = checked(vectors)
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
    rows = checked(vectors)
    return _exact(rows) if len(rows) <= exact_up_to else _lists(rows, recall, seed)


def _exact(rows: np.ndarray) -> Index:
    inner = faiss.IndexFlatIP(rows.shape[1])
    inner.add(rows)
    return Index("exact", 1.0, inner)


def _lists(rows: np.ndarray, wanted: float, seed: int) -> Index:
    """Inverted lists around about 4 sqrt(N) centres; probes double until the measured recall is reached."""
    inner = around_centres(rows, seed)
    inner.add(rows)

    def probing(probes: int, queries: np.ndarray, k: int) -> np.ndarray:
        inner.nprobe = probes
        return np.asarray(inner.search(queries, k)[1])

    return Index("lists", raised(probing, rows, wanted, inner.nlist, seed)[1], inner)


def around_centres(rows: np.ndarray, seed: int) -> faiss.IndexIVFFlat:
    """Empty lists around centres learnt from rows. Few rows have few centres, one at least."""
    count, dim = rows.shape
    centres = int(min(4 * np.sqrt(count), count / 40))
    inner = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, max(centres, 1), faiss.METRIC_INNER_PRODUCT)
    inner.cp.seed, inner.cp.niter = seed + 1, 8
    inner.cp.max_points_per_centroid = 64
    inner.train(_sampled(rows, 64 * inner.nlist, seed))
    return inner


def _sampled(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Rows to learn centres from; faiss draws by itself from what lies in memory."""
    if not isinstance(rows, np.memmap) or len(rows) <= most:
        return rows
    return np.asarray(rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))])


def raised(
    search: Callable[[int, np.ndarray, int], np.ndarray],
    rows: np.ndarray,
    wanted: float,
    most: int,
    seed: int,
    start: int = 2,
) -> tuple[int, float]:
    """The effort, doubled from `start`, at which a search finds enough of the ten nearest others, and what it finds.

    Args: search: (effort, queries (Q, D), k) -> positions (Q, k). rows: (N, D); SAMPLE of them are looked for.
    """  # fmt: skip
    chosen = np.random.default_rng(seed).choice(len(rows), min(SAMPLE, len(rows)), replace=False)
    asked, k = np.asarray(rows[chosen]), min(11, len(rows))
    truth = faiss.knn(asked, rows, k, metric=faiss.METRIC_INNER_PRODUCT)[1]
    effort = min(start, most)
    while (measured := _recall(search(effort, asked, k), truth, chosen)) < wanted and effort < most:
        effort = min(2 * effort, most)
    return effort, measured


def _recall(found: np.ndarray, truth: np.ndarray, own: np.ndarray) -> float:
    """The share of the true positions (Q, k) among those found (Q, k), each query's own left out."""
    true = truth != own[:, None]
    hits = (truth[:, :, None] == found[:, None, :]).any(2) & true
    return float(hits.sum() / max(true.sum(), 1)) if true.any() else 1.0


def _without_self(positions: np.ndarray, cosines: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Drop every row's own position, or its farthest hit where copies pushed it out; break ties by position."""
    own = positions == np.arange(len(positions))[:, None]  # (N, k + 1)
    own[~own.any(axis=1), -1] = True
    positions, cosines = positions[~own].reshape(-1, k), cosines[~own].reshape(-1, k)
    order = np.lexsort((positions, -cosines), axis=1)
    return np.take_along_axis(positions, order, 1), np.take_along_axis(cosines, order, 1)


def checked(vectors: np.ndarray) -> np.ndarray:
    """Contiguous float32 rows. Raises BadInput for another shape or numbers that are not finite."""
    if vectors.ndim != 2:
        raise BadInput(f"vectors: expected (N, D), got {vectors.shape}.")
    rows = np.ascontiguousarray(vectors, np.float32)
    if not np.isfinite(rows).all():
        raise BadInput("vectors: expected finite numbers, got NaN or infinity.")
    return rows

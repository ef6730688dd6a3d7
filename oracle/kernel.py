"""How far one answer reaches: the resolvent of the nearest-neighbour graph of a snapshot.

    W_ij = exp(-d_ij^2 / (sigma_i sigma_j)), d^2 = 2 - 2 cosine, sigma_i = distance to the 6th neighbour, symmetric by
    maximum
    spread(Y) = (I - alpha D^-1 W)^-1 Y                        solved for all columns at once by conjugate gradients;
                                                               beyond LARGE items in a few fixed steps (`walk`)

Source: Zhou, Bousquet, Lal, Weston, Schölkopf 2003, "Learning with local and global consistency"; local scaling after
Zelnik-Manor and Perona 2004. The random-walk form keeps columns comparable between dense and thin regions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sparse

from db.nouns import Snapshot
from oracle.walk import Walk, build_walk

LARGE = 4000  # items


@dataclass(frozen=True, eq=False)
class Kernel:
    """walk: (N, N) symmetric D^-1/2 W D^-1/2, float32. scale: (N, 1) sqrt of the degrees. alpha: reach, in [0, 1).
    long: the way to walk a large graph, None on a small one."""

    walk: sparse.csr_matrix
    scale: np.ndarray
    alpha: float
    long: Walk | None = None

    def spread(
        self,
        mass: np.ndarray,
        start: np.ndarray | None = None,
        tolerance: float = 3e-3,
        sources: np.ndarray | None = None,
    ) -> np.ndarray:
        """Mass at every item after walking: (N, G) float32 from (N, G).

        start: an earlier result near this one, for speed. tolerance: of the error, on small graphs. sources: rows that
        hold any mass, where known, for speed.
        """
        if self.long is not None:
            return self.long.spread(mass, sources)
        target = (mass * self.scale).astype(np.float32)  # (N, G)
        guess = np.zeros_like(target) if start is None else (start * self.scale).astype(np.float32)
        return np.maximum(_conjugate_gradients(self._apply, target, guess, tolerance) / self.scale, 0.0)

    def spread_at(
        self,
        mass: np.ndarray,
        rows: np.ndarray,
        start: np.ndarray | None = None,
        tolerance: float = 3e-3,
        sources: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Like `spread`, where only some rows are wanted: (R, G), and the sum of each column over all rows: (G,)."""
        if self.long is not None:
            return self.long.spread_at(mass, rows, sources)
        flow = self.spread(mass, start, tolerance)
        return flow[rows], flow.sum(0)

    def _apply(self, columns: np.ndarray) -> np.ndarray:
        return np.asarray(columns - self.alpha * (self.walk @ columns), dtype=np.float32)


def _conjugate_gradients(
    apply: Callable[[np.ndarray], np.ndarray], target: np.ndarray, guess: np.ndarray, tolerance: float
) -> np.ndarray:
    """Solve apply(x) = target column by column, apply symmetric positive definite. (N, G) float32."""
    solution, residual = guess, target - apply(guess)
    direction, energy = residual.copy(), (residual**2).sum(0)
    goal = tolerance**2 * (target**2).sum(0)
    for _ in range(200):
        if (energy <= goal).all():
            break
        image = apply(direction)
        step = energy / np.maximum((direction * image).sum(0), 1e-30)
        solution = solution + step * direction
        residual = residual - step * image
        fresh = (residual**2).sum(0)
        direction = residual + fresh / np.maximum(energy, 1e-30) * direction
        energy = fresh
    return solution


def build_kernel(neighbours: np.ndarray, cosines: np.ndarray, *, k: int = 12, alpha: float = 0.97) -> Kernel:
    """From the nearest neighbours: (N, K) int positions, (N, K) float cosines, nearest first."""
    neighbours, squared = neighbours[:, :k], np.maximum(2.0 - 2.0 * cosines[:, :k], 0.0)  # (N, k)
    count, width = neighbours.shape
    sigma = (np.sqrt(squared[:, min(5, width - 1)]) if width else np.zeros(count)) + 1e-6  # (N,)
    weight = np.exp(-squared / (sigma[:, None] * sigma[neighbours]))
    rows = np.repeat(np.arange(count), width)
    graph = sparse.csr_matrix((weight.ravel().astype(np.float32), (rows, neighbours.ravel())), shape=(count, count))
    graph = graph.maximum(graph.T).tocsr()
    degree = np.maximum(np.asarray(graph.sum(1)).ravel(), 1e-6)
    inverse = sparse.diags((1.0 / np.sqrt(degree)).astype(np.float32))
    long = build_walk(graph, degree, alpha) if count > LARGE else None
    return Kernel((inverse @ graph @ inverse).tocsr(), np.sqrt(degree)[:, None].astype(np.float32), alpha, long)


@lru_cache(maxsize=4)
def _kernel_of(snapshot: "_ByIdentity", k: int, alpha: float) -> Kernel:
    return build_kernel(snapshot.held.neighbours, snapshot.held.cosines, k=k, alpha=alpha)


@dataclass(frozen=True, eq=False)
class _ByIdentity:
    held: Snapshot

    def __hash__(self) -> int:
        return id(self.held)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.held is self.held


def kernel_of(snapshot: Snapshot, *, k: int = 12, alpha: float = 0.97) -> Kernel:
    """The kernel of a snapshot, built once per snapshot."""
    return _kernel_of(_ByIdentity(snapshot), k, alpha)

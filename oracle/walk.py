"""The long walk on a large graph, taken in big steps first: regions exchange mass, then items among their neighbours.

    regions: every item goes with the nearest of about a thousand seeds, by weighted paths      -> Q (N, M), one-hot
    P = D^-1 W Q                                                          what one step makes of a region
    C = P^T (D - alpha W) P                                               inverted once per graph, (M, M)
    F = Y + T Y + T T P C^-1 P^T D Y        with T = alpha D^-1 W

T T P is multiplied out once: it has fewer entries than T, as what lies two steps away is mostly of the same region. So
mass at a few items costs one product of it for everybody, and nothing else that grows with the graph.

All of it is linear in Y with fixed matrices, so the result depends on Y alone and not on what was computed before.
Against (I - T)^-1 Y: the rows, scaled to sum 1, differ by .002 on average (100,000 items, 18 groups).
Source: smoothed aggregation after Vaněk, Mandel and Brezina 1996, one coarse level solved exactly.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg as linalg
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from oracle.rows import row_sums

REGIONS, MOST_REGIONS = 1000, 2000


@dataclass(frozen=True, eq=False)
class Walk:
    """A graph laid out for long walks, all in float32.

    step: (N, N) T. back: (M, N) P^T D. regions: (M, M) C^-1, symmetric. far: (N, M) T T P. degree: (N,) D. weight: (N,)
    column sums of the whole.
    """

    step: sparse.csr_matrix
    back: sparse.csc_matrix
    regions: np.ndarray
    far: sparse.csr_matrix
    degree: np.ndarray
    weight: np.ndarray

    def spread(self, mass: np.ndarray, sources: np.ndarray | None = None) -> np.ndarray:
        """(N, G) float32 from (N, G): mass at every item after the walk. sources: rows that hold any, where known."""
        sources = _sources(mass) if sources is None else sources
        if 2 * len(sources) <= len(mass):
            return self.spread_from(sources, mass[sources])
        amount = np.ascontiguousarray(mass, dtype=np.float32)
        flow = _times(self.far, self._between(self.back, amount))
        flow += _times(self.step, amount)
        flow += amount
        return np.maximum(flow, 0.0, out=flow)

    def spread_from(self, sources: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """(N, G) float32: the same from mass (S, G) at a few rows, each named once."""
        amount = np.ascontiguousarray(mass, dtype=np.float32)
        flow = _times(self.far, self._between(self.back[:, sources], amount))
        steps, near = self._steps(sources)
        flow[near] += (steps.T @ (amount * self.degree[sources, None])) / self.degree[near, None]  # T^T = D T D^-1
        flow[sources] += amount
        return np.maximum(flow, 0.0, out=flow)

    def spread_at(
        self, mass: np.ndarray, wanted: np.ndarray, sources: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What `spread` gives some rows: (R, G), and the sum of each column over all: (G,)."""
        sources = _sources(mass) if sources is None else sources
        amount = np.ascontiguousarray(mass[sources], dtype=np.float32)
        steps, near = self._steps(wanted)
        flow = self.far[wanted] @ self._between(self.back[:, sources], amount) + steps @ mass[near] + mass[wanted]
        return np.maximum(flow, 0.0, dtype=np.float32), self.weight[sources] @ amount

    def between_from(self, rows: np.ndarray) -> np.ndarray:
        """(M, R) float32: what the regions hold of one unit of mass at each of the rows."""
        return np.asarray((self.back[:, rows].T @ self.regions).T)

    def one_step(self, to: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """(R, S) what one step takes from each origin to each of the rows."""
        return self.step[to][:, origin].toarray()

    def _steps(self, rows: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
        """(R, L) one step to the rows from the places they are reached from, and these places: (L,)."""
        steps, met = self.step[rows], np.zeros(len(self.degree), dtype=bool)
        met[steps.indices] = True
        near, place = np.flatnonzero(met), np.empty(len(met), dtype=np.int64)
        place[near] = np.arange(len(near))
        return sparse.csr_matrix((steps.data, place[steps.indices], steps.indptr), shape=(len(rows), len(near))), near

    def _between(self, back: sparse.csc_matrix, amount: np.ndarray) -> np.ndarray:
        """(M, G) what the walk between regions makes of (R, G) mass. back: (M, R) P^T D of the rows that hold it."""
        return np.asarray(self.regions @ _times(back, amount))


def build_walk(graph: sparse.csr_matrix, degree: np.ndarray, alpha: float) -> Walk:
    """From symmetric weights (N, N) and their row sums (N,)."""
    region, count = regions(graph)
    step, degree = graph.astype(np.float32), degree.astype(np.float32)
    order = np.argsort(region, kind="stable")  # products take half the time where what is near lies near
    near, inside = step[order][:, order], np.flatnonzero(region[order] >= 0)
    pick = (np.ones(len(inside), np.float32), (inside, region[order][inside]))
    down, reach = sparse.diags(1 / degree[order]), np.float32(alpha)  # D^-1
    held = (near @ sparse.csr_matrix(pick, shape=(len(order), count))).tocsr()  # W Q = D P
    lift = down @ held  # P
    tied = near @ lift  # W P
    far = (reach**2 * (down @ (near @ (down @ tied)))).tocsr()
    energy = (lift.T @ held - reach * (lift.T @ tied)).toarray().astype(np.float64)
    energy[np.diag_indices(count)] += 1e-10 * np.trace(energy) / count  # a region may repeat others after one step
    between = linalg.inv(energy, overwrite_a=True)
    between = ((between + between.T) / 2).astype(np.float32)
    step.data *= reach / np.repeat(degree, np.diff(step.indptr))
    place = np.argsort(order)
    walk = Walk(step, held[place].T.tocsc(), between, far[place], degree, np.zeros(0, np.float32))
    inverse = 1 / degree
    return replace(walk, weight=walk.spread(inverse[:, None])[:, 0] / inverse)


def regions(graph: sparse.csr_matrix) -> tuple[np.ndarray, int]:
    """(N,) region of every item, -1 where a separate part of the graph got no seed; and how many regions there are."""
    parts, part = connected_components(graph, directed=False)
    largest = np.argsort(-np.bincount(part, minlength=parts), kind="stable")[: MOST_REGIONS - REGIONS]
    first = np.unique(part, return_index=True)[1][largest]
    grouped = np.argsort(part, kind="stable")
    spaced = grouped[np.linspace(0, len(part) - 1, REGIONS).astype(np.int64)]
    seeds = np.unique(np.concatenate([spaced, first]))
    length = graph.astype(np.float64)
    length.data = 1.0 - np.log(np.maximum(length.data, 1e-6))
    _, _, nearest = dijkstra(length, directed=False, indices=seeds, min_only=True, return_predecessors=True)
    return np.where(nearest < 0, -1, np.searchsorted(seeds, np.maximum(nearest, 0))), len(seeds)


def _sources(mass: np.ndarray) -> np.ndarray:
    """Rows that hold any mass (>= 0)."""
    return np.flatnonzero(row_sums(mass))


def _times(matrix: sparse.sparray, columns: np.ndarray) -> np.ndarray:
    """The product; one or two columns are faster one by one."""
    if columns.shape[1] <= 2:
        return np.stack([matrix @ column for column in np.ascontiguousarray(columns.T)], axis=1)
    return np.asarray(matrix @ columns)

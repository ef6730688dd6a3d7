"""The slow loops of `active-semi-supervised-clustering` on arrays: the same steps, the same draws, minutes not days.

Each class overrides only the loops of its parent. tests/benchmarks compares them with the parents' own.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.ensemble import RandomForestClassifier

with np.errstate():  # the package turns every floating point warning of the process into an error
    from active_semi_clustering.active.pairwise_constraints import explore_consolidate, min_max, npu
    from active_semi_clustering.active.pairwise_constraints.example_oracle import MaximumQueriesExceeded
    from active_semi_clustering.exceptions import EmptyClustersException, InconsistentConstraintsException
    from active_semi_clustering.semi_supervised.pairwise_constraints import mpckmeans, pckmeans

TRIES = 5  # clusterings with an empty group before one is taken as it is
TREES = 50
Links = dict[int, np.ndarray]  # row -> the rows it is linked with


def components(pairs: list[Any], count: int) -> np.ndarray:
    """(count,) component of every row in the graph of these pairs."""
    ends = np.asarray(pairs, np.int64).reshape(-1, 2)
    graph = sp.coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def closure(ml: list[Any], cl: list[Any], n: int) -> tuple[Links, Links, list[list[int]]]:
    """`preprocess_constraints` of the package by components: all that must-links and cannot-links imply."""
    group = components(ml, n)
    members = [rows.tolist() for rows in _by_group(group) if len(rows) > 1]
    must = {row: np.setdiff1d(rows, row) for rows in members for row in rows}
    pairs = {tuple(sorted((int(group[i]), int(group[j])))) for i, j in cl}
    if any(a == b for a, b in pairs):
        raise InconsistentConstraintsException("a cannot-link inside a group of must-links")
    rows_of = dict(enumerate(_by_group(group)))
    enemies: dict[int, list[int]] = {}
    for a, b in pairs:
        enemies.setdefault(a, []).append(b)
        enemies.setdefault(b, []).append(a)
    cannot: Links = {}
    for a, others in enemies.items():
        against = np.concatenate([rows_of[b] for b in others])
        cannot.update(dict.fromkeys(rows_of[a].tolist(), against))
    return must, cannot, members


def _by_group(group: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(group, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group))[:-1])


pckmeans.preprocess_constraints = closure
mpckmeans.preprocess_constraints = closure


class _Patient:
    """Clusters again where a group is empty, but not for ever."""

    tolerant = False
    n_clusters: int

    def fit(self, X: np.ndarray, y: Any = None, ml: Any = (), cl: Any = ()) -> Any:
        for _ in range(TRIES):
            try:
                return super().fit(X, y, ml, cl)  # type: ignore[misc]
            except EmptyClustersException:
                continue
        self.tolerant = True
        try:
            return super().fit(X, y, ml, cl)  # type: ignore[misc]
        finally:
            self.tolerant = False

    def _checked(self, labels: np.ndarray) -> np.ndarray:
        if not self.tolerant and np.bincount(labels, minlength=self.n_clusters).min() == 0:
            raise EmptyClustersException
        return labels

    def _get_cluster_centers(self, X: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Means; an empty group stays where it was."""
        sizes = np.bincount(labels, minlength=self.n_clusters)[:, None]
        sums = sp.csr_matrix((np.ones(len(X)), (labels, np.arange(len(X)))), shape=(self.n_clusters, len(X))) @ X
        return np.where(sizes > 0, sums / np.maximum(sizes, 1), self._centres)

    _centres: np.ndarray


class PCKMeans(_Patient, pckmeans.PCKMeans):
    """Basu, Banerjee and Mooney 2004."""

    def _assign_clusters(
        self, X: np.ndarray, cluster_centers: np.ndarray, ml_graph: Links, cl_graph: Links, w: float
    ) -> np.ndarray:
        self._centres = cluster_centers
        cost = cdist(X, cluster_centers, "sqeuclidean") / 2  # (N, K)
        labels, bound = _free(cost, ml_graph, cl_graph)
        for i in bound:
            row = cost[i].copy()
            near = _given(labels, ml_graph, i)
            row += w * (len(near) - np.bincount(near, minlength=len(row)))
            row += w * np.bincount(_given(labels, cl_graph, i), minlength=len(row))
            labels[i] = row.argmin()
        return self._checked(labels)


class MPCKMeans(_Patient, mpckmeans.MPCKMeans):
    """Bilenko, Basu and Mooney 2004, with one diagonal metric. log det A is the same for every group: left out."""

    def _assign_clusters(
        self,
        X: np.ndarray,
        y: Any,
        cluster_centers: np.ndarray,
        A: np.ndarray,
        farthest: tuple[int, int, float],
        ml_graph: Links,
        cl_graph: Links,
        w: float,
    ) -> np.ndarray:
        self._centres = cluster_centers
        scaled, scale = X * np.sqrt(A.diagonal()), np.sqrt(A.diagonal())
        cost = cdist(scaled, cluster_centers * scale, "sqeuclidean")  # (N, K)
        labels, bound = _free(cost, ml_graph, cl_graph)
        none, count = np.zeros(0, np.int64), len(cluster_centers)
        for i in bound:
            must, cannot = ml_graph.get(i, none), cl_graph.get(i, none)
            must, cannot = must[labels[must] >= 0], cannot[labels[cannot] >= 0]
            near = 2 * w * ((scaled[must] - scaled[i]) ** 2).sum(1)
            far = 2 * w * (farthest[2] - ((scaled[cannot] - scaled[i]) ** 2).sum(1))
            split = near.sum() - np.bincount(labels[must], near, minlength=count)
            labels[i] = (cost[i] + split + np.bincount(labels[cannot], far, minlength=count)).argmin()
        return self._checked(labels)

    def _find_farthest_pairs_of_points(self, X: np.ndarray, A: np.ndarray) -> tuple[int, int, float]:
        scaled = X * np.sqrt(A.diagonal())
        squared = (scaled**2).sum(1)
        best = (0, 0, -1.0)
        for at in range(0, len(scaled), 512):
            apart = squared[at : at + 512, None] + squared - 2 * scaled[at : at + 512] @ scaled.T
            i, j = np.unravel_index(apart.argmax(), apart.shape)
            if apart[i, j] > best[2]:
                best = (at + int(i), int(j), float(apart[i, j]))
        i, j = max(best[:2]), min(best[:2])
        return i, j, float(((scaled[i] - scaled[j]) ** 2).sum())

    def _update_metrics(
        self,
        X: np.ndarray,
        labels: np.ndarray,
        cluster_centers: np.ndarray,
        farthest: tuple[int, int, float],
        ml_graph: Links,
        cl_graph: Links,
        w: float,
    ) -> np.ndarray:
        spread = ((X - cluster_centers[labels]) ** 2).sum(0)  # (D,)
        widest = (X[farthest[0]] - X[farthest[1]]) ** 2
        for i, others in ml_graph.items():
            spread += w / 2 * ((X[others[labels[others] != labels[i]]] - X[i]) ** 2).sum(0)
        for i, others in cl_graph.items():
            spread += w * np.maximum(widest - (X[others[labels[others] == labels[i]]] - X[i]) ** 2, 0).sum(0)
        return np.diag(len(X) / np.maximum(spread, 1e-9))


def _free(cost: np.ndarray, ml_graph: Links, cl_graph: Links) -> tuple[np.ndarray, list[int]]:
    """Labels of rows without a link, -1 for the others, and those others in the package's random order."""
    order = list(range(len(cost)))
    np.random.shuffle(order)  # noqa: NPY002  as the package does
    linked = ml_graph.keys() | cl_graph.keys()
    bound = [i for i in order if i in linked]
    labels = cost.argmin(1)
    labels[bound] = -1
    return labels, bound


def _given(labels: np.ndarray, links: Links, row: int) -> np.ndarray:
    """Groups of the linked rows that have one already."""
    found = labels[links[row]] if row in links else labels[:0]
    return found[found >= 0]


class ExploreConsolidate(explore_consolidate.ExploreConsolidate):
    """Basu, Banerjee and Mooney 2004: farthest-first neighbourhoods, then random items."""

    neighborhoods: list[list[int]]

    def _explore(self, X: np.ndarray, k: int, oracle: Any) -> list[list[int]]:
        first = int(np.random.choice(len(X)))  # noqa: NPY002  as the package does
        self.neighborhoods, nearest = [[first]], np.linalg.norm(X - X[first], axis=1)
        try:
            while len(self.neighborhoods) < k and nearest.max() > 0:
                chosen = int(nearest.argmax())
                self._place(chosen, self.neighborhoods, oracle, found=True)
                nearest = np.minimum(nearest, np.linalg.norm(X - X[chosen], axis=1))
        except MaximumQueriesExceeded:
            pass
        return self.neighborhoods

    def _consolidate(self, neighborhoods: list[list[int]], X: np.ndarray, oracle: Any) -> list[list[int]]:
        remaining = set(range(len(X))) - {i for rows in neighborhoods for i in rows}
        try:
            while remaining:
                chosen = int(np.random.choice(list(remaining)))  # noqa: NPY002  as the package does
                near = [np.linalg.norm(X[rows] - X[chosen], axis=1).min() for rows in neighborhoods]
                self._place(chosen, [neighborhoods[at] for at in np.argsort(near, kind="stable")], oracle)
                remaining.remove(chosen)
        except MaximumQueriesExceeded:
            pass
        return neighborhoods

    def _place(self, row: int, order: list[list[int]], oracle: Any, found: bool = False) -> None:
        """Put a row into the first neighbourhood that takes it; found: else into one of its own."""
        for rows in order:
            if oracle.query(row, rows[0]):
                rows.append(row)
                return
        if found:
            self.neighborhoods.append([row])


class MinMax(ExploreConsolidate, min_max.MinMax):
    """Mallapragada, Jin and Jain 2008: next the item least like anything asked. Similarity falls with distance, so its
    kernel width changes nothing."""

    def _consolidate(self, neighborhoods: list[list[int]], X: np.ndarray, oracle: Any) -> list[list[int]]:
        skeleton = [i for rows in neighborhoods for i in rows]
        nearest = cdist(X, X[skeleton]).min(1)
        nearest[skeleton] = -1.0
        try:
            while nearest.max() >= 0:
                chosen = int(nearest.argmax())
                near = [np.linalg.norm(X[rows] - X[chosen], axis=1).min() for rows in neighborhoods]
                self._place(chosen, [neighborhoods[at] for at in np.argsort(near, kind="stable")], oracle)
                nearest = np.minimum(nearest, np.linalg.norm(X - X[chosen], axis=1))
                nearest[chosen] = -1.0
        except MaximumQueriesExceeded:
            pass
        return neighborhoods


class NPU(npu.NPU):
    """Xiong, Azimi and Fern 2014: normalised point-based uncertainty by a random forest of the current clustering."""

    def _most_informative(
        self, X: np.ndarray, clusterer: Any, neighborhoods: list[list[int]]
    ) -> tuple[int, list[float] | np.ndarray]:
        asked = [i for rows in neighborhoods for i in rows]
        if len(neighborhoods) <= 1:
            return int(np.random.choice(list(set(range(len(X))) - set(asked)))), [1]  # noqa: NPY002
        leaves = RandomForestClassifier(n_estimators=TREES).fit(X, clusterer.labels_).apply(X)  # (N, TREES)
        belongs = np.stack([_likeness(leaves, rows) for rows in neighborhoods], axis=1)  # (N, L)
        belongs[(belongs == 0).all(1)] = 1
        belongs /= belongs.sum(1, keepdims=True)
        logs = np.log2(np.where(belongs > 0, belongs, 1))
        uncertainty = -(belongs * logs).sum(1)
        uncertainty[asked] = 0
        cost = (belongs * np.cumsum(belongs > 0, axis=1)).sum(1)  # expected answers; in the package's own order
        best = int(np.argmax(uncertainty / cost))
        return best, belongs[best]


def _likeness(leaves: np.ndarray, rows: list[int]) -> np.ndarray:
    """(N,) mean share of trees in which an item falls into the same leaf as these rows."""
    return np.mean([(leaves == leaves[row]).mean(1) for row in rows], axis=0)

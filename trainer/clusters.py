"""The partition before any answer: communities of the nearest-neighbour graph, their number found, not given; and what
its groups fall into when looked at ever more closely, for notions finer than the graph's own.

Source: Traag, Waltman, van Eck 2019, "From Louvain to Leiden: guaranteeing well-connected communities",
arXiv 1810.08473, run by graspologic-native on modularity. Edge weights are scaled locally (Zelnik-Manor and
Perona 2004), so that dense and sparse regions count alike.
"""

import graspologic_native
import numpy as np
import scipy.sparse as sp

from db.errors import BadInput

LINKS = 20  # neighbours of each item that become edges
SCALE_AT = 6  # the distance to this neighbour is an item's own yardstick
RESOLUTION = 0.6  # below 1, modularity's own: coarser. Best mean ARI over five collections of photographs and drawings
CLOSER = (2.0, 6.0)  # resolutions at which groups are taken apart, each inside the one before
APART = 100_000  # items beyond which groups are taken apart one by one: the same modularity, a third less work


def start_partition(vectors: np.ndarray, neighbours: np.ndarray, cosines: np.ndarray, seed: int = 0) -> np.ndarray:
    """Group the items without any answer; the same seed gives the same groups.

    Args: vectors (N, D) float, unit rows; neighbours (N, K) int, positions; cosines (N, K) float.
    Returns: (N,) int64, groups 0..g-1 by falling size. Raises: BadInput where the shapes do not fit.
    """
    count = len(vectors)
    if neighbours.shape != cosines.shape or len(neighbours) != count:
        raise BadInput(
            f"neighbours and cosines must both be ({count}, K), got {neighbours.shape} and {cosines.shape}: "
            "compute both from the same vectors."
        )
    if count < 3 or neighbours.shape[1] == 0:
        return np.zeros(count, np.int64)
    return by_size(communities(neighbour_graph(neighbours, cosines), seed))


def taken_apart(start: np.ndarray, neighbours: np.ndarray, cosines: np.ndarray, seed: int = 0) -> np.ndarray:
    """(L, N) int64: the start groups taken apart, and their parts again. No part lies in two groups of the row before.

    Args: start (N,) as `start_partition` gives it; neighbours, cosines (N, K) as there.
    """
    found = np.zeros((len(CLOSER), len(start)), np.int64)
    if len(start) < 3 or neighbours.shape[1] == 0:
        return found
    graph, whole = neighbour_graph(neighbours, cosines), start
    for level, resolution in enumerate(CLOSER):
        graph = _inside(graph, whole)
        parts = communities(graph, seed, resolution) if len(start) <= APART else _each(graph, whole, seed, resolution)
        whole = found[level] = by_size(parts)
    return found


def _each(graph: sp.csr_matrix, groups: np.ndarray, seed: int, resolution: float) -> np.ndarray:
    """(N,) communities of a graph that has edges within groups alone, found in one group after the other.

    The gain of a move is w - resolution k_i k_j / 2m, with 2m of the whole graph: in a group of its own with 2m_g, the
    same moves gain the same at resolution m_g / m.
    """
    found, weight = np.zeros(len(groups), np.int64), float(graph.data.sum())
    order = np.argsort(groups, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        part = graph[rows][:, rows].tocsr()
        of_it = communities(part, seed, resolution * float(part.data.sum()) / max(weight, 1e-300))
        found[rows] = np.unique(of_it, return_inverse=True)[1] + found.max() + 1
    return found


def _inside(graph: sp.csr_matrix, groups: np.ndarray) -> sp.csr_matrix:
    """The edges within groups alone."""
    rows = np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))
    kept = groups[rows] == groups[graph.indices]
    return sp.csr_matrix((graph.data[kept], (rows[kept], graph.indices[kept])), shape=graph.shape)


def neighbour_graph(neighbours: np.ndarray, cosines: np.ndarray) -> sp.csr_matrix:
    """Symmetric weighted graph of the nearest neighbours: exp(-d_ij^2 / (s_i s_j)), the larger of both directions."""
    near, squared = neighbours[:, :LINKS], 2.0 - 2.0 * cosines[:, :LINKS].astype(np.float64)  # (N, L)
    squared = np.maximum(squared, 0.0)
    scale = np.sqrt(squared[:, min(SCALE_AT, squared.shape[1]) - 1]) + 1e-6  # (N,)
    weights = np.exp(-squared / (scale[:, None] * scale[near])) + 1e-9
    rows = np.repeat(np.arange(len(near)), near.shape[1])
    directed = sp.csr_matrix((weights.ravel(), (rows, near.ravel())), shape=(len(near), len(near)))
    directed.setdiag(0.0)
    directed.eliminate_zeros()
    return directed.maximum(directed.T).tocsr()


def communities(graph: sp.csr_matrix, seed: int, resolution: float = RESOLUTION) -> np.ndarray:
    """Leiden on modularity: (N,) int64 group of every node. An item without an edge is a group of its own."""
    if not graph.nnz:
        return np.arange(graph.shape[0], dtype=np.int64)
    _, found = graspologic_native.leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data.astype(np.float64),
        graph.shape[0],
        resolution=resolution,
        iterations=2,
        seed=seed,
    )
    labels = np.arange(graph.shape[0], dtype=np.int64) + graph.shape[0]
    labels[np.fromiter(found.keys(), np.int64, len(found))] = np.fromiter(found.values(), np.int64, len(found))
    return labels


def by_size(labels: np.ndarray) -> np.ndarray:
    """The same partition with groups renamed 0, 1, ... from the largest to the smallest; ties by first member."""
    _, first, inverse, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[inverse].astype(np.int64)

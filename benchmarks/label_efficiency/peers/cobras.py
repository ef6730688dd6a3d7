"""COBRAS: super-instances by k-means, split and merged by answers; the authors' code from PyPI's `cobras-ts`.

Source: Van Craenendonck, Dumancic, Van Wolputte, Blockeel 2018, "COBRAS: interactive clustering with pairwise
queries", IDA; arXiv 1803.11060. Not told k. The package is from 2020: numpy's old name for int is lent to it while it
runs, and its k-means gets the ten starts that were scikit-learn's default then. Its merging looks at all pairs of up to
a thousand clusters after every answer: the same steps are taken on arrays here.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest import mock

import numpy as np
from cobras_ts import cobras_kmeans
from cobras_ts.clustering import Clustering
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from benchmarks.label_efficiency.trial import BudgetSpent, Trial


def run(trial: Trial) -> None:
    """Cluster until the budget is spent or nothing is left to split."""
    with _of_its_time(trial.seed):
        system = _Cobras(trial)
        try:
            system.cluster()
        except BudgetSpent:
            return
        trial.ended(lambda: np.array(system.clustering.construct_cluster_labeling()))


class _Cobras(cobras_kmeans.COBRAS_kmeans):
    """COBRAS and, in one, the oracle as it calls it. The partition is the last one whose merging was finished; until
    there is one, as far as merging has come, which is what COBRAS returns then."""

    def __init__(self, trial: Trial) -> None:
        rows = trial.features.astype(np.float64)
        super().__init__(rows, self, trial.budget, store_intermediate_results=False)
        self.trial = trial
        self.finished: np.ndarray | None = None

    def query_points(self, idx1: int, idx2: int) -> bool:
        return self.trial.ask(int(idx1), int(idx2), self.labels)

    def continue_cluster_process(self) -> bool:
        return True

    def update_clustering(self, clustering: Clustering) -> None:
        self.finished = np.array(clustering.construct_cluster_labeling())

    def labels(self) -> np.ndarray:
        """The partition now."""
        return np.array(self.clustering.construct_cluster_labeling()) if self.finished is None else self.finished

    def merge_containing_clusters(self, clustering_to_store: Any) -> bool:
        """Ask about the nearest clusters not known to differ until none is left; whether it came to that."""
        between, merged = _Between(self.clustering.clusters, self.cl), True
        while merged and not self._spent():
            for x, y in between.open():
                pair = between.pair(x, y)
                known = pair in self.ml
                if not known and self._spent():
                    return False
                merged = known or self.query_points(*pair)
                if merged:
                    between.join(x, y)
                if not known:
                    (self.ml if merged else self.cl).append(pair)
                if merged:
                    break
                between.closed[x, y] = between.closed[y, x] = True
            else:
                return True
        return False

    def _spent(self) -> bool:
        return len(self.ml) + len(self.cl) >= self.max_questions


class _Between:
    """How far clusters are from each other, by their nearest super-instances, and which are known to differ."""

    def __init__(self, clusters: list[Any], cl: list[tuple[int, int]]) -> None:
        self.clusters = clusters
        parts = [part for cluster in clusters for part in cluster.super_instances]
        sizes = [len(cluster.super_instances) for cluster in clusters]
        starts = np.cumsum([0, *sizes[:-1]])
        centres = np.array([part.centroid for part in parts])
        near = np.minimum.reduceat(cdist(centres, centres), starts, axis=0)
        self.near = np.minimum.reduceat(near, starts, axis=1)  # (K, K)
        home = dict(
            zip((part.representative_idx for part in parts), np.repeat(np.arange(len(sizes)), sizes), strict=True)
        )
        self.closed = np.zeros(self.near.shape, bool)  # (K, K)
        for a, b in cl:
            if a in home and b in home:
                self.closed[home[a], home[b]] = self.closed[home[b], home[a]] = True

    def open(self) -> list[tuple[int, int]]:
        """Pairs of clusters not known to differ, nearest first."""
        rows, columns = np.nonzero(np.triu(~self.closed, 1))
        order = np.argsort(self.near[rows, columns], kind="stable")
        return list(zip(rows[order].tolist(), columns[order].tolist(), strict=True))

    def pair(self, x: int, y: int) -> tuple[int, int]:
        """The items that stand for two clusters."""
        first, second = (self.clusters[at].super_instances[0].representative_idx for at in (x, y))
        return min(first, second), max(first, second)

    def join(self, x: int, y: int) -> None:
        """Cluster y becomes part of x."""
        self.clusters[x].super_instances.extend(self.clusters[y].super_instances)
        del self.clusters[y]
        self.near[x] = self.near[:, x] = np.minimum(self.near[x], self.near[y])
        self.closed[x] = self.closed[:, x] = self.closed[x] | self.closed[y]
        for name in ("near", "closed"):
            setattr(self, name, np.delete(np.delete(getattr(self, name), y, axis=0), y, axis=1))


@contextmanager
def _of_its_time(seed: int) -> Iterator[None]:
    """What the package took for granted, for as long as it runs."""
    kmeans = partial(KMeans, n_init=10, random_state=seed)
    with ExitStack() as lent:
        lent.enter_context(mock.patch.object(np, "int", int, create=True))
        lent.enter_context(mock.patch.object(cobras_kmeans, "KMeans", kmeans))
        yield

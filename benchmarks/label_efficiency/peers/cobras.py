"""COBRAS: super-instances by k-means, split and merged by answers; the authors' code from PyPI's `cobras-ts`.

Source: Van Craenendonck, Dumancic, Van Wolputte, Blockeel 2018, "COBRAS: interactive clustering with pairwise
queries", IDA; arXiv 1803.11060. Not told k. The package is from 2020: numpy's old name for int is lent to it while it
runs, and its k-means gets the ten starts that were scikit-learn's default then.
"""

from functools import partial
from unittest import mock

import numpy as np
from cobras_ts import cobras_kmeans
from cobras_ts.clustering import Clustering
from sklearn.cluster import KMeans

from benchmarks.label_efficiency.trial import BudgetSpent, Trial


class _Querier:
    """The oracle as COBRAS calls it (its own base class needs a web server). The last partition whose merging was
    finished is the partition."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.labels = trial, np.zeros(len(trial.features), np.int64)

    def query_points(self, idx1: int, idx2: int) -> bool:
        return self.trial.ask(int(idx1), int(idx2), lambda: self.labels)

    def continue_cluster_process(self) -> bool:
        return True

    def update_clustering(self, clustering: Clustering) -> None:
        self.labels = np.array(clustering.construct_cluster_labeling())


def run(trial: Trial) -> None:
    """Cluster until the budget is spent."""
    kmeans = partial(KMeans, n_init=10, random_state=trial.seed)
    querier, rows = _Querier(trial), trial.features.astype(np.float64)
    with mock.patch.object(np, "int", int, create=True), mock.patch.object(cobras_kmeans, "KMeans", kmeans):
        system = cobras_kmeans.COBRAS_kmeans(rows, querier, trial.budget, store_intermediate_results=False)
        try:
            last = np.array(system.cluster().construct_cluster_labeling())
        except BudgetSpent:
            last = querier.labels
    trial.ended(lambda: last)

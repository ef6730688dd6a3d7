"""UMAP: a map on which neighbours in the embedding stay neighbours, at the price of minutes for a large collection.

Source: McInnes, Healy and Melville, 2018, "UMAP: Uniform Manifold Approximation and Projection for Dimension
Reduction", arXiv 1802.03426; code: umap-learn, by its first author.
Differs from its defaults: the neighbours are the exact ones of the snapshot, and the start is the PCA map, so that the
two maps of a version lie the same way up (Kobak and Linderman, 2021, say why a start that means something matters).
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from db.nouns import Snapshot
from trainer.planar import pca

NEAR = 15  # umap-learn's default; an item counts as its own nearest
LEAST = 5  # items: below, there is no neighbourhood to keep, and PCA is the map
EPOCHS, EPOCHS_LARGE, LARGE = 500, 200, 10_000  # umap-learn's own
TEN = 10.0  # umap-learn scales its starts to this
Told = Callable[[int, int], object]


class Stopped(Exception):
    """Somebody asked to stop between two epochs."""


def umap_map(
    snapshot: Snapshot, told: Told = lambda *_: None, stopped: Callable[[], bool] = lambda: False, seed: int = 0
) -> np.ndarray | None:
    """(N, 2) float32; None if stopped. told: epochs done, of how many. The same seed gives the same map."""
    if len(snapshot.ids) < LEAST or snapshot.neighbours.shape[1] < 2:
        return pca(snapshot.vectors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numba and umap tell of their own defaults
        from umap import UMAP

        epochs = EPOCHS_LARGE if len(snapshot.ids) > LARGE else EPOCHS
        watch = _Watch(told, stopped)
        near, far = _graph(snapshot)
        model = UMAP(
            n_neighbors=near.shape[1], n_epochs=epochs, init=_start(snapshot.vectors), random_state=seed, n_jobs=1,
            metric="cosine", precomputed_knn=(near, far), force_approximation_algorithm=True, verbose=True,
            tqdm_kwds={"file": watch, "bar_format": "{n}/{total}", "mininterval": 0.2, "disable": False},
        )  # fmt: skip
        try:
            with _quiet():
                return np.asarray(model.fit_transform(snapshot.vectors), np.float32)
        except Stopped:
            return None


def _graph(snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours (N, K) and cosine distances, each item first among its own, as umap-learn wants them."""
    k = min(NEAR - 1, snapshot.neighbours.shape[1])
    own = np.arange(len(snapshot.ids))[:, None]
    near = np.hstack([own, snapshot.neighbours[:, :k]]).astype(np.int32)
    far = np.hstack([np.zeros_like(own, np.float32), np.maximum(1 - snapshot.cosines[:, :k], 0)])
    return near, far.astype(np.float32)


def _start(vectors: np.ndarray) -> np.ndarray:
    """The PCA map at the size UMAP starts from, with a little noise: items in one place would never part."""
    flat = pca(vectors)
    widest = float(np.abs(flat).max()) or 1.0
    return np.asarray(flat / widest * TEN + np.random.default_rng(0).normal(0, 1e-4, flat.shape), np.float32)


class _Watch:
    """What umap-learn takes for a terminal: reads "epoch/epochs" off its progress bar."""

    def __init__(self, told: Told, stopped: Callable[[], bool]) -> None:
        self.told, self.stopped = told, stopped

    def write(self, text: str) -> int:
        done, slash, of = text.strip().partition("/")
        if slash and done.isdigit() and of.isdigit():
            self.told(int(done), int(of))
        if self.stopped():
            raise Stopped
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""


def _quiet() -> Any:
    """umap-learn tells its steps with print when it has a progress bar; nobody is there to read them."""
    from contextlib import redirect_stdout
    from io import StringIO

    return redirect_stdout(StringIO())

"""Features of small grey pictures, learnt from the pictures alone: one layer of k-means on whitened patches.

Source: Coates, Ng, Lee 2011, "An analysis of single-layer networks in unsupervised feature learning", AISTATS.
Differs from the paper: pooled over a 3 x 3 grid instead of quadrants, then reduced to 64 dimensions.
"""

import gzip
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA

from db.errors import NotFound

PATCH, CENTRES, SAMPLE = 7, 200, 60_000
PICTURES = 6000  # the layer is learnt on these
GRID = ((0, 7), (7, 15), (15, 22))  # pooling cells along one side of the 22 patch positions
KEPT = 64
BLOCK = 100  # pictures at once


def fashion_features(source: Path, cache: Path) -> tuple[np.ndarray, np.ndarray]:
    """(6000, 64) float32 unit rows and (6000,) garments of Fashion-MNIST's test pictures; about a minute, then cached.

    Raises: NotFound where the Debian package is not installed.
    """
    kept = cache / "fashion.npz"
    if not kept.exists():
        pictures, garments = _read(source)
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(kept, X=_features(pictures), y=garments)
    with np.load(kept) as stored:
        return stored["X"], stored["y"]


def _read(source: Path) -> tuple[np.ndarray, np.ndarray]:
    images, labels = source / "t10k-images-idx3-ubyte.gz", source / "t10k-labels-idx1-ubyte.gz"
    if not images.exists():
        raise NotFound(f"no Fashion-MNIST in {source}. Install it: apt-get install dataset-fashion-mnist.")
    pixels = np.frombuffer(gzip.decompress(images.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)
    garments = np.frombuffer(gzip.decompress(labels.read_bytes()), np.uint8, offset=8)
    return pixels[:PICTURES].astype(np.float32) / 255, garments[:PICTURES].astype(np.int64)


def _features(pictures: np.ndarray) -> np.ndarray:
    windows = sliding_window_view(pictures, (PATCH, PATCH), axis=(1, 2))  # (n, 22, 22, 7, 7)
    mean, whiten, centres = _layer(windows)
    pooled = np.concatenate(
        [_pooled(windows[at : at + BLOCK], mean, whiten, centres) for at in range(0, len(windows), BLOCK)]
    )
    scaled = _unit((pooled - pooled.mean(0)) / (pooled.std(0) + 0.01))
    return _unit(PCA(KEPT, random_state=0).fit_transform(scaled)).astype(np.float32)


def _layer(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean patch (49,), the whitening matrix (49, 49) and the centres (200, 49), from random patches."""
    random, (count, side) = np.random.default_rng(0), windows.shape[:2]
    sample = windows[
        random.integers(count, size=SAMPLE), random.integers(side, size=SAMPLE), random.integers(side, size=SAMPLE)
    ].reshape(-1, PATCH * PATCH)
    sample = _contrast(sample[sample.std(1) > 0.02])  # flat patches say nothing
    mean = sample.mean(0)
    values, vectors = np.linalg.eigh(np.cov((sample - mean).T))
    whiten = vectors @ np.diag(1 / np.sqrt(values + 0.1)) @ vectors.T
    found = MiniBatchKMeans(CENTRES, random_state=0, n_init=3, batch_size=2048).fit((sample - mean) @ whiten)
    return mean, whiten, found.cluster_centers_


def _pooled(windows: np.ndarray, mean: np.ndarray, whiten: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(n, 9 * 200) mean activation of each centre in each cell: how much nearer it is than centres are on the whole."""
    count, side = windows.shape[:2]
    patches = (_contrast(windows.reshape(-1, PATCH * PATCH)) - mean) @ whiten
    squared = (patches**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * patches @ centres.T
    distance = np.sqrt(np.maximum(squared, 0))
    active = np.maximum(distance.mean(1, keepdims=True) - distance, 0).reshape(count, side, side, -1)
    cells = [active[:, a:b, c:d].mean((1, 2)) for a, b in GRID for c, d in GRID]
    return np.concatenate(cells, axis=1)


def _contrast(patches: np.ndarray) -> np.ndarray:
    return (patches - patches.mean(1, keepdims=True)) / np.sqrt(patches.var(1, keepdims=True) + 0.01)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)

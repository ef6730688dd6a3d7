"""Pictures and embeddings for any size: real ones as far as they go, then real ones moved along their neighbours.

    x' = x_i + t (x_j - x_k),   t uniform in [-1, 1],   j != k among the NEAR real neighbours of i

So made-up items lie where real ones vary, at about the distances at which real ones lie from each other. The truth that
a scripted oracle answers from is k-means on the real embeddings, an item's group is that of the real one it came from.
"""

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.propose import GROUPS
from db.errors import NotFound

FASHION = Path("/usr/share/datasets/fashion-mnist")
ENDINGS = {".jpg", ".jpeg", ".png"}
NEAR = 10  # real neighbours along which an item is moved
BLOCK = 8192


def pictures(archives: Path, fashion: Path, most: int, seed: int) -> list[bytes]:
    """Encoded pictures, about as many from each source, shuffled. Raises NotFound where there is no source."""
    sources = [_zipped(path) for path in sorted(archives.glob("*.zip"))]
    if (file := fashion / "train-images-idx3-ubyte.gz").exists():
        sources.append(_drawn(file))
    found = [file for file in (_turns(sources, most)) if file]
    if not found:
        raise NotFound(f"no pictures in {archives}. Give a folder of ZIP files of pictures with --archives.")
    return [found[at] for at in np.random.default_rng(seed).permutation(len(found))]


def _turns(sources: list[Iterator[bytes]], most: int) -> list[bytes]:
    """One from each source in turn, until there are enough or all have run out."""
    found: list[bytes] = []
    while sources and len(found) < most:
        for source in list(sources):
            one = next(source, None)
            if one is None:
                sources.remove(source)
            elif len(found) < most:
                found.append(one)
    return found


def _zipped(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as pack:
        names = sorted(name for name in pack.namelist() if Path(name).suffix.lower() in ENDINGS)
        for at in np.random.default_rng(0).permutation(len(names)):
            yield pack.read(names[at])


def _drawn(file: Path) -> Iterator[bytes]:
    """Fashion-MNIST as PNG files."""
    with gzip.open(file) as raw:
        raw.read(16)
        while len(pixels := raw.read(28 * 28)) == 28 * 28:
            out = io.BytesIO()
            Image.frombytes("L", (28, 28), pixels).save(out, "PNG")
            yield out.getvalue()


def neighbours_and_groups(real: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(R, NEAR) real neighbours of real rows, and the (R,) group of each by k-means."""
    import faiss

    rows = np.ascontiguousarray(real - real.mean(0), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    near = faiss.knn(rows, rows, NEAR + 1, metric=faiss.METRIC_INNER_PRODUCT)[1][:, 1:]
    means = faiss.Kmeans(rows.shape[1], GROUPS, niter=20, seed=seed + 1, spherical=True)
    means.train(rows)
    return near, means.index.search(rows, 1)[1][:, 0]


def origins(real: int, items: int, seed: int) -> np.ndarray:
    """(N,) the real row each item comes from: every real one first, then any."""
    more = np.random.default_rng([seed, items]).integers(0, real, max(items - real, 0))
    return np.concatenate([np.arange(min(real, items)), more])


def resampled(real: np.ndarray, near: np.ndarray, items: int, seed: int) -> Iterator[np.ndarray]:
    """(n, D) float16 blocks of N items in all: the real rows as they are, then moved ones."""
    came, random = origins(len(real), items, seed), np.random.default_rng([seed, items, 1])
    for at in range(0, items, BLOCK):
        rows = came[at : at + BLOCK]
        moved = at + np.arange(len(rows)) >= len(real)
        one, step = random.integers(0, near.shape[1], len(rows)), random.integers(1, near.shape[1], len(rows))
        ends = near[rows[:, None], np.stack([one, (one + step) % near.shape[1]], axis=1)]  # (n, 2), never the same
        length = np.where(moved, random.uniform(-1, 1, len(rows)), 0.0).astype(np.float32)[:, None]
        yield (real[rows] + length * (real[ends[:, 0]] - real[ends[:, 1]])).astype(np.float16)

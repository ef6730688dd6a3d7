"""An embedding on paper: two numbers an item, by PCA at once, and maps of two versions laid over each other.

Plain numpy: 100,000 items take a fraction of a second, so the map is there before UMAP (`trainer.umap_map`).
"""

import numpy as np
from scipy.linalg import orthogonal_procrustes

BLOCK = 16_384  # rows at once: float64 sums without a float64 copy of everything


def pca(vectors: np.ndarray) -> np.ndarray:
    """(N, D) -> (N, 2) float32: where the rows lie along the two directions in which they vary most.

    The directions are the leading eigenvectors of the covariance; each is turned so that its largest entry is positive,
    so the same vectors always give the same map. Fewer than two directions leave zeros.

    Source: Pearson, 1901, "On lines and planes of closest fit to systems of points in space".
    """
    flat = np.zeros((len(vectors), 2), np.float32)
    if len(vectors) < 2:
        return flat
    mean = vectors.mean(axis=0, dtype=np.float64)
    spread = np.zeros((vectors.shape[1],) * 2)
    for at in range(0, len(vectors), BLOCK):
        rows = vectors[at : at + BLOCK] - mean
        spread += rows.T @ rows
    axes = np.linalg.eigh(spread)[1][:, ::-1][:, :2]  # (D, 2)
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])] < 0, -1.0, 1.0)
    flat[:, : axes.shape[1]] = (vectors @ axes.astype(np.float32)) - (mean @ axes).astype(np.float32)
    return flat


def laid_over(ids: np.ndarray, points: np.ndarray, onto_ids: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Turn, mirror, scale and shift a map so that its items come as near as possible to where another map has them.

    With the shared items of both maps centred, X (M, 2) here and Y (M, 2) there, both brought to the same size,
        min over R of |s X R - Y|^2,  R = U V' of the SVD of X'Y,  s = |Y| / |X|,
    and every point of this map is moved alike: distances within it keep their proportions. Fewer than two shared items,
    or all of them in one place, leave nothing to turn by: then only the middles are laid over each other.

    Args: ids (N,), onto_ids (M,) strictly rising; points (N, 2), onto (M, 2). Returns: (N, 2) float32.
    Source: Schönemann, 1966, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31.
    Differs from the least squares scale tr(S) / |X|^2, which shrinks a map the more, the less the two have in common;
    here both stay as large as they are drawn, and only what moved within them is seen.
    """
    shared, here, there = np.intersect1d(ids, onto_ids, assume_unique=True, return_indices=True)
    if len(shared) == 0:
        return points.astype(np.float32)
    x, y = points[here].astype(np.float64), onto[there].astype(np.float64)
    middle, target = x.mean(axis=0), y.mean(axis=0)
    x, y = x - middle, y - target
    size, wanted = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    if size == 0 or wanted == 0:
        return np.asarray(points - middle + target, np.float32)
    turn, _ = orthogonal_procrustes(x, y)
    return np.asarray((points - middle) @ turn * (wanted / size) + target, np.float32)

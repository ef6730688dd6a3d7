"""Visual words: every place of a picture sorted under the nearest of K means, so that a hidden one can be told.

    code(x_p) = argmin_k |x_p - c_k|^2          x_p: the place's pixels, averaged down to 2 x 2

Source: the visual tokens of Bao, Dong, Piao, Wei 2022, "BEiT", arXiv 2106.08254, section 2.1.
Differs from the paper: k-means of coarse pixels in place of a discrete variational autoencoder.
"""

from dataclasses import dataclass

import faiss
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

FINE = 2  # values a side that stand for a place
SAMPLE = 2048  # pictures that the means are found from
ROUNDS = 20  # of k-means


@dataclass(frozen=True, eq=False)
class Codes:
    """means: (K, D). grid: places a side."""

    means: Tensor
    grid: int

    @classmethod
    def learnt(cls, pictures: np.ndarray, grid: int, count: int, seed: int = 0) -> "Codes":
        """Of (N, S, S, 3) uint8 pictures, or of (N, s, s, C) maps. The same pictures and seed give the same."""
        some = np.sort(np.random.default_rng(seed).permutation(len(pictures))[:SAMPLE])
        shown = torch.from_numpy(np.ascontiguousarray(pictures[some])).permute(0, 3, 1, 2)
        seen = patches(shown.float() / 255 if shown.dtype == torch.uint8 else shown.float(), grid).flatten(0, 1).numpy()
        count = min(count, len(np.unique(seen, axis=0)))
        means = faiss.Kmeans(seen.shape[1], count, niter=ROUNDS, seed=seed, min_points_per_centroid=1)
        means.train(np.ascontiguousarray(seen))
        return cls(torch.from_numpy(np.array(means.centroids)), grid)

    def __call__(self, view: Tensor) -> Tensor:
        """(B, C, s, s) -> (B, P) int64"""
        return torch.cdist(patches(view.float(), self.grid), self.means.to(view.device)).argmin(2)


def patches(view: Tensor, grid: int) -> Tensor:
    """(B, C, s, s) -> (B, grid * grid, C * FINE * FINE), row by row."""
    cells = adaptive_avg_pool2d(view, grid * FINE).unflatten(3, (grid, FINE)).unflatten(2, (grid, FINE))
    return cells.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)  # (B, grid, grid, C, FINE, FINE) before

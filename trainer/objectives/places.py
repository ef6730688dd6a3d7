"""Say from a picture in which part of the world it was taken: clusters of latitude and longitude as classes.

    L = - mean over anchors with a place of log g_i[y_i]         g: chances of the groups, y: nearest of the k-means

Source: Ayush, Uzkent, Meng, Tanmay, Burke, Lobell, Ermon 2021, "Geography-aware self-supervised learning", arXiv
2011.09980, section 4.1.
Differs from the paper: k-means of points on the sphere in place of degrees, so that the antimeridian cuts no cluster.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import faiss
import numpy as np
import torch
from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Whole
from trainer.attributes import Attributes
from trainer.kernels import on_sphere
from trainer.pool import Pool

STEPS = 25  # of k-means


@dataclass
class Objective:
    """clusters: parts of the world, at most, and at most as many as the pool has groups. seed: of k-means. Needs
    `pool.anchor_groups`."""

    repels: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("anchor_groups",)
    clusters: int = 100
    seed: Whole = 0
    _ids: Tensor = field(init=False, repr=False, compare=False)
    _codes: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.clusters < 2:
            raise BadInput(f"clusters = at least 2 expected, got {self.clusters}.")
        self._ids, self._codes = torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)

    def learn_of(self, attributes: Attributes) -> None:
        """Cluster the places of all items. Raises: BadInput where none is known."""
        where = attributes.places()
        if np.isnan(where).all():
            raise BadInput("these pictures have no latitude and longitude. Import them with --latitude-column.")
        self._ids = torch.from_numpy(attributes.ids)
        self._codes = torch.from_numpy(parts_of_the_world(where, self.clusters, self.seed))

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in nats; exactly 0 where no anchor has a place."""
        if pool.anchor_groups is None:
            raise BadInput("the objective 'places' needs pool.anchor_groups (B, C), got None.")
        groups = pool.anchor_groups
        codes = self._of(pool.anchor_ids[: len(groups)]).to(groups.device)
        chance = groups.gather(1, codes.clamp_min(0)[:, None])[:, 0].clamp_min(1e-12)
        known = (codes >= 0) & (codes < groups.shape[1])
        return -torch.where(known, chance.log(), 0.0).sum() / known.sum().clamp_min(1)

    def _of(self, ids: Tensor) -> Tensor:
        """(n,) class of items, -1 unknown."""
        wanted = ids.cpu()
        if not len(self._ids):
            return torch.full_like(wanted, -1)
        at = torch.searchsorted(self._ids, wanted).clamp_max(len(self._ids) - 1)
        return torch.where(self._ids[at] == wanted, self._codes[at], -1)


def parts_of_the_world(where: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """(N,) int64 cluster of each of (N, 2) degrees, -1 where unknown."""
    known = ~np.isnan(where).any(1)
    points = on_sphere(where[known]).astype(np.float32)
    count = min(clusters, len(np.unique(points, axis=0)))
    means = faiss.Kmeans(3, count, niter=STEPS, seed=seed, min_points_per_centroid=1)
    means.train(np.ascontiguousarray(points))
    codes = np.full(len(where), -1, np.int64)
    codes[known] = means.index.search(np.ascontiguousarray(points), 1)[1][:, 0]
    return codes

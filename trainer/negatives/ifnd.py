"""Find false negatives by clusters of the current embeddings, the surest first, more of them as training goes on.

    kappa_i = <z_i, c_own> - <z_i, c_next>      how much nearer an item is to its own centre than to the next one
    accepted: the items with the highest kappa, a share of them that rises linearly from 0 to 1 over training
    F_i     = accepted keys in the cluster of an accepted anchor, in most of several clusterings of different fineness

Source: Chen, Hung, Tseng, Chien, Yang 2022, "Incremental false negative detection for contrastive learning" (IFND),
arXiv 2106.03719, section 3. Official code: github.com/tsaishien-chen/IFND.
Differs from the paper: kappa is a margin of our own (the published formula was not at hand); clusterings vote instead
of forming a hierarchy; a key that an answer calls different neither pulls nor is cancelled. Between two looks at all
items the clusters stand still.
"""

from dataclasses import dataclass, field
from typing import Annotated

import faiss
import numpy as np
import torch
from sklearn.cluster import kmeans_plusplus
from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Bounds, Count, Whole
from trainer.negatives.fnc import cancelled
from trainer.pool import Pool

STEPS = 20  # of k-means


@dataclass
class NegativePolicy:
    """coarsest: centres of the first clustering; each next one of `levels` has twice as many. mode: 'eliminate' or
    'attract'. seed: of k-means."""

    coarsest: Annotated[int, Bounds(2)] = 10
    levels: Count = 3
    mode: str = "eliminate"
    seed: Whole = 0
    ids: Tensor = field(init=False, repr=False, compare=False)
    groups: Tensor = field(init=False, repr=False, compare=False)  # (levels, N), -1 where not accepted

    def __post_init__(self) -> None:
        if self.mode not in ("eliminate", "attract"):
            raise BadInput(f"mode = eliminate or attract expected, got '{self.mode}'.")
        if self.coarsest < 2 or self.levels < 1:
            raise BadInput(f"2 centres and 1 level or more expected, got {self.coarsest} and {self.levels}.")
        self.ids = torch.zeros(0, dtype=torch.int64)
        self.groups = torch.zeros(self.levels, 0, dtype=torch.int64)

    def __call__(self, pool: Pool) -> Pool:
        votes = torch.zeros_like(pool.own, dtype=torch.int64)
        for groups in self.groups:
            anchors, keys = self._of(pool.anchor_ids, groups), self._of(pool.key_ids, groups)
            votes += (anchors[:, None] == keys[None, :]) & (anchors[:, None] >= 0)
        return cancelled(pool, votes * 2 > self.levels, attract=self.mode == "attract")

    def refresh(self, embeddings: Tensor, ids: Tensor, progress: float) -> None:
        """Cluster all items anew. embeddings: (N, d) unit rows. ids: (N,). progress: share of the training done."""
        order = torch.argsort(ids)
        vectors = np.ascontiguousarray(embeddings[order].detach().float().cpu().numpy())
        self.ids = ids[order].cpu()
        found = [self._clustered(vectors, self.coarsest * 2**level, progress) for level in range(self.levels)]
        self.groups = torch.from_numpy(np.stack(found))

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"ids": self.ids, "groups": self.groups}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with the clusters of a checkpoint."""
        self.ids, self.groups = state["ids"].cpu(), state["groups"].cpu()

    def _clustered(self, vectors: np.ndarray, centres: int, progress: float) -> np.ndarray:
        """(N,) cluster of each accepted item, -1 for the others."""
        centres = min(centres, len(vectors))
        means = faiss.Kmeans(
            vectors.shape[1], centres, niter=STEPS, seed=self.seed, spherical=True, min_points_per_centroid=1
        )
        # k-means++: from random rows k-means stays where it glued two groups and tore a third
        means.train(vectors, init_centroids=kmeans_plusplus(vectors, centres, random_state=self.seed)[0])
        likeness = vectors @ np.asarray(means.centroids).T  # (N, k)
        group = likeness.argmax(1)
        nearest = -np.sort(-likeness, axis=1)[:, :2]
        kappa = nearest[:, 0] - nearest[:, -1]
        group[np.argsort(-kappa, kind="stable")[round(progress * len(vectors)) :]] = -1
        return np.asarray(group, dtype=np.int64)

    def _of(self, wanted: Tensor, groups: Tensor) -> Tensor:
        """(n,) cluster of items by id, -1 for those never seen."""
        if not len(self.ids):
            return torch.full_like(wanted, -1)
        ids, groups = self.ids.to(wanted.device), groups.to(wanted.device)
        place = torch.searchsorted(ids, wanted).clamp_max(len(ids) - 1)
        return torch.where(ids[place] == wanted, groups[place], -1)

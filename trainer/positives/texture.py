"""Pictures with a like surface pull: clusters of texture, found anew each epoch, give every picture a partner.

    groups = k-means of [textures ; progress * z],    partner of i ~ the others of its group,    pos_ij = weight

Anchors are drawn so that every group weighs the same in sum. With the share of the training done the embedding joins
the texture. Other pictures of the group do not push.

Source: Panambur, Chakraborty, Meyer, Milliken, Learned-Miller, Parente 2022, "Self-supervised learning to guide
scientifically relevant categorization of Martian terrain images", CVPR workshops, arXiv 2204.09854, section 3.
Official code: TejasPanambur/mastcam (not copied from).
Differs from the paper: see trainer/texture.py; the embedding joins by concatenation. Where nobody shows it pictures, as
when methods are compared before training, the embedding alone is clustered.
"""

from dataclasses import dataclass, field

import faiss
import numpy as np
import torch
from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Count, Weight, Whole
from trainer import chance
from trainer.kernels import Equal, Rule, balanced
from trainer.partners import partners
from trainer.pool import Pool
from trainer.positives._drawn import Drawn, pulling
from trainer.texture import textures

STEPS, LEAST = 20, 4  # of k-means; pictures a group has on average, at least


@dataclass
class PositiveSource:
    """clusters: groups at most. words: of the texture encoding. weight: of the pull, >= 0. seed: of all draws."""

    clusters: int = 150
    words: Count = 16
    weight: Weight = 1.0
    seed: Whole = 0
    drawn: Drawn | None = field(default=None, init=False, repr=False, compare=False)
    ids: Tensor = field(init=False, repr=False, compare=False)
    codes: Tensor = field(init=False, repr=False, compare=False)  # (N,) group of each
    _surface: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.clusters < 2 or self.words < 1:
            raise BadInput(f"2 clusters and 1 word or more expected, got {self.clusters} and {self.words}.")
        self.ids, self.codes = torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)

    def __call__(self, pool: Pool) -> Pool:
        if self.drawn is None:
            return pool
        one, other = self._groups_of(pool.anchor_ids), self._groups_of(pool.key_ids)
        alike = ((one[:, None] == other[None]) & (one >= 0)[:, None]).to(pool.own.device) & ~pool.own
        return pulling(pool, self.drawn.mates(pool), self.weight, resting=alike)

    def look_at(self, pictures: np.ndarray) -> None:
        """Encode the texture of (N, S, S, 3) uint8, in the order of the items' ids."""
        if pictures.ndim == 4 and pictures.shape[3] == 3 and pictures.dtype == np.uint8:
            self._surface = textures(pictures, self.words, self.seed)

    def refresh(self, embeddings: Tensor, ids: Tensor, progress: float) -> None:
        """Find the groups anew. embeddings: (N, d) unit rows of ids (N,)."""
        order = torch.argsort(ids)
        self.ids = ids[order].cpu()
        table = embeddings[order].detach().float().cpu().numpy()
        if self._surface is not None:
            table = np.concatenate([self._surface, progress * table], 1)
        count = max(min(self.clusters, len(table) // LEAST), 1)
        means = faiss.Kmeans(table.shape[1], count, niter=STEPS, seed=self.seed, min_points_per_centroid=1)
        means.train(np.ascontiguousarray(table, np.float32))
        _, found = means.index.search(np.ascontiguousarray(table, np.float32), 1)
        self.codes = torch.from_numpy(found[:, 0].astype(np.int64))

    def deal(self, epoch: int) -> None:
        """Draw the partners of an epoch; the same epoch and seed draw the same."""
        if len(self.codes):
            random = np.random.default_rng((self.seed, chance.MATES, epoch))
            drawn = partners(Rule((Equal(self.codes.numpy()),)), random)
            self.drawn = Drawn.of(self.ids.numpy(), drawn)

    def anchors(self) -> np.ndarray | None:
        """(N,) weights of the anchors: every group weighs the same in sum."""
        return balanced(self.codes.numpy()) if len(self.codes) else None

    def _groups_of(self, ids: Tensor) -> Tensor:
        """(n,) group of items, -1 for one that is not here."""
        rows = self.drawn.rows(ids) if self.drawn is not None else torch.full_like(ids, -1)
        return torch.where(rows >= 0, self.codes[rows.clamp_min(0)], -1)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"ids": self.ids, "codes": self.codes}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with the groups of a checkpoint."""
        self.ids, self.codes = state["ids"].cpu(), state["codes"].cpu()

"""Between two pictures without a picture: every key of the batch is mixed with a neighbour's, and pulls as its own.

    c_i  <-  normalise(a c_i + (1 - a) c_n(i)),    a ~ U(least, 1),    pos_ii = weight

n(i) is a key that answers put together with c_i's item, else the nearest key of another item, as long as nothing holds
the two apart. The mixed key stays c_i's: its id, its chances and its answers do not change. A key without a neighbour
that may be taken stays as it is.

Source: Zhu, Zhao, Liu, Sun, Chen 2021, "Improving contrastive learning by visualizing feature transformation", arXiv
2108.02982, section 4 (positives made of features); Zeng et al. 2024 (CLSP), arXiv 2408.16965 (a share of the anchor's
feature kept). No code was copied.
Differs from the papers: the first extrapolates between two views of a picture, the second mixes inside a generator;
here a key moves some way to a neighbour, which answers can name and refuse.
"""

from dataclasses import dataclass, replace

import torch
from torch.nn.functional import normalize

from db.errors import BadInput
from oracle.bounds import Weight
from trainer.negatives._drawing import Drawing
from trainer.pool import Pool
from trainer.positives._near import nearest


@dataclass
class PositiveSource(Drawing):
    """least: smallest share of the own key, in (0, 1]. weight: of the pull, >= 0."""

    least: float = 0.5
    weight: Weight = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.least <= 1:
            raise BadInput(f"least = above 0 and at most 1 expected, got {self.least}.")

    def __call__(self, pool: Pool) -> Pool:
        own = pool.own.to(pool.pos.dtype) * self.weight
        pulling = replace(pool, pos=torch.maximum(pool.pos, own), neg=pool.neg.masked_fill(pool.own, 0.0))
        return replace(pulling, keys=self._mixed(pool))

    def _mixed(self, pool: Pool) -> torch.Tensor:
        """(K, d): the first keys, one an anchor, moved; the others as they are."""
        count = min(len(pool.anchors), len(pool.keys))
        batch, rows = pool.keys[:count], pool.anchor_ids[:count]
        if not torch.equal(rows, pool.key_ids[:count]):
            return pool.keys  # these keys are not the anchors' own, so nothing says whom they may meet
        may = (pool.said[:count] >= 0) & (rows[:, None] != pool.key_ids[None, :])  # (C, K)
        linked = pool.said[:count] > 0
        place, allowed = nearest(batch, pool.keys, may & linked, 1)
        other, allowed_too = nearest(batch, pool.keys, may, 1)
        found = torch.where(allowed, place, other)[:, 0]
        moves = (allowed | allowed_too)[:, :1]
        share = torch.rand(count, 1, generator=self.random, dtype=torch.float64).to(batch)
        a = self.least + (1 - self.least) * share
        mixed = normalize(a * batch + (1 - a) * pool.keys[found].detach(), dim=1)
        return torch.cat([torch.where(moves, mixed, batch), pool.keys[count:]])

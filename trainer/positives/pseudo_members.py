"""Items the belief is nearly sure of pull too, by their confidence: pseudo-labels from propagation.

Source: Iscen, Tolias, Avrithis, Chum 2019, "Label propagation for deep semi-supervised learning", arXiv 1904.04717,
with the
posterior in place of their entropy weight.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import torch

from oracle.bounds import Bounds, Weight
from trainer.pool import Pool


@dataclass(frozen=True)
class PositiveSource:
    """cutoff: chance of belonging together below which nothing pulls, in (0.5, 1). weight: at certainty, >= 0."""

    cutoff: Annotated[float, Bounds(0.5, 1, above=True, below=True)] = 0.9
    weight: Weight = 0.3

    def __call__(self, pool: Pool) -> Pool:
        likely = (pool.same >= self.cutoff) & (pool.said >= 0) & ~pool.own  # (B, K)
        pull = torch.where(likely, self.weight * pool.same, 0.0)
        return replace(pool, pos=torch.maximum(pool.pos, pull), neg=pool.neg.masked_fill(pull > 0, 0.0))

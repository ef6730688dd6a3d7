"""The anchor's own other view pulls: instance discrimination.

Source: Chen, Kornblith, Norouzi, Hinton 2020, "A simple framework for contrastive learning" (SimCLR), arXiv 2002.05709.
"""

from dataclasses import dataclass, replace

import torch

from oracle.bounds import Weight
from trainer.pool import Pool


@dataclass(frozen=True)
class PositiveSource:
    """weight: pull of the own view beside other positives, >= 0."""

    weight: Weight = 1.0

    def __call__(self, pool: Pool) -> Pool:
        own = pool.own.to(pool.pos.dtype) * self.weight  # (B, K)
        return replace(pool, pos=torch.maximum(pool.pos, own), neg=pool.neg.masked_fill(pool.own, 0.0))

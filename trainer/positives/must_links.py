"""Items that answers put together pull each other, by how sure the answers are.

Source: Khosla et al. 2020, "Supervised contrastive learning", arXiv 2004.11362, L_out with a pair mask in place of
labels;
extended to queried pairs as in Wang et al. 2022 (OCC), arXiv 2211.00409.
"""

from dataclasses import dataclass, replace

import torch

from oracle.bounds import Weight
from trainer.pool import Pool


@dataclass(frozen=True)
class PositiveSource:
    """weight: pull of a must-link, >= 0, times the chance that the two belong together."""

    weight: Weight = 1.0

    def __call__(self, pool: Pool) -> Pool:
        linked = (pool.said > 0) & ~pool.own  # (B, K)
        pull = torch.where(linked, self.weight * pool.same, 0.0)
        return replace(pool, pos=torch.maximum(pool.pos, pull), neg=pool.neg.masked_fill(pull > 0, 0.0))

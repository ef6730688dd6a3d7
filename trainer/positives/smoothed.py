"""Smoothed labels: the own key pulls most, every other key a little, and so pushes nowhere on its own.

    pos_ii = 1 - epsilon + epsilon / K,    pos_ij = epsilon / K         over K keys

With `contrast` (all, out) it is cross-entropy with smoothed labels.
Source: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, "Rethinking the inception architecture", arXiv 1512.00567,
section 7; for pictures and words: Jia et al. 2021 (ALIGN), arXiv 2102.05918, section 5.
"""

from dataclasses import dataclass, replace

import torch

from db.errors import BadInput
from trainer.pool import Pool


@dataclass(frozen=True)
class PositiveSource:
    """epsilon: the share of the pull that is spread over all keys, in [0, 1)."""

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon < 1:
            raise BadInput(f"epsilon = at least 0 and below 1 expected, got {self.epsilon}.")

    def __call__(self, pool: Pool) -> Pool:
        own = pool.own.to(pool.pos.dtype)
        own = own / own.sum(1, keepdim=True).clamp_min(1)
        spread = self.epsilon / max(own.shape[1], 1)
        pos = torch.maximum(pool.pos, (1 - self.epsilon) * own + spread)
        return replace(pool, pos=pos, neg=pool.neg.masked_fill(pos > 0, 0.0))

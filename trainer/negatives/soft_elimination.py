"""An unlabelled pair pushes only as far as it is likely to be different: weight 1 - p(same). The default.

Source: our own; the soft form of false-negative elimination (Huynh et al. 2022, arXiv 2011.11765), which removes
above a cut-off.
Differs: p(same) comes from the posterior partition, so it rises and falls with the answers.
"""

from dataclasses import dataclass, replace

import torch

from oracle.bounds import Positive
from trainer.pool import Pool


@dataclass(frozen=True)
class NegativePolicy:
    """sharpness: exponent on 1 - p(same), > 0; larger forgives likely positives sooner."""

    sharpness: Positive = 1.0

    def __call__(self, pool: Pool) -> Pool:
        push = (1 - pool.same).clamp(0, 1) ** self.sharpness  # (B, K)
        return replace(pool, neg=torch.where((pool.pos > 0) | ~pool.rival, 0.0, push))

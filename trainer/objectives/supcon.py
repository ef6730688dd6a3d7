"""Pull every positive, push two strata of negatives: SupCon in log space with weighted masks.

    L_i = sum_p pi_ip (log D_i - s_ip),  D_i = sum_p 1[pos] exp s_ip + sum_U w_ij exp s_ij + sum_K k_ij exp s_ij,  s =
    <z_i, c_j> / tau

pi are the positive weights scaled to sum 1. A weight enters as log(weight) inside the log-sum-exp, so weight 0 has
exactly
zero gradient. With one own view as the only positive this is NT-Xent. Anchors without a positive or without weight
are left out.
Source: Khosla et al. 2020, "Supervised contrastive learning", arXiv 2004.11362, equation 2 (L_out).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """temperature: tau > 0."""

    temperature: float = 0.1

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () mean over anchors that have a positive, in nats; exactly 0 if none has."""
        scores = pool.anchors @ pool.keys.T / self.temperature  # (B, K)
        mass = (pool.pos > 0).to(scores.dtype) + pool.neg + pool.confirmed
        total = _masked_logsumexp(scores, mass)  # (B,)
        pull = pool.pos.sum(1)  # (B,)
        drawn = (pool.pos * scores).sum(1) / pull.clamp_min(1e-12)
        active = pull > 0
        return torch.where(active, total - drawn, 0.0).sum() / active.sum().clamp_min(1)


def _masked_logsumexp(scores: Tensor, mass: Tensor) -> Tensor:
    """log sum_j mass_ij exp(scores_ij), 0 where a row has no mass; finite gradient everywhere. (B,)"""
    used = mass > 0
    weighted = torch.where(used, scores + mass.clamp_min(1e-30).log(), -torch.inf)
    empty = ~used.any(1, keepdim=True)
    return torch.logsumexp(weighted.masked_fill(empty, 0.0), 1).masked_fill(empty[:, 0], 0.0)

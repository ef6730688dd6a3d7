"""Weigh every negative by how like the anchor, how uncertain and how representative it is.

    p_j = softmax_k(<z_j, z_k> / tau),  y = argmax p_j,  g_j = (sum_k p_jk z_k - z_y) / tau       k: the other keys
    u_j = |g_j|  or  <g_i, g_j>         model uncertainty
    a_ij = <z_i, z_j>                   likeness to the anchor
    r_j  = mean distance to the other keys
    w_ij = (u + a + r) / 3, each scaled to [0, 1] over the open negatives of an anchor; then mean 1, detached

Source: Tabassum, Wahed, Eldardiry, Lourentzou 2022, "Hard negative sampling strategies for contrastive representation
learning" (UnReMix), arXiv 2206.01197, section 3.
Differs from the paper: the three parts weigh the same (the published coefficients were not at hand); what answers
placed, and what is likely the same, is not weighed.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Positive
from trainer.negatives._ordinary import ordinary
from trainer.pool import Pool

BLOCK = 1024  # keys compared with all others at once


@dataclass(frozen=True)
class NegativePolicy:
    """temperature: tau of the uncertainty, > 0. with_anchor: uncertainty by <g_i, g_j> in place of |g_j|."""

    temperature: Positive = 0.5
    with_anchor: bool = False

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise BadInput(f"temperature > 0 expected, got {self.temperature}.")

    def __call__(self, pool: Pool) -> Pool:
        pool = ordinary(pool)
        open_ = (pool.neg > 0) & (pool.said == 0)  # (B, K)
        neg = torch.where(open_, self._importance(pool, open_), pool.neg)
        return replace(pool, neg=neg, normalise=True)

    @torch.no_grad()
    def _importance(self, pool: Pool, pushes: Tensor) -> Tensor:
        """(B, K) mean 1 over what pushes an anchor, 0 elsewhere."""
        slope, distance = self._by_key(pool.keys)  # (K, d), (K,)
        uncertain = slope.norm(dim=1).expand_as(pool.neg)
        if self.with_anchor:
            uncertain = self._slope(pool.anchors, pool.keys, pool.own) @ slope.T
        parts = (uncertain, pool.anchors @ pool.keys.T, distance.expand_as(pool.neg))
        weight = sum((_scaled(part, pushes) for part in parts), torch.zeros_like(pool.neg)) / len(parts)
        mean = weight.sum(1, keepdim=True) / pushes.sum(1, keepdim=True).clamp_min(1)
        return torch.where(mean > 0, weight / mean.clamp_min(1e-12), pushes.to(weight.dtype))

    def _by_key(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Slope and mean distance of every key to the others, in blocks."""
        slopes, distances = [], []
        for at in range(0, len(keys), BLOCK):
            rows = keys[at : at + BLOCK]
            itself = torch.arange(at, at + len(rows), device=keys.device)[:, None] == torch.arange(
                len(keys), device=keys.device
            )
            slopes.append(self._slope(rows, keys, itself))
            apart = (2 - 2 * rows @ keys.T).clamp_min(0).sqrt().masked_fill(itself, 0.0)
            distances.append(apart.sum(1) / max(len(keys) - 1, 1))
        return torch.cat(slopes), torch.cat(distances)

    def _slope(self, rows: Tensor, keys: Tensor, without: Tensor) -> Tensor:
        """(n, d) g of rows among the keys, some left out."""
        scores = (rows @ keys.T / self.temperature).masked_fill(without, -torch.inf)
        alone = without.all(1, keepdim=True)
        chance = torch.softmax(scores.masked_fill(alone, 0.0), 1)
        found = (chance @ keys - keys[scores.argmax(1)]) / self.temperature
        return found.masked_fill(alone, 0.0)


def _scaled(part: Tensor, over: Tensor) -> Tensor:
    """(B, K) to [0, 1] by the least and the largest of each row where `over`, 0 elsewhere."""
    low = part.masked_fill(~over, torch.inf).amin(1, keepdim=True)
    high = part.masked_fill(~over, -torch.inf).amax(1, keepdim=True)
    return torch.where(over, (part - low) / (high - low).clamp_min(1e-12), 0.0)

"""Keys that two modalities agree about pull: near in pictures and near in recordings.

    N_i = the k items j with the highest min(<x_i, x_j>, <a_i, a_j>)

The neighbours come from a bank of both modalities (`trainer.bank`), which marks them as detected in the pool; an answer
that holds two items apart passes them over.
Source: Morgado, Vasconcelos, Misra 2021, "Audio-visual instance discrimination with cross-modal agreement", arXiv
2004.12943, section 4 and equation 5.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from oracle.bounds import Weight
from trainer.pool import Pool

BLOCK = 1024  # items compared with all others at once


@dataclass(frozen=True)
class PositiveSource:
    """weight: of a neighbour's pull, >= 0. itself: weight of the own key, >= 0."""

    weight: Weight = 1.0
    itself: Weight = 0.0

    def __call__(self, pool: Pool) -> Pool:
        own = pool.own
        agreed = own if pool.detected is None else pool.detected & (pool.said >= 0) & ~own
        pull = self.itself * own.to(pool.pos) + self.weight * (agreed & ~own).to(pool.pos)
        return replace(pool, pos=torch.maximum(pool.pos, pull), neg=pool.neg.masked_fill((pull > 0) | own, 0.0))


def agreed(one: Tensor, other: Tensor, count: int, there: Tensor) -> Tensor:
    """The k = min(count, N - 1) neighbours of each item by the lower of two cosines, nearest first.

    Args: one, other: (N, d) unit rows of two modalities. there: (N,) bool, which items have both; others are nobody's
    neighbour.

    Returns: (N, k) int64 rows, -1 where there are fewer.
    """
    count, found = min(count, len(one) - 1), []
    for at in range(0, len(one), BLOCK):
        lower = torch.minimum(one[at : at + BLOCK] @ one.T, other[at : at + BLOCK] @ other.T)  # (b, N)
        itself = torch.arange(at, at + len(lower), device=lower.device)
        lower[:, ~there] = -torch.inf
        lower[itself - at, itself] = -torch.inf
        near, place = lower.topk(count, dim=1)
        found.append(torch.where(near.isfinite() & there[itself, None], place, -1))
    return torch.cat(found)

"""Each pair on its own, by a logistic curve over the cosine.

L = mean over what pulls of softplus((cutoff - cos) / width) + mean over what pushes of softplus((cos - cutoff) / width)
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """cutoff: cosine in [-1, 1]. width: of the curve, above 0."""

    cutoff: float = 0.5
    width: float = 0.1

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in nats; exactly 0 where nothing pulls and nothing pushes."""
        above = (pool.anchors @ pool.keys.T - self.cutoff) / self.width  # (B, K)
        pull, push = pool.pos, pool.neg + pool.confirmed
        near = (pull * softplus(-above)).sum() / pull.sum().clamp_min(1e-12)
        return near + (push * softplus(above)).sum() / push.sum().clamp_min(1e-12)

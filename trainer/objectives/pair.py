"""Each said pair on its own: above a cosine if same, below another if different.

    L = mean over must-links of relu(upper - cos)^2 + mean over cannot-links of relu(cos - lower)^2

Needs no partner in the batch beyond the pair itself, so a single answer has an effect at once.
Source: Hadsell, Chopra, LeCun 2006, "Dimensionality reduction by learning an invariant mapping", on cosines with two
margins.
"""

from dataclasses import dataclass

from torch import Tensor

from oracle.bounds import Cosine
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """upper, lower: cosines in [-1, 1], lower < upper."""

    upper: Cosine = 0.9
    lower: Cosine = 0.2

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in squared cosine; exactly 0 without a positive and a confirmed negative."""
        cosine = pool.anchors @ pool.keys.T  # (B, K)
        pull = pool.pos * (self.upper - cosine).clamp_min(0) ** 2
        push = pool.confirmed * (cosine - self.lower).clamp_min(0) ** 2
        return pull.sum() / pool.pos.sum().clamp_min(1e-12) + push.sum() / pool.confirmed.sum().clamp_min(1e-12)

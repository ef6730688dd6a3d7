"""Pull only: the prediction of one view should point where the keys that pull it point.

    L = mean over anchors with a positive of sum_j pi_ij (2 - 2 <p_i, c_j>),     pi_ij = pos_ij / sum_j' pos_ij'

2 - 2 cos is the squared distance of unit rows. The recipe keeps the embedding from collapsing: a predictor for the
anchors, keys without gradient. What answers hold apart simply does not pull; see `answers` for what pushes it.

Source: Grill et al. 2020, BYOL, arXiv 2006.07733, equation 2; Chen and He 2021, SimSiam, arXiv 2011.10566, equation 1
(half of it, less a constant); Koohpayegani, Tejankar, Pirsiavash 2021, MSF, arXiv 2105.07269, equation 1 (several
keys).
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trainer.objectives.contrast import in_float
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """Takes no settings."""

    repels: ClassVar[bool] = False

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () squared distance in [0, 4]. Exactly 0 where no anchor has a positive."""
        pool = in_float(pool)
        pulled = pool.pos.sum(1)  # (B,)
        share = pool.pos / pulled.clamp_min(1e-12)[:, None]  # pi (B, K)
        distance = share.sum(1) * 2 - 2 * (share * (pool.anchors @ pool.keys.T)).sum(1)
        return distance.sum() / (pulled > 0).sum().clamp_min(1)

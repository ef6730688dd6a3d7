"""Predict the class of what pulls: anchors are scores of the classes, keys are shares of them.

    L = - mean_i sum_c q_ic log softmax(s_i)_c,      q_i = sum_j pi_ij k_j,   pi_ij = pos_ij / sum_j' pos_ij'

With one key of its own that is 1 at a cluster and 0 elsewhere it is the cross-entropy of that cluster's number. So a
must-link makes an anchor predict its partner's class too; a cannot-link only takes a key out of the sum.
Source: Alwassel, Mahajan, Korbar, Torresani, Ghanem, Tran 2020, "Self-supervised learning by cross-modal audio-video
clustering" (XDC), arXiv 1911.12667, section 3; Caron, Bojanowski, Joulin, Douze 2018, "Deep clustering for
unsupervised learning of visual features", arXiv 1807.05520, equation 1.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from trainer.objectives._mixture import mixture
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """No settings. Anchors (B, C) are logits, keys (K, C) rows that sum to 1, without gradient."""

    repels: ClassVar[bool] = False

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in nats. The mean is over anchors that something pulls; exactly 0 where nothing does."""
        with torch.autocast(pool.anchors.device.type, enabled=False):
            dtype = torch.promote_types(pool.anchors.dtype, torch.float32)
            pull = pool.pos.to(dtype)
            total = pull.sum(1, keepdim=True)  # (B, 1)
            wanted = mixture(pull / total.clamp_min(torch.finfo(dtype).tiny), pool.keys.detach().to(dtype))  # (B, C)
            return -(wanted * torch.log_softmax(pool.anchors.to(dtype), 1)).sum() / (total > 0).sum().clamp_min(1)

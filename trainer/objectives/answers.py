"""Answers alone: what they put together pulls, what they hold apart pushes, and nothing else does.

    L = mean over anchors that an answer names of  sum_p pi_ip (log(sum_p' exp s_ip' + sum_k k_ik exp s_ik) - s_ip)

where p are the anchor's must-links and its own view, k its cannot-links. The own view is there so that an anchor that
only has cannot-links is pushed too. Nothing unlabelled pushes. Objectives that only pull (`align`, `decorrelate`) have
no way to take a cannot-link in; the trainer adds this one beside them where there are answers.

Source: Khosla et al. 2020, SupCon, arXiv 2004.11362, L_out with pairs in place of labels; supervised pairs beside a
self-supervised loss as in Wang et al. 2022 (OCC), arXiv 2211.00409.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from oracle.bounds import Positive
from trainer.objectives.contrast import Objective as Contrast
from trainer.objectives.contrast import in_float
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """temperature: tau > 0."""

    temperature: Positive = 0.2

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise BadInput(f"temperature > 0 expected, got {self.temperature}. Usual values are .05 to .5.")

    def __call__(self, pool: Pool) -> Tensor:
        """Rows of any length. Returns: () in nats; exactly 0 where no answer names an anchor and a key."""
        pool = in_float(pool)
        named = ((pool.said != 0) & ~pool.own & (pool.pos + pool.confirmed > 0)).any(1, keepdim=True)  # (B, 1)
        pull = torch.where(named & (pool.own | (pool.said > 0)), pool.pos, 0.0)
        push = torch.where(pool.said < 0, pool.confirmed, 0.0)
        only = replace(
            pool, anchors=normalize(pool.anchors, dim=1), keys=normalize(pool.keys, dim=1), pos=pull, confirmed=push,
            neg=torch.zeros_like(pool.neg), synthetic=None, tau_plus=None, tilt=0.0, normalise=False, count=None,
        )  # fmt: skip
        return Contrast(self.temperature)(only)

"""Is this key the anchor's own, or drawn at random? Noise-contrastive estimation: one yes or no for each key.

    L = mean_i [ sum_j pi_ij softplus(-x_ij) + sum_k w_ik softplus(x_ik) ],    x_ij = <z_i, c_j> / tau - log(K_i Z)

pi_ij = pos_ij / sum_j' pos_ij', w = neg + confirmed, K_i: how many keys push anchor i. Z: mean of exp(<z, c> / tau)
over what pulls and pushes in the first batch where something pulls, and then held.
Source: Wu, Xiong, Yu, Lin 2018, "Unsupervised feature learning via non-parametric instance discrimination", arXiv
1805.01978, equations 4 to 8; as in Morgado, Vasconcelos, Misra 2021 (AVID), arXiv 2004.12943, equation 1.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import softplus

from db.errors import BadInput
from oracle.bounds import Positive
from trainer.objectives.contrast import in_float
from trainer.pool import Pool


@dataclass
class Objective:
    """temperature: tau > 0. Keeps log Z of its first batch."""

    temperature: Positive = 0.07
    _log_Z: Tensor | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise BadInput(f"temperature > 0 expected, got {self.temperature}. The paper has .07.")

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in nats. The mean is over anchors that something pulls; exactly 0 where nothing does."""
        with torch.autocast(pool.anchors.device.type, enabled=False):
            pool = in_float(pool)
            scores = pool.anchors @ pool.keys.T / self.temperature  # (B, K)
            push, total = pool.neg + pool.confirmed, pool.pos.sum(1, keepdim=True)
            count = (push > 0).sum(1, keepdim=True).clamp_min(1)
            x = scores - count.to(scores).log() - self._normaliser(scores, ((pool.pos + push) > 0) & (total > 0))
            share = pool.pos / total.clamp_min(torch.finfo(scores.dtype).tiny)
            losses = (share * softplus(-x) + push * softplus(x)).sum(1, keepdim=True)
            return (losses * (total > 0)).sum() / (total > 0).sum().clamp_min(1)

    @torch.no_grad()
    def _normaliser(self, scores: Tensor, meant: Tensor) -> Tensor:
        """() log Z, of this batch if none came before it."""
        if self._log_Z is None and meant.any():
            chosen = scores[meant]
            self._log_Z = chosen.logsumexp(0) - math.log(len(chosen))
        return scores.new_zeros(()) if self._log_Z is None else self._log_Z.to(scores)

    def state(self) -> dict[str, Tensor]:
        """log Z, if there is one yet."""
        return {} if self._log_Z is None else {"log_Z": self._log_Z}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with a stored Z."""
        self._log_Z = state["log_Z"].clone() if "log_Z" in state else None

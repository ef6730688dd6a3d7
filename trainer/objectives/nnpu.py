"""Classify pairs from positives and unlabelled pairs alone: a risk that cannot turn negative.

    R = prior R_p+  +  max(0, R_u- - prior R_p-),    f_ij = (<z_i, c_j> - cut) / tau,   l(f) = sigmoid(-f)
    R_p+ = mean of l(f) over positives,  R_p- = mean of l(-f) over positives,  R_u- = mean of l(-f) over all others

Unlabelled pairs hide positives, a share `prior` of them; their part of the risk is subtracted again. Where that
overshoots, R_u- - prior R_p- < -slack, the step goes up it instead of down the whole (gamma times).
Source: Kiryo, Niu, du Plessis, Sugiyama 2017, "Positive-unlabeled learning with non-negative risk estimator", arXiv
1703.00593, algorithm 1 (beta there is `slack` here). Official code: github.com/kiryor/nnPUlearning.
Differs from the paper: pairs in place of examples, with weights; confirmed negatives add a risk of their own, `known`
times the mean of l(-f).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Cosine, Positive, Share, Weight
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """prior: share of positives among unlabelled pairs, in (0, 1), used where the pool brings no tau_plus. cut: cosine
    above which a pair counts as positive. temperature: tau > 0. slack >= 0, gamma in [0, 1]: of the correction.
    known >= 0: weight of the confirmed negatives."""

    prior: float = 0.1
    cut: Cosine = 0.5
    temperature: Positive = 0.1
    slack: Weight = 0.0
    gamma: Share = 1.0
    known: Weight = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.prior < 1:
            raise BadInput(f"prior in (0, 1) expected, got {self.prior}. Estimate it from audit answers.")
        if not self.temperature > 0:
            raise BadInput(f"temperature > 0 expected, got {self.temperature}. Usual values are .05 to .5.")

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () risk in [0, prior + 1 + known]. Exactly 0 where nothing has weight."""
        with torch.autocast(pool.anchors.device.type, enabled=False):
            dtype = torch.promote_types(pool.anchors.dtype, torch.float32)
            margin = (pool.anchors.to(dtype) @ pool.keys.to(dtype).T - self.cut) / self.temperature  # f (B, K)
            prior = self.prior if pool.tau_plus is None else pool.tau_plus.to(dtype).mean()
            as_positive, as_negative = torch.sigmoid(-margin), torch.sigmoid(margin)  # l(f), l(-f)
            positive = prior * _mean(as_positive, pool.pos)
            hidden = prior * _mean(as_negative, pool.pos)
            negative = _mean(as_negative, pool.neg) - hidden * pool.neg.any()
            risk = non_negative(positive, negative, self.slack, self.gamma)
            return risk + self.known * _mean(as_negative, pool.confirmed)


def non_negative(positive: Tensor, negative: Tensor, slack: float = 0.0, gamma: float = 1.0) -> Tensor:
    """positive + negative while negative >= -slack; beyond, positive - slack, with the slope of -gamma negative.

    Args: positive: prior R_p+. negative: R_u- - prior R_p-. Both ().
    """
    overshot = negative < -slack
    value = positive + torch.where(overshot, -slack, negative)
    slope = torch.where(overshot, -gamma * negative, positive + negative)
    return value.detach() + (slope - slope.detach())


def _mean(losses: Tensor, weight: Tensor) -> Tensor:
    weight = weight.to(losses.dtype)
    return (weight * losses).sum() / weight.sum().clamp_min(torch.finfo(losses.dtype).tiny)

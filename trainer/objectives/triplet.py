"""What pulls must be nearer than what pushes, by a margin: each triplet that violates it costs what it lacks.

    L = mean over anchors i of sum_j pi_ij  sum_k w_k [v_ijk > 0] v_ijk / sum_k w_k [v_ijk > 0]
    v_ijk = |z_i - c_j| - |z_i - c_k| + margin,     pi_ij = pos_ij / sum_j' pos_ij',     w_k = neg_ik + confirmed_ik

The inner quotient is the mean over the violating negatives: what drawing one of them at random gives on average.

Source: Schroff, Kalenichenko, Philbin 2015, "FaceNet", arXiv 1503.03832, equation 2; with a random violating negative
Panambur et al. 2022, arXiv 2204.09854, and as published in pytorch-metric-learning's TripletMarginLoss.
Differs: the mean over all violating negatives in place of one drawn from them, so nothing is left to chance.
"""

from dataclasses import dataclass

from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Weight
from trainer.objectives.contrast import in_float
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """margin: > 0, between distances of unit rows, which are in [0, 2]."""

    margin: Weight = 0.2

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise BadInput(f"margin > 0 expected, got {self.margin}.")

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in units of distance. Exactly 0 where no anchor has a positive, or nothing violates."""
        pool = in_float(pool)
        away = (2 - 2 * pool.anchors @ pool.keys.T).clamp_min(1e-12).sqrt()  # (B, K)
        push, pulled = pool.neg + pool.confirmed, pool.pos.sum(1)
        row, column = pool.pos.nonzero(as_tuple=True)  # (P,) every pair that pulls
        lack = (away[row, column][:, None] - away[row] + self.margin).clamp_min(0)  # (P, K)
        weight = push[row] * (lack > 0)
        cost = (weight * lack).sum(1) / weight.sum(1).clamp_min(1e-12)
        share = (pool.pos[row, column] / pulled[row]).to(cost)
        return (share * cost).sum() / (pulled > 0).sum().clamp_min(1)

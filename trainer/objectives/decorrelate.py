"""Two views should agree number by number, and no two numbers should say the same.

a_i = anchor i, b_i = sum_j pi_ij c_j with pi = pos / its sum: what pulls i, so that a must-link supplies part of b_i
and a cannot-link none of it. C = correlations (d, d) between the numbers of a and those of b, over the batch.

    bt       scale ( sum_u (1 - C_uu)^2 + redundancy sum_{u != v} C_uv^2 )                a and b standardised
    vicreg   invariance mean (a - b)^2  +  variance (H(a) + H(b)) / 2  +  covariance (O(a) + O(b))
             H(x) = mean_u relu(1 - sqrt(Var x_u + 1e-4)),     O(x) = sum_{u != v} Cov(x_u, x_v)^2 / d
    all4one  sqrt(mean_u (1 - C_uu)^2) / 2 + sqrt(mean_{u != v} C_uv^2) / 2               C of cosines of columns

Source: Zbontar, Jing, Misra, LeCun, Deny 2021, Barlow Twins, arXiv 2103.03230, equation 1; scale: the official code,
facebookresearch/barlowtwins. Bardes, Ponce, LeCun 2022, VICReg, arXiv 2105.04906, equations 1 to 6; half of the two
hinges as in the official code, facebookresearch/vicreg. Estepa et al. 2023, All4One, arXiv 2303.09417, section 3.4, as
in vturrisi/solo-learn.
Differs from the papers: b may be a mixture; all4one takes the roots for each direction, not of their mean.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import batch_norm, mse_loss, normalize, relu

from db.errors import BadInput
from oracle.bounds import Weight
from trainer.objectives._mixture import mixture
from trainer.objectives.contrast import in_float
from trainer.pool import Pool

FORMS = ("bt", "vicreg", "all4one")


@dataclass(frozen=True)
class Objective:
    """form: bt, vicreg or all4one. redundancy, scale: of bt. invariance, variance, covariance: of vicreg. Rows are not
    of length 1: for recipes without `unit`."""

    repels: ClassVar[bool] = False
    form: str = "bt"
    redundancy: Weight = 0.0051
    scale: Weight = 1.0
    invariance: Weight = 25.0
    variance: Weight = 25.0
    covariance: Weight = 1.0

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise BadInput(f"form = one of {', '.join(FORMS)} expected, got '{self.form}'.")

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: (). Exactly 0 where fewer than two anchors have a positive."""
        with torch.autocast(pool.anchors.device.type, enabled=False):
            pool = in_float(pool)
            pulled = pool.pos.sum(1)  # (B,)
            kept = pulled.nonzero()[:, 0]  # (A,)
            if len(kept) < 2:
                return (pool.anchors * 0).sum()
            share = (pool.pos / pulled[:, None]).index_select(0, kept)  # pi (A, K)
            return self._between(pool.anchors.index_select(0, kept), mixture(share, pool.keys))

    def _between(self, a: Tensor, b: Tensor) -> Tensor:
        if self.form == "vicreg":
            one, other = _covariance(a), _covariance(b)
            varied = self.variance * (_hinge(one) + _hinge(other)) / 2
            return self.invariance * mse_loss(a, b) + varied + self.covariance * (_overlap(one) + _overlap(other))
        if self.form == "bt":
            correlation = _standardised(a).T @ _standardised(b) / len(a)
            return self.scale * (_on(correlation).sum() + self.redundancy * _off(correlation).sum())
        correlation = normalize(a, dim=0).T @ normalize(b, dim=0)
        return (_root(_on(correlation).mean()) + _root(_off(correlation).sum() / max(_pairs(correlation), 1))) / 2


def _standardised(rows: Tensor) -> Tensor:
    """Each number with mean 0 and deviation 1 over the batch; one that never changes becomes 0."""
    return batch_norm(rows, None, None, training=True)


def _on(correlation: Tensor) -> Tensor:
    """(d,)"""
    return (1 - correlation.diagonal()) ** 2


def _off(correlation: Tensor) -> Tensor:
    """(d, d) squares, 0 on the diagonal."""
    return (correlation - correlation.diagonal().diag()) ** 2


def _pairs(correlation: Tensor) -> int:
    return len(correlation) * (len(correlation) - 1)


def _root(square: Tensor) -> Tensor:
    """With a finite slope at 0."""
    return (square + 1e-12).sqrt()


def _covariance(rows: Tensor) -> Tensor:
    """(d, d)"""
    centred = rows - rows.mean(0)
    return centred.T @ centred / (len(rows) - 1)


def _hinge(covariance: Tensor) -> Tensor:
    return relu(1 - (covariance.diagonal() + 1e-4).sqrt()).mean()


def _overlap(covariance: Tensor) -> Tensor:
    return _off(covariance).sum() / len(covariance)

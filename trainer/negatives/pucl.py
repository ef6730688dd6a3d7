"""Unlabelled keys are a mixture from which known positives were already taken: correct for the positives that remain.

    tau+ = a (1 - c) / (1 - a c)       a: share of positives among all candidates, c: share of them that is labelled

Debiased contrast with this tau+. With c = 0 it is debiased contrast itself, with c = 1 nothing is left to subtract.

Source: Wang et al. 2024, "Contrastive learning with negative sampling correction" (PUCL), arXiv 2401.08690; a and c as
in Elkan and Noto 2008, "Learning classifiers from only positive and unlabeled data".
Differs from the paper: c is read off the answers in the pool unless it is given.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import torch
from torch import Tensor

from oracle.bounds import Bounds
from trainer.negatives._ordinary import ordinary
from trainer.negatives._prior import HIGHEST, checked
from trainer.pool import Pool


@dataclass(frozen=True)
class NegativePolicy:
    """prior: a, in [0, 1). label_frequency: c, in [0, 1]; below 0: known positives over expected ones, per anchor."""

    prior: float = 0.1
    label_frequency: Annotated[float, Bounds(high=1)] = -1.0

    def __post_init__(self) -> None:
        checked("prior", self.prior)

    def __call__(self, pool: Pool) -> Pool:
        a, c = self.prior, self._label_frequency(pool)
        tau_plus = (a * (1 - c) / (1 - a * c)).clamp(0, HIGHEST)  # (B,)
        return replace(ordinary(pool), tau_plus=tau_plus)

    def _label_frequency(self, pool: Pool) -> Tensor:
        """(B,)"""
        if self.label_frequency >= 0:
            return torch.full_like(pool.anchors[:, 0], min(self.label_frequency, 1.0))
        other = pool.rival
        known = ((pool.said > 0) & other).sum(1).to(pool.anchors.dtype)
        return (known / (self.prior * other.sum(1)).clamp_min(1e-12)).clamp(0, 1)

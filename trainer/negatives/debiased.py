"""Subtract what false negatives are expected to add: of n unlabelled keys a share tau+ is the same as the anchor.

    N = max(n exp(-1/tau), (sum_U exp(s) - tau+ n P) / (1 - tau+)),   P = exp(s) of the own view

Usable near temperature .5 only: at .2 and below an anchor whose views are alike sits on the floor, and its negatives
give no gradient. The run reports the share of such anchors (`clamped`).

Source: Chuang, Robinson, Lin, Torralba, Jegelka 2020, "Debiased contrastive learning", arXiv 2007.00224, equation 8.
Official code: github.com/chingyaoc/DCL.
Differs from the paper: what answers already placed is taken out of tau+ (`residual`); answered negatives are never
debiased.
"""

from dataclasses import dataclass, replace

from trainer.negatives._ordinary import ordinary
from trainer.negatives._prior import checked, residual
from trainer.pool import Pool


@dataclass(frozen=True)
class NegativePolicy:
    """tau_plus: share of positives among the candidates of an anchor, in [0, 1)."""

    tau_plus: float = 0.1

    def __post_init__(self) -> None:
        checked("tau_plus", self.tau_plus)

    def __call__(self, pool: Pool) -> Pool:
        return replace(ordinary(pool), tau_plus=residual(pool, self.tau_plus))

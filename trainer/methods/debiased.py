"""Debiased: what false negatives add to the negative mass on average is subtracted, with a floor.

    N_i = max( n exp(-1/tau), (sum_j exp(s_ij) - tau+ n exp(s_i+)) / (1 - tau+) )
    L_i = -log exp(s_i+) / (exp(s_i+) + N_i)

Family: removal of false negatives
Source: Chuang, Robinson, Lin, Torralba, Jegelka 2020, "Debiased contrastive learning", arXiv 2007.00224, equations 7
and 8. Official code: chingyaoc/DCL.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view; negatives `debiased`;
contrast (self).
Needs: pictures; the class prior, best from audit answers; works near tau .5.
Differs from the paper: batches of 256 and AdamW; evaluated in log space.
Checked by: reference values of the official code; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Positive
from trainer.negatives.debiased import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """tau_plus: share of false negatives, in [0, 1). temperature: tau > 0."""

    tau_plus: float = 0.1
    temperature: Positive = 0.5

    def recipe(self) -> Recipe:
        policy = NegativePolicy(tau_plus=self.tau_plus)
        return Recipe((Term(Objective(self.temperature, denominator="self"), policy),))

"""PUCL: pairs are positive and unlabelled data; the positives hidden among the unlabelled are subtracted.

    tau+ = a (1 - c) / (1 - a c)          a class prior of positives, c share of the positives that are labelled
    N_i  = max( n exp(-1/tau), (sum_j exp(s_ij) - tau+ n P_i) / (1 - tau+) )

Family: negative-sampling correction
Source: Wang, Du, Zhao, Luo, Zhu, Qiao, Zhang, Lin, Rajmohan, Zhang, Zhang 2024, "Contrastive learning with negative
sampling correction" (PUCL), arXiv 2401.08690.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view; negatives `pucl`;
contrast (self).
Needs: pictures; answers, without any it is debiased; the prior, best from audit answers; works near tau .5.
Differs from the paper: batches of 256 and AdamW.
Checked by: the loss equals debiased at that tau+; the contract of methods.
"""

from dataclasses import dataclass
from typing import Annotated

from oracle.bounds import Bounds, Positive
from trainer.negatives.pucl import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """prior: a, share of positives among all pairs, in [0, 1). label_frequency: c, in [0, 1]; below 0: read off the
    answers in each batch. temperature: tau > 0."""

    prior: float = 0.1
    label_frequency: Annotated[float, Bounds(high=1)] = -1.0
    temperature: Positive = 0.5

    def recipe(self) -> Recipe:
        policy = NegativePolicy(prior=self.prior, label_frequency=self.label_frequency)
        return Recipe((Term(Objective(self.temperature, denominator="self"), policy),))

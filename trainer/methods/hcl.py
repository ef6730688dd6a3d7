"""HCL: negatives push the more the more similar they are, and what false negatives add on average is subtracted.

    N_i = max( n exp(-1/tau), (G_i - tau+ n exp(s_i+)) / (1 - tau+) )
    G_i = n sum_j exp((1 + beta) s_ij) / sum_j exp(beta s_ij),   L_i = -log exp(s_i+) / (exp(s_i+) + N_i)

Family: hard negative selection
Source: Robinson, Chuang, Sra, Jegelka 2021, "Contrastive learning with hard negative samples", arXiv 2010.04592,
equations 3 and 4. Official code: joshr17/HCL.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view; negatives `hcl`;
contrast (self).
Needs: pictures; works near tau .5, below tau .2 most anchors sit on the floor.
Differs from the paper: batches of 256 and AdamW; evaluated in log space, where the official code overflows.
Checked by: reference values of the official code; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Positive, Weight
from trainer.negatives.hcl import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """beta: how much more similar negatives count, >= 0. tau_plus: share of false negatives, in [0, 1).
    temperature: tau > 0."""

    beta: Weight = 1.0
    tau_plus: float = 0.1
    temperature: Positive = 0.5

    def recipe(self) -> Recipe:
        policy = NegativePolicy(beta=self.beta, tau_plus=self.tau_plus)
        return Recipe((Term(Objective(self.temperature, denominator="self"), policy),))

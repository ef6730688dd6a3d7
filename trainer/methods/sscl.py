"""SSCL: the hardest negatives of the batch are mixed into harder ones, and all are weighted and debiased as in HCL.

    h = norm(a n_i + (1 - a) n_j), n from the hardest of the batch;  then HCL over real and synthetic negatives

Family: synthetic negatives
Source: Dong, Long, Li, Chen 2024, "Synthetic hard negative samples for contrastive learning", arXiv 2304.02971.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view; negatives `sscl`;
contrast (self).
Needs: pictures; works near tau .5.
Differs from the paper: batches of 256 and AdamW; must-links are never mixed.
Checked by: properties of the mixtures, the weights against HCL's; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Positive, Weight, Whole
from trainer.negatives.sscl import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """hardest: keys of the batch to draw from. mixed: mixtures. beta: how much more similar negatives count, >= 0.
    tau_plus: share of false negatives, in [0, 1). temperature: tau > 0. seed: of the draws."""

    hardest: Whole = 64
    mixed: Whole = 32
    beta: Weight = 1.0
    tau_plus: float = 0.1
    temperature: Positive = 0.5
    seed: Whole = 0

    def recipe(self) -> Recipe:
        policy = NegativePolicy(
            seed=self.seed, hardest=self.hardest, mixed=self.mixed, beta=self.beta, tau_plus=self.tau_plus
        )
        return Recipe((Term(Objective(self.temperature, denominator="self"), policy),))

"""nnPU on pairs: two views are positives, all other pairs are unlabelled and hide positives, whose risk is subtracted.

    R = pi R_p+ + max(0, R_u- - pi R_p-)        R_p+ = mean l(f) over positives, R_u- = mean l(-f) over unlabelled pairs
    f_ij = (<z_i, z_j> - cut) / tau,  l(f) = sigmoid(-f)

Family: negative-sampling correction
Source: Kiryo, Niu, du Plessis, Sugiyama 2017, "Positive-unlabeled learning with non-negative risk estimator", arXiv
1703.00593, algorithm 1. Official code: kiryor/nnPUlearning.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view; uniform negatives;
nnpu in place of contrast.
Needs: pictures; the prior, best from audit answers.
Differs from the paper: examples are pairs, and a classifier of pairs is the cosine with a cut; confirmed negatives add
a risk of their own.
Checked by: the risk and its slope against loops in float64; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Cosine, Positive
from trainer.objectives.nnpu import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """prior: share of positives among unlabelled pairs, in (0, 1). cut: cosine above which a pair counts as positive.
    temperature: tau > 0, how sharply."""

    prior: float = 0.1
    cut: Cosine = 0.5
    temperature: Positive = 0.2

    def recipe(self) -> Recipe:
        return Recipe((Term(Objective(self.prior, self.cut, self.temperature)),))

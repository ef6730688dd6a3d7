"""UnReMix: a negative's weight mixes how similar it is, how uncertain the model is about it, and how typical it is.

    w_ij = (a_ij + u_ij + r_j) / 3, scaled to mean 1     each of the three min-max scaled per anchor
    a = <z_i, z_j>,  u = |g_j|, g_j the slope of the loss at z_j,  r = mean distance of z_j to the other keys

Family: hard negative selection
Source: Tabassum, Wahed, Eldardiry, Lourentzou 2022, "Hard negative sampling strategies for contrastive representation
learning" (UnReMix), arXiv 2206.01197.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view; negatives `unremix`;
contrast (self).
Needs: pictures.
Differs from the paper: the three scores weigh equally, as the published coefficients were not at hand; batches of 256
and AdamW.
Checked by: properties of the weights (mean 1, monotone in each score, no gradient); the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Positive
from trainer.negatives.unremix import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """with_anchor: uncertainty by <g_i, g_j> in place of |g_j|. temperature: tau > 0."""

    with_anchor: bool = False
    temperature: Positive = 0.5

    def recipe(self) -> Recipe:
        policy = NegativePolicy(temperature=self.temperature, with_anchor=self.with_anchor)
        return Recipe((Term(Objective(self.temperature, denominator="self"), policy),))

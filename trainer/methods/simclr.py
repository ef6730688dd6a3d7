"""SimCLR: two views of a picture attract each other, all other pictures of the batch push.

    l_i = -log exp(<z_i, z_i'> / tau) / sum_{k != i} exp(<z_i, z_k> / tau)          over the 2B views of a batch

Family: negatives from the batch
Source: Chen, Kornblith, Norouzi, Hinton 2020, "A simple framework for contrastive learning of visual representations",
arXiv 2002.05709, equation 1. Official code: google-research/simclr.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view; uniform negatives;
contrast (self).
Needs: pictures.
Differs from the paper: batches of 256 and AdamW where the paper has 4096 and LARS; no blur in the views.
Checked by: reference values of NT-Xent, gradients against plain loops; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Positive
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0."""

    temperature: Positive = 0.2

    def recipe(self) -> Recipe:
        return Recipe((Term(Objective(self.temperature, denominator="self")),))

"""SimCSE: the same picture twice, and nothing differs but what dropout leaves out.

    l_i = -log exp(<z_i, z_i'> / tau) / sum_j exp(<z_i, z_j'> / tau)

Family: negatives from the batch
Source: Gao, Yao, Chen 2021, "SimCSE: Simple contrastive learning of sentence embeddings", arXiv 2104.08821, equations
1, 4 and 5. Official code: princeton-nlp/SimCSE.
Parts: the plain picture twice; dropout in the head; the encoder itself as target; the other view of the batch as
candidates, one direction; own view; uniform negatives; contrast (self).
Needs: pictures. With answers it is the supervised form: must-links are the entailed pairs, cannot-links the given hard
negatives.
Differs from the paper: pictures in place of sentences; dropout of .3 in place of .1, before the projection head and
nowhere else; a temperature of .2 in place of .05; a hard negative counts twice in the denominator.
Checked by: plain loops, values and gradients; the contract of methods.
"""

from dataclasses import dataclass

from torch import nn

from oracle.bounds import Fraction, Positive
from trainer.network import two_layers
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term
from trainer.views import Views

PLAIN = Views(area=1.0, aspect=1.0, flip=0.0, colour=0.0, grey=0.0)


@dataclass(frozen=True)
class Dropping:
    """A head: SimCLR's behind dropout. share: of the features that a pass leaves out."""

    share: float

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(nn.Dropout(self.share), two_layers(inputs, outputs))


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0. dropout: share of the features left out, in [0, 1)."""

    temperature: Positive = 0.2
    dropout: Fraction = 0.3

    def recipe(self) -> Recipe:
        term = Term(Objective(self.temperature, denominator="self"))
        return Recipe((term,), both_views=False, views=(PLAIN, PLAIN), head=Dropping(self.dropout), rate=3e-4)

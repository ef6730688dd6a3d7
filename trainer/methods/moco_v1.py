"""MoCo v1, as first published: a linear head, a low temperature, and views without blur.

    l_q = -log exp(<q, k+> / tau) / (exp(<q, k+> / tau) + sum_{k in queue} exp(<q, k> / tau)),   tau = .07

Family: negatives from a queue
Source: He, Fan, Wu, Xie, Girshick 2020, "Momentum contrast for unsupervised visual representation learning",
arXiv 1911.05722, equations 1 and 2. Official code: facebookresearch/moco.
Parts: two views; moving average as target; the queue as candidates; own key; uniform negatives; contrast (self).
Needs: pictures.
Differs from the paper: as `moco` does: momentum .99 and a queue of 1,024 for small collections; AdamW where it has SGD.
Checked by: reference values of InfoNCE, the queue's own tests; the contract of methods.
"""

from dataclasses import dataclass

from torch import nn

from oracle.bounds import Fraction, Positive, Whole
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0. momentum: m of the target. queue: keys kept."""

    temperature: Positive = 0.07
    momentum: Fraction = 0.99
    queue: Whole = 1024

    def recipe(self) -> Recipe:
        view = Views(colour=1.0, strength=0.4, hue=0.1)
        return Recipe(
            (Term(Objective(self.temperature, denominator="self")),), momentum=self.momentum, both_views=False,
            queue=self.queue, batch_pushes=False, views=(view, view), head=nn.Linear,
        )  # fmt: skip

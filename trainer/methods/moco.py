"""MoCo: keys come from a slowly moving average of the encoder, negatives from a queue of earlier keys.

    l_q = -log exp(<q, k+> / tau) / (exp(<q, k+> / tau) + sum_{k in queue} exp(<q, k> / tau))

Family: negatives from a queue
Source: He, Fan, Wu, Xie, Girshick 2020, "Momentum contrast for unsupervised visual representation learning",
arXiv 1911.05722, equations 1 and 2; with the projection head of Chen, Fan, Girshick, He 2020 (v2), arXiv 2003.04297.
Official code: facebookresearch/moco.
Parts: two views; moving average as target; the queue as candidates; own key; uniform negatives; contrast (self).
Needs: pictures.
Differs from the paper: momentum .99 and a queue of 1,024 in place of .999 and 65,536, for collections of thousands
and hundreds of steps; the queue starts with keys of real pictures; an earlier key of the anchor's own picture never
pushes; no blur, as with the head of v2 it stands between `moco_v1` and `moco_v2`, which have the papers' own heads
and views.
Checked by: reference values of InfoNCE, the queue's own tests; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Fraction, Positive, Whole
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0. momentum: m of the target. queue: keys kept."""

    temperature: Positive = 0.2
    momentum: Fraction = 0.99
    queue: Whole = 1024

    def recipe(self) -> Recipe:
        objective = Objective(self.temperature, denominator="self")
        return Recipe(
            (Term(objective),), momentum=self.momentum, both_views=False, queue=self.queue, batch_pushes=False
        )

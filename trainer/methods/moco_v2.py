"""MoCo v2: the head of SimCLR, blur in the views and a higher temperature.

    l_q = -log exp(<q, k+> / tau) / (exp(<q, k+> / tau) + sum_{k in queue} exp(<q, k> / tau)),   tau = .2

Family: negatives from a queue
Source: Chen, Fan, Girshick, He 2020, "Improved baselines with momentum contrastive learning", arXiv 2003.04297.
Official code: facebookresearch/moco.
Parts: two views with blur; moving average as target; the queue as candidates; own key; uniform negatives; contrast
(self).
Needs: pictures.
Differs from the paper: as `moco` does, which is this without blur: momentum .99 and a queue of 1,024 for small
collections; AdamW where it has SGD. The blur shrinks with the picture.
Checked by: reference values of InfoNCE, the queue's own tests; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Fraction, Positive, Whole
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0. momentum: m of the target. queue: keys kept. blur: chance of it."""

    temperature: Positive = 0.2
    momentum: Fraction = 0.99
    queue: Whole = 1024
    blur: float = 0.5

    def recipe(self) -> Recipe:
        view = Views(blur=self.blur)
        return Recipe(
            (Term(Objective(self.temperature, denominator="self")),), momentum=self.momentum, both_views=False,
            queue=self.queue, batch_pushes=False, views=(view, view),
        )  # fmt: skip

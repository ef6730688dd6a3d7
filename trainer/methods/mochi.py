"""MoCHi: MoCo whose hardest negatives are mixed with each other, and with the anchor, into harder ones.

    h = norm(a n_i + (1 - a) n_j), a ~ U(0, 1)        h' = norm(b q + (1 - b) n_j), b ~ U(0, .5)
    n from the hardest keys of the queue; h and h' join the negatives of their anchor, without gradient

Family: hard negative selection
Source: Kalantidis, Sariyildiz, Pion, Weinzaepfel, Larlus 2020, "Hard negative mixing for contrastive learning",
arXiv 2010.01028, section 3.
Parts: two views; moving average as target; the queue as candidates; own key; negatives `mochi`; contrast (self).
Needs: pictures.
Differs from the paper: momentum .99, a queue of 1,024, of it the 128 hardest, 128 and 32 mixtures in place of .999,
16,384, 1,024, 1,024 and 128; mixing starts after a twentieth of the training; must-links are never mixed, and a
key of the batch only where an answer calls it different.
Checked by: properties of the mixtures (unit, between their parents, no gradient); the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Fraction, Positive, Share, Whole
from trainer.negatives.mochi import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """hardest: keys that are mixed. mixed, with_anchor: mixtures of two keys, of anchor and key. warm_up: share of the
    training before any. temperature: tau > 0. momentum: m of the target. queue: keys kept. seed: of the draws."""

    hardest: Whole = 128
    mixed: Whole = 128
    with_anchor: Whole = 32
    warm_up: Share = 0.05
    temperature: Positive = 0.2
    momentum: Fraction = 0.99
    queue: Whole = 1024
    seed: Whole = 0

    def recipe(self) -> Recipe:
        policy = NegativePolicy(
            seed=self.seed, hardest=self.hardest, mixed=self.mixed, with_anchor=self.with_anchor, warm_up=self.warm_up
        )
        objective = Objective(self.temperature, denominator="self")
        return Recipe(
            (Term(objective, policy),),
            momentum=self.momentum, both_views=False, queue=self.queue, batch_pushes=False,
        )  # fmt: skip

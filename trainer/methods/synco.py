"""SynCo: MoCo with six ways to make hard negatives from the hardest keys of the queue.

    1  a q + (1 - a) n       2  q + b (n - q)          3  g n + (1 - g) n'
    4  n + N(0, sigma^2)     5  n + delta q            6  n + eta sign(q)        all scaled to unit length

Family: synthetic negatives
Source: Giakoumoglou, Stathaki 2024, "SynCo: Synthetic hard negatives in contrastive learning for better unsupervised
visual representations", arXiv 2410.02401. Official code: giakoumoglou/synco.
Parts: two views; moving average as target; the queue as candidates; own key; negatives `synco`; contrast (self).
Needs: pictures.
Differs from the paper: momentum .99, a queue of 1,024, of it the 128 hardest, 32 of each of the first three kinds and
8 of each of the last in place of .999, 65,536, 1,024, 256 and 64; the warm-up is a share of the training; must-links
are no parents, and a key of the batch is one only where an answer calls it different.
Checked by: each kind against its closed form; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Fraction, Positive, Share, Weight, Whole
from trainer.negatives.synco import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """hardest: keys that are parents. many, few: columns of kinds 1 to 3, of 4 to 6, each. sigma, delta, eta: sizes of
    the steps. warm_up: share of the training before any. temperature: tau > 0. momentum: m of the target. queue: keys
    kept. seed: of the draws."""

    hardest: Whole = 128
    many: Whole = 32
    few: Whole = 8
    sigma: Weight = 0.01
    delta: Weight = 0.01
    eta: Weight = 0.01
    warm_up: Share = 0.05
    temperature: Positive = 0.2
    momentum: Fraction = 0.99
    queue: Whole = 1024
    seed: Whole = 0

    def recipe(self) -> Recipe:
        policy = NegativePolicy(
            seed=self.seed, hardest=self.hardest, many=self.many, few=self.few,
            sigma=self.sigma, delta=self.delta, eta=self.eta, warm_up=self.warm_up,
        )  # fmt: skip
        objective = Objective(self.temperature, denominator="self")
        return Recipe(
            (Term(objective, policy),),
            momentum=self.momentum, both_views=False, queue=self.queue, batch_pushes=False,
        )  # fmt: skip

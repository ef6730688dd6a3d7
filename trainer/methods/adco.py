"""AdCo: a bank of negatives is learnt against the encoder, by ascent on the loss that the encoder descends.

    encoder:  L = -log exp(<q, k+>/tau) / (exp(<q, k+>/tau) + sum_other keys + sum_bank exp(<q, b>/tau))
    bank:     b <- norm(b + step of SGD up the same loss at its own temperature)

Family: hard negative selection
Source: Hu, Wang, Hu, Qi 2021, "AdCo: Adversarial contrast for efficient learning of unsupervised representations from
self-trained negative adversaries", arXiv 2011.08435. Official code: maple-research-lab/AdCo.
Parts: two views; moving average as target; other keys of the batch and a learnt bank as candidates; own key; negatives
`adco`; contrast (self).
Needs: pictures.
Differs from the paper: momentum .99 and a bank of 512, two batches, in place of .999 and 65,536, with the bank's
rate 3, momentum .9, decay .0001 and temperature .02 as they are; the bank fills during the first steps; one direction,
where the official code can also swap the views.
Checked by: the ascent raises the loss, rows stay unit; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Fraction, Positive, Weight
from trainer.negatives.adco import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """bank: rows of it. bank_temperature, bank_rate: of its climb. temperature: tau > 0 of the encoder. momentum: m of
    the target."""

    bank: Count = 512
    bank_temperature: Positive = 0.02
    bank_rate: Weight = 3.0
    temperature: Positive = 0.12
    momentum: Fraction = 0.99

    def recipe(self) -> Recipe:
        policy = NegativePolicy(size=self.bank, temperature=self.bank_temperature, rate=self.bank_rate)
        objective = Objective(self.temperature, denominator="self")
        return Recipe((Term(objective, policy),), momentum=self.momentum, both_views=False)

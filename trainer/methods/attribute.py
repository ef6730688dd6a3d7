"""Attribute positives: pictures that metadata relates attract each other, by any rule over any columns.

    l_i = -log exp(<z_i, z_p(i)> / tau) / (exp(<z_i, z_p(i)> / tau) + sum_k w_ik exp(<z_i, z_k> / tau))
    p(i): a partner of i drawn anew each epoch, i itself where the rule relates nobody to it

Family: attributes
Source: Ayush et al. 2021, "Geography-aware self-supervised learning", arXiv 2011.09980, and Pantazis, Brostow, Jones,
Mac Aodha 2021, "Focus on the positives: self-supervised learning for biodiversity monitoring", arXiv 2108.06435, whose
fixed rules this makes a setting.
Parts: two views, the second of the partner's picture; the encoder itself as target; both views of the batch as
candidates; own view and `attribute`; uniform negatives; contrast (self).
Needs: pictures with metadata. `by` names what relates two of them: `camera`, `place~5km`, `time~2h`, `time~2h@day`,
`camera+track~10min`, `place~100m+!date`, or numbers within a distance, as `angle~15`.
Differs from the paper: other keys that the rule relates do not push (`others=push` for what the papers have).
Checked by: related pairs against plain loops, draws against all pairs, laws of rules by hypothesis; the contract of
methods; benchmarks/sources.
"""

from dataclasses import dataclass

from oracle.bounds import Positive, Whole
from trainer.objectives.contrast import Objective
from trainer.positives.attribute import PositiveSource as Attribute
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """by: the rule. balance: a column whose values weigh the same, among anchors and partners. others: what other keys
    that are related do, push, rest or pull. temperature: tau > 0. seed: of the draws."""

    by: str = ""
    balance: str = ""
    others: str = "rest"
    temperature: Positive = 0.2
    seed: Whole = 0

    def recipe(self) -> Recipe:
        source = Attribute(self.by, self.balance, others=self.others, seed=self.seed)
        return Recipe((Term(Objective(self.temperature, denominator="self"), positives=(OwnView(), source)),))

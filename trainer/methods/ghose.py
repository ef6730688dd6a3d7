"""Ghose et al.: contrastive clustering, and what a person picked gathers around the running mean of their picks.

    L = l_ins L_ins + l_clu L_clu + l_human L_human,     L_human = mean over picked items of 1 - cos(mu', y)
    mu' = (s mu + sum of t new y) / (s + t)              y = f(x): features; s, t: how many are in the mean, and new

Family: clusters
Source: Ghose et al. 2022, Conference on Robot Learning (PMLR 205, 2023); no arXiv number is known to us. The two
contrastive losses: Li et al. 2021, "Contrastive clustering", arXiv 2009.09687, equations 1 to 7. No official code.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view; uniform negatives;
contrast (self); objective `cluster` on a second head; objective `human` on the features.
Needs: pictures; answers: a picked item is one that an answer joins to another. Without any L_human is 0.
Differs from the paper: one running mean for each group that the answers join, where the paper has one category; the
answers also extend the positives of L_ins, as everywhere here, and rejected pairs are confirmed negatives; AdamW.
Checked by: plain loops, values and gradients; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Positive, Weight
from trainer.objectives.cluster import Objective as Columns
from trainer.objectives.contrast import Objective
from trainer.objectives.human import Objective as Human
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0 of the pictures. column_temperature: of the groups. groups: how many at most. instance,
    cluster, human: weights of the three losses."""

    temperature: Positive = 0.2
    column_temperature: Positive = 1.0
    groups: Count = 20
    instance: Weight = 1.0
    cluster: Weight = 1.0
    human: Weight = 1.0

    def recipe(self) -> Recipe:
        terms = (
            Term(Objective(self.temperature, denominator="self"), weight=self.instance),
            Term(Columns(self.column_temperature), weight=self.cluster),
            Term(Human(), weight=self.human),
        )
        return Recipe(terms, groups=self.groups, rate=3e-3)

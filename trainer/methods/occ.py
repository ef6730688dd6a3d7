"""OCC: contrast pictures and groups at once, and let answered pairs turn the features to what a person means by "same".

    L = L_ins + L_clu,     L_ins: NT-Xent over views, answered pairs pull too
    L_clu: NT-Xent over the columns of the (B, C) assignments of both views - H(mean assignment)

Family: clusters
Source: Wang et al. 2022, "OCC: Oriented contrastive clustering", arXiv 2211.00409; the two heads: Li, Hu, Liu, Peng,
Zhou, Peng 2021, "Contrastive clustering", arXiv 2009.09687, equations 1 to 7. No official code of OCC was found.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view, and must-links where
there are answers; uniform negatives; contrast (all); objective `cluster` on a second head.
Needs: pictures; answers of a criterion, which are its point. Without them it is contrastive clustering.
Differs from the paper: its exact rule for which pair to ask was not available, so the acquisition `occ` asks for the
most uncertain pairs among representative items; rejected pairs are confirmed negatives; AdamW.
Checked by: plain loops, values and gradients; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Positive, Weight
from trainer.objectives.cluster import Objective as Columns
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0 of the pictures. column_temperature: of the groups. groups: how many at most. weight: of the
    groups' loss."""

    temperature: Positive = 0.2
    column_temperature: Positive = 1.0
    groups: Count = 20
    weight: Weight = 1.0

    def recipe(self) -> Recipe:
        instance = Term(Objective(self.temperature, denominator="all"))
        return Recipe(
            (instance, Term(Columns(self.column_temperature), weight=self.weight)), groups=self.groups, rate=3e-3
        )

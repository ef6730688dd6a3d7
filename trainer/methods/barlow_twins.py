"""Barlow Twins: each number of one view should correlate with itself in the other view, and with no other number.

    L = scale ( sum_u (1 - C_uu)^2 + lambda sum_{u != v} C_uv^2 ),   C: correlations over the batch

Family: no negatives
Source: Zbontar, Jing, Misra, LeCun, Deny 2021, "Barlow Twins: self-supervised learning via redundancy reduction",
arXiv 2103.03230, equations 1 and 2. Official code: facebookresearch/barlowtwins.
Parts: two different views (blur in the first, solarisation in the second); the network itself as target; own view,
whose place must-links share; no negatives; decorrelate (bt).
Needs: pictures; batches of at least a hundred, for correlations that mean something.
Differs from the paper: 512 numbers and layers of 512 where it has 8,192; AdamW where it has LARS. With answers a term
of its own lets them push.
Checked by: value and gradient against lightly; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Weight
from trainer.heads import MLP
from trainer.objectives.decorrelate import Objective
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """redundancy: lambda. scale: factor of the loss. outputs: numbers of z. hidden: numbers between the layers of the
    head. blur, solarise: chances, of the first and of the second view."""

    redundancy: Weight = 0.0051
    scale: Weight = 0.1
    outputs: Count = 512
    hidden: Count = 512
    blur: float = 0.5
    solarise: float = 0.2

    def recipe(self) -> Recipe:
        objective = Objective("bt", redundancy=self.redundancy, scale=self.scale)
        return Recipe(
            (Term(objective),), both_views=False, unit=False, outputs=self.outputs,
            views=(Views(blur=self.blur), Views(solarise=self.solarise)), head=MLP(self.hidden, layers=3),
        )  # fmt: skip

"""VICReg: views agree, every number varies over the batch, and no two numbers vary together.

    L = 25 mean (z - z')^2  +  25 (H(z) + H(z')) / 2  +  (O(z) + O(z')),   H, O: see trainer/objectives/decorrelate.py

Family: no negatives
Source: Bardes, Ponce, LeCun 2022, "VICReg: variance-invariance-covariance regularization for self-supervised learning",
arXiv 2105.04906, equations 1 to 6. Official code: facebookresearch/vicreg.
Parts: two different views (blur, solarisation in the second); the network itself as target; own view, whose place
must-links share; no negatives; decorrelate (vicreg).
Needs: pictures; batches of at least a hundred, for variances that mean something.
Differs from the paper: 512 numbers and layers of 512 where it has 8,192; AdamW where it has LARS. With answers a term
of its own lets them push.
Checked by: value and gradient against lightly, and that the hinge is half of solo-learn's; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Weight
from trainer.heads import MLP
from trainer.objectives.decorrelate import Objective
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """invariance, variance, covariance: weights. outputs: numbers of z. hidden: numbers between the layers of the head.
    blur, solarise: chances, of both views and of the second."""

    invariance: Weight = 25.0
    variance: Weight = 25.0
    covariance: Weight = 1.0
    outputs: Count = 512
    hidden: Count = 512
    blur: float = 0.5
    solarise: float = 0.1

    def recipe(self) -> Recipe:
        objective = Objective("vicreg", invariance=self.invariance, variance=self.variance, covariance=self.covariance)
        return Recipe(
            (Term(objective),), both_views=False, unit=False, outputs=self.outputs,
            views=(Views(blur=self.blur), Views(blur=self.blur, solarise=self.solarise)),
            head=MLP(self.hidden, layers=3),
        )  # fmt: skip

"""SimSiam: predict what the network itself says about the other view, without gradient through it; nothing pushes.

    L = 2 - 2 <p_i / |p_i|, stop(z'_i) / |z'_i|>,  p = q(z);   both directions

Family: no negatives
Source: Chen, He 2021, "Exploring simple Siamese representation learning", arXiv 2011.10566, equations 1 to 4. Official
code: facebookresearch/simsiam.
Parts: two views; the network itself without gradient as target, a predictor that is narrow inside and whose step size
does not fall; own view; no negatives; align.
Needs: pictures; batches large enough for batch normalisation.
Differs from the paper: layers of 512 (128 in the predictor) where it has 2,048 (512); AdamW where it has SGD; its loss
is a quarter of ours less a constant. With answers a term of its own lets them push.
Checked by: the loss against plain loops and against lightly, no gradient through the keys, the predictor's step size;
the contract of methods.
"""

from dataclasses import dataclass
from typing import ClassVar

from oracle.bounds import Count
from trainer.heads import MLP
from trainer.objectives.align import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """hidden: numbers between the layers of the head. narrow: numbers inside the predictor."""

    hidden: Count = 512
    narrow: Count = 128

    slow: ClassVar[bool] = True  # falls below its start on the contract's 256 patterns, in 200 steps too

    def recipe(self) -> Recipe:
        return Recipe(
            (Term(Objective(), predictor=0),),
            both_views=False, stopped=True, matches=((0, 1), (1, 0)), steady_predictors=True,
            head=MLP(self.hidden, layers=3, closed=True), predictors=(MLP(self.narrow),), rate=3e-3,
        )  # fmt: skip

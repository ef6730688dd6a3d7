"""BYOL: predict what a slowly moving average of the network says about the other view; nothing pushes.

    L = 2 - 2 <p_i / |p_i|, z'_i / |z'_i|>,  p = q(z),  z' of the moving average;   both directions
    m = 1 - (1 - m_0) (1 + cos(pi progress)) / 2

Family: no negatives
Source: Grill et al. 2020, "Bootstrap your own latent: a new approach to self-supervised learning", arXiv 2006.07733,
equations 1 and 2. Official code: google-deepmind/deepmind-research, byol.
Parts: two different views (blur in the first); moving average as target, a predictor; own view; no negatives; align.
Needs: pictures; batches large enough for batch normalisation.
Differs from the paper: m_0 = .9 for runs of hundreds of steps; z normalised over the batch; no solarisation unless
asked for; layers of 512 where it has 4,096; AdamW where it has LARS; the mean of both directions, not their sum. With
answers a term of its own lets them push.
Checked by: the loss against plain loops, no gradient through the keys, the rise of m; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Fraction
from trainer.heads import MLP
from trainer.objectives.align import Objective
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """momentum: m_0 of the target, which ends at 1. hidden: numbers between the layers of head and predictor. blur,
    solarise: chances, of the first and of the second view."""

    momentum: Fraction = 0.9
    hidden: Count = 512
    blur: float = 0.5
    solarise: float = 0.0

    def recipe(self) -> Recipe:
        return Recipe(
            (Term(Objective(), predictor=0),),
            momentum=self.momentum, final_momentum=1.0, both_views=False, matches=((0, 1), (1, 0)),
            views=(Views(blur=self.blur), Views(solarise=self.solarise)), head=MLP(self.hidden, closed=True),
            predictors=(MLP(self.hidden),), rate=3e-3,
        )  # fmt: skip

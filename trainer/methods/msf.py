"""MSF: predict the mean of the target's neighbourhood: the target itself and the earlier keys nearest to it.

    L = mean over N_i of 2 - 2 <p_i, c_j>,   N_i = the k keys nearest to the target z'_i, itself included

Family: positives from neighbours
Source: Koohpayegani, Tejankar, Pirsiavash 2021, "Mean shift for self-supervised learning", arXiv 2105.07269, section 3.
Official code: UMBCvision/MSF.
Parts: a strong view that predicts and a weak one as its target; moving average, a predictor; batch and queue as
candidates; k neighbours; no negatives; align.
Needs: pictures; a queue with several pictures of each kind.
Differs from the paper: a queue of 1,024 in place of 128,000, which starts with keys of real pictures; m = .9 for runs
of hundreds of steps; z normalised over the batch; layers of 512 where it has 4,096; weak views are crops of at least
three quarters. Keys that answers hold apart are passed over, must-links join, and with answers a term of its own lets
them push.
Checked by: neighbourhoods and loss against plain loops, no gradient through the keys; the contract of methods.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from oracle.bounds import Bounds, Count, Fraction, Whole
from trainer.heads import MLP
from trainer.objectives.align import Objective
from trainer.positives.neighbours import PositiveSource
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """k: keys that pull, the own one among them. momentum: m of the target. queue: keys kept. hidden: numbers between
    the layers of head and predictor. weak: least share of the picture that the target sees."""

    k: int = 5
    momentum: Fraction = 0.9
    queue: Whole = 1024
    hidden: Count = 512
    weak: Annotated[float, Bounds(0, 1, above=True)] = 0.75

    slow: ClassVar[bool] = True  # on the 256 patterns of the contract it falls below its start

    def recipe(self) -> Recipe:
        weak = Views(area=self.weak, colour=0.0, grey=0.0)
        return Recipe(
            (Term(Objective(), positives=(PositiveSource(self.k),), predictor=0),),
            momentum=self.momentum, both_views=False, queue=self.queue, views=(Views(), weak),
            head=MLP(self.hidden, closed=True), predictors=(MLP(self.hidden),), rate=3e-3,
        )  # fmt: skip

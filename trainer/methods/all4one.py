"""All4One: the nearest neighbour, a centroid of five neighbours, and agreement number by number, in one sum.

    L = 1/2 NNCLR(tau = .2)  +  1/2 NNCLR of centroids (tau = .1)  +  5 (sqrt(on diagonal) + sqrt(off diagonal)) / 2

Family: positives from neighbours
Source: Estepa, Sarasua, Nagarajan, Radeva 2023, "All4One: symbiotic neighbour contrastive learning via self-attention
and redundancy reduction", arXiv 2303.09417, section 3. Official code: vturrisi/solo-learn, solo/methods/all4one.py.
Parts: two views, solarisation in the second; moving average, a predictor and a transformer that makes centroids; a
queue to find neighbours in; nearest earlier key, own centroid, own view; predictions or centroids of the other view
push; contrast from the key's side (twice), decorrelate (all4one).
Needs: pictures; a queue with several pictures of each kind.
Differs from the paper: a queue of 1,024 in place of 98,304, in which an earlier key of the very picture is no nearest
neighbour; layers of 512 where it has 2,048 and 4,096; z has length 1 before its columns are compared; see
trainer/centroid.py for the transformer. Answers pass neighbours over and join must-links in each of the three.
Checked by: all three terms against the formulas, centroids and the shift against loops; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Fraction, Positive, Weight, Whole
from trainer.centroid import CentroidHead
from trainer.heads import MLP
from trainer.objectives.cross_view import Objective as CrossView
from trainer.objectives.decorrelate import Objective as Decorrelate
from trainer.positives.nearest import PositiveSource as Nearest
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """temperature: tau of the neighbour's term. centroid_temperature: of the centroid's. agreement: weight of the third
    term. bag: neighbours of a centroid. layers: of the transformer. momentum: m_0 of the target, which ends at 1.
    queue: keys kept. hidden: numbers between the layers of head and predictors. solarise: chance in the second view."""

    temperature: Positive = 0.2
    centroid_temperature: Positive = 0.1
    agreement: Weight = 5.0
    bag: Count = 5
    layers: Count = 3
    momentum: Fraction = 0.99
    queue: Whole = 1024
    hidden: Count = 512
    solarise: float = 0.2

    def recipe(self) -> Recipe:
        terms = (
            Term(CrossView(self.temperature), positives=(Nearest(),), weight=0.5, predictor=0),
            Term(CrossView(self.centroid_temperature), weight=0.5, predictor=1),
            Term(Decorrelate("all4one"), weight=self.agreement),
        )
        return Recipe(
            terms, momentum=self.momentum, final_momentum=1.0, both_views=False, matches=((1, 0), (0, 1)),
            queue=self.queue, queue_pushes=False, views=(Views(), Views(solarise=self.solarise)),
            head=MLP(self.hidden, layers=3, closed=True),
            predictors=(MLP(self.hidden), CentroidHead(self.bag, self.layers, self.hidden)),
        )  # fmt: skip

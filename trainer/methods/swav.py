"""SwAV: predict from one view to which prototypes another view of the picture is assigned, all prototypes used evenly.

    L = - mean sum_c q_c log softmax(s / tau)_c           q: assignments of the other view, by Sinkhorn over the batch

Family: prototypes and distillation
Source: Caron, Misra, Mairal, Goyal, Bojanowski, Joulin 2020, "Unsupervised learning of visual features by contrasting
cluster assignments", arXiv 2006.09882, equations 2 to 4. Official code: facebookresearch/swav (not copied from).
Parts: two large views and small ones; the encoder itself as target, without gradient; prototypes in the head; own view
of every other size; objective assign (sinkhorn); a queue of earlier scores if wanted.
Needs: pictures.
Differs from the paper: 300 prototypes in place of 3,000, 2 small views of half the side in place of 6, AdamW in place
of LARS; an epsilon of .02 in place of .05 and a head that ends in batch normalisation, as batches of 256 else share
every prototype with everybody; prototypes have length 1 where they are used; the queue keeps scores, not embeddings, so
they are as old as its keys. A must-link makes each predict the other's assignment.
Checked by: lightly's SwaVLoss and Sinkhorn, values and gradients; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Positive, Whole
from trainer.objectives.assign import Objective
from trainer.prototypes import PrototypeHead
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """prototypes: how many. temperature: tau > 0. epsilon, iterations: of Sinkhorn. area: least share of the picture
    in a large view. small: views of half the side beside the two large ones. held: epochs in which the prototypes stay
    as they started. queue: earlier scores that share the prototypes with the batch."""

    prototypes: Count = 300
    temperature: Positive = 0.1
    epsilon: Positive = 0.02
    iterations: int = 3
    area: float = 0.25
    small: Whole = 2
    held: Whole = 1
    queue: Whole = 0

    def recipe(self) -> Recipe:
        objective = Objective(self.temperature, "sinkhorn", epsilon=self.epsilon, iterations=self.iterations)
        return Recipe(
            (Term(objective),), both_views=False, stopped=True, queue=self.queue, views=several(self.small, self.area),
            matches=every_other(2 + self.small), head=PrototypeHead(centred=True), outputs=self.prototypes, unit=False,
            held=self.held, rate=5e-3,
        )  # fmt: skip


def several(small: int, area: float) -> tuple[Views, ...]:
    """Two large views, of at least this share of the picture, then small ones of smaller parts."""
    return (Views(area), Views(area), *(Views(area=0.1, most=0.4, side=0.5) for _ in range(small)))


def every_other(count: int) -> tuple[tuple[int, int], ...]:
    """Every view predicts each of the two large ones but itself."""
    return tuple((view, large) for large in (0, 1) for view in range(count) if view != large)

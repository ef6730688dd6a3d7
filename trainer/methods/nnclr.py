"""NNCLR: the positive of a picture is the earlier picture nearest to it; the predictions of the batch push.

    L_i = -log exp(<n_i, p_i'> / tau) / sum_k exp(<n_i, p_k'> / tau),  n_i = argmax over the queue of <z_i, q>;  both
    ways

Family: positives from neighbours
Source: Dwibedi, Aytar, Tompson, Sermanet, Zisserman 2021, "With a little help from my friends: nearest-neighbor
contrastive learning of visual representations", arXiv 2104.14548, equations 1 to 3. No official code.
Parts: two views; the network itself without gradient as target, a predictor; the predictions of the other view as
candidates, a queue to find neighbours in; nearest earlier key; uniform negatives; contrast from the key's side.
Needs: pictures; a queue with several pictures of each kind.
Differs from the paper: tau = .2 in place of .1; a queue of 1,024 in place of 98,304, which starts with keys of real
pictures and in which an earlier key of the very picture is no neighbour; layers of 1,024 where it has 2,048 to 4,096.
A neighbour that answers hold apart is passed over; a must-link pulls beside it.
Checked by: the N-way cross entropy, and that NT-Xent is another number; swaps against loops; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Positive, Whole
from trainer.heads import MLP
from trainer.objectives.cross_view import Objective
from trainer.positives.nearest import PositiveSource
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0. queue: keys kept. hidden: numbers between the layers of head and predictor."""

    temperature: Positive = 0.2
    queue: Whole = 1024
    hidden: Count = 1024

    def recipe(self) -> Recipe:
        term = Term(Objective(self.temperature), positives=(PositiveSource(),), predictor=0)
        return Recipe(
            (term,), both_views=False, stopped=True, matches=((1, 0), (0, 1)), queue=self.queue, queue_pushes=False,
            head=MLP(self.hidden, layers=3, closed=True), predictors=(MLP(self.hidden),),
        )  # fmt: skip

"""DINO: predict what a slowly moving teacher makes of another view; centred and sharpened, it cannot collapse.

    L = - mean sum_c q_c log softmax(s / tau)_c,     q = softmax((t - centre) / sharp)     t: the teacher's scores

Family: prototypes and distillation
Source: Caron, Touvron, Misra, Jegou, Mairal, Bojanowski, Joulin 2021, "Emerging properties in self-supervised vision
transformers", arXiv 2104.14294, equations 1 to 4. Official code: facebookresearch/dino.
Parts: two large views and small ones; moving average of the encoder as target, its momentum rising to 1; prototypes in
the head; the teacher sees large views only; objective assign (softmax with a centre).
Needs: pictures.
Differs from the paper: 1,024 prototypes in place of 65,536, 2 small views of half the side in place of 8, and a
momentum from .99 in place of .996, for hundreds of steps; the teacher's temperature does not rise; no clipping of
gradients. A must-link makes each predict the other's assignment.
Checked by: lightly's DINOLoss and Center, values and gradients; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Fraction, Positive, Whole
from trainer.methods.swav import every_other, several
from trainer.objectives.assign import Objective
from trainer.prototypes import PrototypeHead
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """prototypes: how many. temperature: tau > 0 of the prediction. sharp: the teacher's. centre: momentum of its
    centre. momentum: of the teacher at the start, rising to 1. area: least share of the picture in a large view. small:
    views of half the side. held: epochs in which the prototypes stay as they started."""

    prototypes: Count = 1024
    temperature: Positive = 0.1
    sharp: Positive = 0.04
    centre: Fraction = 0.9
    momentum: Fraction = 0.99
    area: float = 0.25
    small: Whole = 2
    held: Whole = 1

    def recipe(self) -> Recipe:
        objective = Objective(self.temperature, "softmax", sharp=self.sharp, momentum=self.centre)
        return Recipe(
            (Term(objective),), both_views=False, momentum=self.momentum, final_momentum=1.0,
            views=several(self.small, self.area), matches=every_other(2 + self.small), head=PrototypeHead(),
            outputs=self.prototypes, unit=False, held=self.held, rate=5e-3,
        )  # fmt: skip

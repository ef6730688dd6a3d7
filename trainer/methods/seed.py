"""SEED: a small network learns what a large frozen one finds similar.

    L = - mean sum_j p_j log softmax(<s, t_j> / tau)_j,    p_j = softmax(<t, t_j> / sharp)    t_j: own key and queue

Family: prototypes and distillation
Source: Fang, Wang, Wang, Zhang, Yang, Liu 2021, "SEED: Self-supervised distillation for visual representation", arXiv
2101.04731, equations 4 to 6. Official code: jacobswan1/SEED.
Parts: one view; a frozen teacher as target; the queue as candidates; positives `distilled`; contrast (all).
Needs: pictures; a teacher, by default EfficientNet-Lite0 with the weights that come with the install.
Differs from the paper: a queue of 1,024 in place of 65,536; a teacher's temperature of .01, where the official default
is .0001; the teacher sees squares of `side` pixels, enlarged where the pictures are smaller.
Checked by: the cross entropy of two softmaxes in plain loops, values and gradients; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Positive, Whole
from trainer.objectives.contrast import Objective
from trainer.positives.distilled import PositiveSource
from trainer.recipe import Recipe, Term
from trainer.views import Views


@dataclass(frozen=True)
class Method:
    """teacher: a backbone by name. side: of the squares it sees, 0 for its own. temperature: tau > 0 of the student.
    sharp: temperature of the teacher. queue: keys kept."""

    teacher: str = "lite0"
    side: Whole = 48
    temperature: Positive = 0.2
    sharp: Positive = 0.01
    queue: Whole = 1024

    def recipe(self) -> Recipe:
        term = Term(Objective(self.temperature, denominator="all"), positives=(PositiveSource(self.sharp),))
        return Recipe(
            (term,), both_views=False, queue=self.queue, batch_pushes=False, views=(Views(),), matches=((0, 0),),
            teacher=self.teacher, teacher_side=self.side, rate=3e-3,
        )  # fmt: skip

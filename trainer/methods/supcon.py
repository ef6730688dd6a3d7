"""SupCon: every picture of the same kind attracts, all others push; the kinds come from answers or from labels.

    L_i = sum_p pi_ip (log sum_{k != i} exp(<z_i, z_k> / tau) - <z_i, z_p> / tau)        p: own view and same kind

Family: positives from labels
Source: Khosla et al. 2020, "Supervised contrastive learning", arXiv 2004.11362, equation 2 (L_out). Official code:
google-research/supcon; HobbitLong/SupContrast.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view, must-links or equal
labels; uniform negatives; contrast (all); batches that hold every kind equally often.
Needs: pictures; answers of a criterion (--criterion) or a metadata column (--taught-by). Without either it is SimCLR.
Differs from the paper: batches of 256 and AdamW where it has thousands and LARS; a positive from answers weighs as much
as they are sure, and what they hold apart weighs twice.
Checked by: reference values and gradients against pytorch-metric-learning; with labels in a training step, too; the
contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Positive
from trainer.objectives.supcon import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """temperature: tau > 0."""

    temperature: Positive = 0.1

    def recipe(self) -> Recipe:
        return Recipe((Term(Objective(self.temperature)),))

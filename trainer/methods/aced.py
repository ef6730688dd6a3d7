"""ACED: as ACID, and the learner also copies what the reference model makes of every pair of the batch.

    L = contrast + weight * mean over both directions of  - sum_j softmax_j(r_ij) log softmax_j(s <z_i, t_j>)

Family: curation in training
Source: Udandarao, Parthasarathy, Naeem, Evans, Albanie, Tombari, Xian, Tonioni, Henaff 2024, "Active data curation
effectively distills large-scale multimodal models", arXiv 2411.18674. No official code.
Parts: as acid; beside its term a second one, with the reference's scores r as positives (judged), weighted.
Needs: what acid needs.
Differs from the paper: as acid; one reference model chooses and teaches, where the paper has two.
Checked by: torch's cross-entropy; the contracts of methods and selectors; docs/benchmarks/curation.md.
"""

from dataclasses import dataclass, replace

from oracle.bounds import Positive, Weight
from trainer.methods.acid import Method as Acid
from trainer.objectives.contrast import Objective
from trainer.positives.judged import PositiveSource as Judged
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower: who reads them, a file of trainer/towers. temperature: where tau starts,
    > 0. confirmed: the column that says which words belong to their picture. reference: backbone of the reference
    model, empty for the learner's own. weight: of the copying, >= 0."""

    text: str = "caption"
    tower: str = "ngrams"
    temperature: Positive = 0.07
    confirmed: str = "confirmed"
    reference: str = ""
    weight: Weight = 1.0

    def recipe(self) -> Recipe:
        plain = Acid(self.text, self.tower, self.temperature, self.confirmed, self.reference).recipe()
        copying = Term(Objective(1.0), positives=(Judged(),), weight=self.weight)
        return replace(plain, terms=(*plain.terms, copying))

"""ACID: a better model than the learner says which pairs a step learns from: distillation by choosing alone.

    p(i) ~ exp(-loss of the reference),   drawn in 16 chunks, each given those before

Family: curation in training
Source: Udandarao, Parthasarathy, Naeem, Evans, Albanie, Tombari, Xian, Tonioni, Henaff 2024, "Active data curation
effectively distills large-scale multimodal models", arXiv 2411.18674. No official code.
Parts: as clip; selector easy_reference (16 chunks, 80 % left out) by a reference model, that `reference` makes a larger
one than the learner. The paper's other score: `--set selector=learnability`.
Needs: pictures with words in a column of the metadata (`text`), and pairs that somebody confirmed: by the answers of a
review of that column (`criterion add --captions`), or by a column `confirmed` that says 1 where the words belong to the
picture and 0 where they do not; a hundred confirmed pairs are enough. `tower` reads the words, as for `clip`.
Differs from the paper: the reference model is taught at the start of the run by the confirmed pairs, and is as large as
the learner unless `reference` says otherwise; by default a frozen tower for words; rejected pairs are never chosen.
Checked by: plain loops, the draws given; the contracts of methods and selectors; docs/benchmarks/curation.md.
"""

from dataclasses import dataclass, replace

from oracle.bounds import Positive
from trainer.methods.clip import Method as Clip
from trainer.recipe import Recipe
from trainer.selectors.easy_reference import Selector


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower: who reads them, a file of trainer/towers. temperature: where tau starts,
    > 0. confirmed: the column that says which words belong to their picture. reference: backbone of the reference
    model, empty for the learner's own."""

    text: str = "caption"
    tower: str = "ngrams"
    temperature: Positive = 0.07
    confirmed: str = "confirmed"
    reference: str = ""

    def recipe(self) -> Recipe:
        plain = Clip(self.text, self.tower, self.temperature).recipe()
        return replace(plain, selector=Selector(confirmed=self.confirmed, backbone=self.reference))

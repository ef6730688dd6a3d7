"""JEST: of five times as many pairs, a step learns from those that are learnable together and not learnt yet.

    p(i) ~ exp(s_i),   s = loss of the learner - loss of a reference,   drawn in 16 chunks, each given those before

Family: curation in training
Source: Evans, Parthasarathy, Merzic, Henaff 2024, "Data curation via joint example selection further accelerates
multimodal learning", arXiv 2406.17711, section 3 and algorithm 1. No official code.
Parts: as clip; selector learnability (16 chunks, 80 % left out) by a reference model.
Needs: pictures with words in a column of the metadata (`text`), and pairs that somebody confirmed: by the answers of a
review of that column (`criterion add --captions`), or by a column `confirmed` that says 1 where the words belong to the
picture and 0 where they do not; a hundred confirmed pairs are enough. `tower` reads the words, as for `clip`.
Differs from the paper: the reference model is taught at the start of the run by the confirmed pairs; the softmax loss
by default (the paper's is `--set selector.form=sigmoid`); by default a frozen tower for words; rejected pairs are never
chosen.
Checked by: plain loops, the draws given; the contracts of methods and selectors; docs/benchmarks/curation.md.
"""

from dataclasses import dataclass, replace

from oracle.bounds import Positive
from trainer.methods.clip import Method as Clip
from trainer.recipe import Recipe
from trainer.selectors.learnability import Selector


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower: who reads them, a file of trainer/towers. temperature: where tau starts,
    > 0. confirmed: the column that says which words belong to their picture."""

    text: str = "caption"
    tower: str = "ngrams"
    temperature: Positive = 0.07
    confirmed: str = "confirmed"

    def recipe(self) -> Recipe:
        plain = Clip(self.text, self.tower, self.temperature).recipe()
        return replace(plain, selector=Selector(confirmed=self.confirmed))

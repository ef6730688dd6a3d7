"""CUPID: of many pairs, a step learns from those whose words talk most like those of a target domain.

    keep the k with the highest  max_c <t_i, d_c>,    then as the host system (clip)

Family: curation in training
Source: Zhou, Liu, Cheng, Gan, Zhang 2021, "CUPID: adaptive curation of pre-training data for video-and-language
representation learning", arXiv 2104.00285. No official code.
Parts: as clip; selector domain_similarity (80 % left out).
Needs: pictures with words in a column of the metadata (`text`), and a column `target` that says 1 for items of the
target domain. `tower` reads the words, as for `clip`.
Differs from the paper: only its abstract could be read, not how similarity is computed: the cosine to the nearest words
of the target stands in for it; pictures for video; every super-batch is filtered, where the paper filters once.
Checked by: plain loops; the contracts of methods and selectors; docs/benchmarks/curation.md.
"""

from dataclasses import dataclass, replace

from oracle.bounds import Positive
from trainer.methods.clip import Method as Clip
from trainer.recipe import Recipe
from trainer.selectors.domain_similarity import Selector


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower: who reads them, a file of trainer/towers. temperature: where tau starts,
    > 0. target: the column that says 1 for items of the target domain."""

    text: str = "caption"
    tower: str = "ngrams"
    temperature: Positive = 0.07
    target: str = "target"

    def recipe(self) -> Recipe:
        plain = Clip(self.text, self.tower, self.temperature).recipe()
        return replace(plain, selector=Selector(column=self.target))

"""ALIGN: as CLIP, for words that are noisy: labels are smoothed, and the temperature starts soft.

    L = mean over both directions of  - sum_j y_ij log softmax_j(s <z_i, t_j>),   y = (1 - eps) 1[i = j] + eps / B

Family: cross-modal
Source: Jia et al. 2021, "Scaling up visual and vision-language representation learning with noisy text supervision",
arXiv 2102.05918, equations 1 and 2, sections 4.1 and 5. No official code.
Parts: one view of the picture, and its words; two encoders, the one for words a head on a tower; the batch as
candidates, both directions; own words, smoothed; uniform negatives; contrast (all) with a learnt temperature.
Needs: pictures with words in a column of the metadata. `text` names the column, `tower` who reads it: `ngrams` by its
letters, `minilm` by its meaning, hf:OWNER/MODEL as that model does (pip install 'pairwright[methods]'), each frozen;
`subwords` is a small transformer that learns from nothing, and `words.train=true` lets a minilm or hf tower learn, too.
Differs from the paper: a frozen tower by default; batches of 256 for 16,384; a temperature of 1 at the start would
hardly move in runs of this length, so it starts at .2.
Checked by: torch's cross-entropy with smoothed labels; the contract of methods.
"""

from dataclasses import dataclass

from oracle.bounds import Fraction, Positive
from trainer.modalities import BOTH_WAYS, Words, WordsHead
from trainer.objectives.contrast import Objective
from trainer.positives.smoothed import PositiveSource as Smoothed
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower: who reads them, a file of trainer/towers. temperature: where tau starts,
    > 0. smoothing: epsilon, in [0, 1)."""

    text: str = "caption"
    tower: str = "ngrams"
    temperature: Positive = 0.2
    smoothing: Fraction = 0.1

    def recipe(self) -> Recipe:
        words = Words(self.text, self.tower)
        head = WordsHead(words, self.temperature)
        term = Term(Objective(1.0), positives=(Smoothed(self.smoothing),))
        return Recipe((term,), both_views=False, matches=BOTH_WAYS, predictors=(head,), look=words)

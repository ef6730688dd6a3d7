"""CLAP: a recording and the words beside it attract each other, the words and recordings of the batch's others push.

    L = 1/2 mean_i [ -log softmax_j(s <a_i, t_j>)_i - log softmax_j(s <t_i, a_j>)_i ],    s = 1 / tau learnt

Family: cross-modal
Source: Wu, Chen, Zhang, Hui, Berg-Kirkpatrick, Dubnov 2023, "Large-scale contrastive language-audio pretraining with
feature fusion and keyword-to-caption augmentation", arXiv 2211.06687, equation 4. Official code: LAION-AI/CLAP.
Parts: recordings and words, each a head on a tower; the batch as candidates, both directions; own words; uniform
negatives; contrast (all) with a learnt temperature; the same of pictures and words beside it.
Needs: recordings (import them with --audio-column) and words in a column of the metadata. `text` names the column,
`tower` who reads it, as for `clip`; `sound` who hears the recordings: `logmel` or `resemblyzer`, which are frozen, or
`spectrogram`, a network that learns from nothing.
Differs from the paper: pictures join by a term of their own with the words, as theirs is the embedding people use;
pictures=0 leaves them out, as in the paper, and as they were. Frozen towers by default; equal words are one text;
batches of 256. No fusion of long recordings: their first half minute is heard.
Checked by: plain loops, values and gradients; the contract of methods; benchmarks/spoken.
"""

from dataclasses import dataclass

from oracle.bounds import Positive, Weight
from trainer.modalities import PICTURE, WORDS, Beside, Sounds, Words, both_ways
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower, sound: who reads them, and who hears recordings, files of trainer/towers.
    temperature: where tau starts, > 0. pictures: weight of their term, 0 for none."""

    text: str = "caption"
    tower: str = "ngrams"
    sound: str = "logmel"
    temperature: Positive = 0.07
    pictures: Weight = 1.0

    def recipe(self) -> Recipe:
        beside = Beside((Words(self.text, self.tower), Sounds(tower=self.sound)))
        told, seen = both_ways((WORDS + 1, WORDS)), both_ways((PICTURE, WORDS))
        terms = [Term(Objective(1.0), matches=told)]
        if self.pictures:
            terms.append(Term(Objective(1.0), matches=seen, weight=self.pictures))
        heads = beside.heads(self.temperature)
        return Recipe(tuple(terms), both_views=False, matches=told, predictors=heads, look=beside)

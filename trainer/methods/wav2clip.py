"""Wav2CLIP: recordings learn to be where CLIP puts their pictures, and the pictures do not move for them.

    L = CLIP(sg(x), a) + CLIP(x, t)         sg: without gradient;  CLIP(x, t) only where there are words

Family: cross-modal
Source: Wu, Seetharaman, Kumar, Bello 2022, "Wav2CLIP: learning robust audio representations from CLIP", arXiv
2110.11499, section 2. Official code: descriptinc/lyrebird-wav2clip.
Parts: one view of the picture, its recording and its words; heads on towers; the batch as candidates, both directions;
own values; uniform negatives; contrast (all) with a learnt temperature each.
Needs: pictures with recordings (import them with --audio-column), and words in a column of the metadata. `text` names
the column, `tower` who reads it, as for `clip`; `sound` who hears the recordings: `logmel` or `resemblyzer`, which are
frozen, or `spectrogram`, a network that learns from nothing.
Differs from the paper: the CLIP that sounds follow is taught in the same run, by the words, as there is none to begin
with; `text=` without a column leaves it out, and then pictures stay as they started, as in the paper. By default a
frozen tower of sounds; batches of 256.
Checked by: plain loops, values and gradients, of which pictures get none; the contract of methods; benchmarks/spoken.
"""

from dataclasses import dataclass

from oracle.bounds import Positive
from trainer.modalities import PICTURE, Beside, Column, Sounds, Words, both_ways
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """text: the column of the words, empty for none. tower, sound: who reads them, and who hears recordings, files of
    trainer/towers. temperature: where each tau starts, > 0."""

    text: str = "caption"
    tower: str = "ngrams"
    sound: str = "logmel"
    temperature: Positive = 0.07

    def recipe(self) -> Recipe:
        words: tuple[Column, ...] = (Words(self.text, self.tower),) if self.text else ()
        beside = Beside((*words, Sounds(tower=self.sound)), still=(len(words) + 1,))
        pairs = [both_ways((PICTURE, modality)) for modality in range(len(words) + 1, 0, -1)]
        terms = tuple(Term(Objective(1.0), matches=pair) for pair in pairs)
        heads = beside.heads(self.temperature)
        return Recipe(terms, both_views=False, matches=pairs[0], predictors=heads, look=beside)

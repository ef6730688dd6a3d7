"""AudioCLIP: pictures, their recordings and their words attract each other, every two of the three as in CLIP.

    L = 1/3 [ CLIP(a, x) + CLIP(a, t) + CLIP(x, t) ],    each with its own learnt s = 1 / tau in [1, 100]

Family: cross-modal
Source: Guzhov, Raue, Hees, Dengel 2022, "AudioCLIP: extending CLIP to image, text and audio", arXiv 2106.13043, section
3. Official code: AndreyGuzhov/AudioCLIP.
Parts: one view of the picture, its words and its recording; three encoders, two of them heads on towers; the batch as
candidates, every two modalities in both directions; own values; uniform negatives; contrast (all) with three learnt
temperatures.
Needs: pictures with recordings (import them with --audio-column) and words in a column of the metadata. `text` names
the column, `tower` who reads it, as for `clip`; `sound` who hears the recordings: `logmel` or `resemblyzer`, which are
frozen, or `spectrogram`, a network that learns from nothing. Who lacks one of the three is in the terms of the other
two.
Differs from the paper: by default frozen towers with heads of two layers; equal words are one text; batches of 256.
Checked by: plain loops, values and gradients; the contract of methods; benchmarks/spoken.
"""

from dataclasses import dataclass

from oracle.bounds import Positive
from trainer.modalities import PICTURE, WORDS, Beside, Sounds, Words, both_ways
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """text: the column of the words. tower, sound: who reads them, and who hears recordings, files of trainer/towers.
    temperature: where each tau starts, > 0."""

    text: str = "caption"
    tower: str = "ngrams"
    sound: str = "logmel"
    temperature: Positive = 0.07

    def recipe(self) -> Recipe:
        beside = Beside((Words(self.text, self.tower), Sounds(tower=self.sound)))
        pairs = both_ways((PICTURE, WORDS + 1), (WORDS + 1, WORDS), (PICTURE, WORDS))
        heads = beside.heads(self.temperature)
        return Recipe((Term(Objective(1.0)),), both_views=False, matches=pairs, predictors=heads, look=beside)

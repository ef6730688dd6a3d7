"""AVID: a picture must tell its own recording from a thousand in memory, and a recording its picture.

    L = 1/2 [ NCE(x_i, bank of a) + NCE(a_i, bank of x) ],   NCE: -log h(own) - sum_{1024 drawn} log(1 - h(drawn))

Family: cross-modal
Source: Morgado, Vasconcelos, Misra 2021, "Audio-visual instance discrimination with cross-modal agreement", arXiv
2004.12943, section 3. Official code: facebookresearch/AVID-CMA (not copied from).
Parts: one view of the picture, and its recording, a head on a tower; a bank of one slot for each item and modality as
candidates (trainer/bank.py); own slot; uniform draws push; nce.
Needs: pictures with recordings (import them with --audio-column). `sound` who hears them: `logmel` or `resemblyzer`,
which are frozen, or `spectrogram`, a network that learns from nothing, as the paper's does.
Differs from the paper: pictures in place of video; the draws of a step are shared by its batch; Z is one number for
both directions; by default a frozen tower of sounds; items with the same recording are one. A few hundred pictures
learn faster with temperature=.2. An answer that holds two items of a batch apart makes their slots push.
Checked by: plain loops, values and gradients; the bank against loops; the contract of methods; benchmarks/spoken.
"""

from dataclasses import dataclass
from typing import ClassVar

from oracle.bounds import Fraction, Positive
from trainer.bank import Bank
from trainer.modalities import PICTURE, Beside, Sounds, both_ways
from trainer.objectives.nce import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """sound: who hears recordings, a file of trainer/towers. temperature: tau > 0. draws: of the bank a step. momentum:
    of its slots, in [0, 1)."""

    few_pictures: ClassVar[dict[str, float]] = {"temperature": 0.2}  # for a few hundred pictures

    sound: str = "logmel"
    temperature: Positive = 0.07
    draws: int = 1024
    momentum: Fraction = 0.5

    def recipe(self) -> Recipe:
        beside = Beside((Sounds(tower=self.sound),))
        bank = Bank(beside, self.draws, momentum=self.momentum)
        matches = both_ways((PICTURE, PICTURE + 1))
        term = Term(Objective(self.temperature))
        return Recipe((term,), both_views=False, matches=matches, predictors=beside.heads(), look=bank)

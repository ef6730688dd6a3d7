"""AVID+CMA: as AVID, and items that both look and sound alike attract each other within each modality.

    L = AVID + 1/2 sum over both modalities of NCE(v_i, bank of v),   its positives: N_i, its draws: 64
    N_i = the 32 items j with the highest min(<x_i, x_j>, <a_i, a_j>), found anew every 5 epochs

Family: cross-modal
Source: Morgado, Vasconcelos, Misra 2021, "Audio-visual instance discrimination with cross-modal agreement", arXiv
2004.12943, section 4. Official code: facebookresearch/AVID-CMA (not copied from).
Parts: as `avid`; beside it each modality with itself: slots of neighbours that both agree on (consensus), their mean;
uniform draws push; nce with a Z of its own.
Needs: pictures with recordings (import them with --audio-column). `sound` who hears them: `logmel` or `resemblyzer`,
which are frozen, or `spectrogram`, a network that learns from nothing, as the paper's does.
Differs from the paper: as `avid` does; half of the run is AVID alone, where the paper starts from a trained AVID. An
answer that holds two items apart passes a neighbour over; a must-link joins them.
Checked by: plain loops, values and gradients; the neighbours against loops; the contract of methods; benchmarks/spoken.
"""

from dataclasses import dataclass
from typing import ClassVar

from oracle.bounds import Fraction, Positive, Share, Weight
from trainer.bank import Bank
from trainer.modalities import PICTURE, Beside, Sounds, both_ways
from trainer.objectives.nce import Objective
from trainer.positives.consensus import PositiveSource as Consensus
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """sound: who hears recordings, a file of trainer/towers. temperature: tau > 0. draws, within: of the bank a step,
    from the other modality and from the same. momentum: of its slots, in [0, 1). neighbours: of each item. every:
    epochs from one search to the next. begins: share of the run after which neighbours join. agreement: weight of the
    second sum."""

    few_pictures: ClassVar[dict[str, float]] = {"temperature": 0.2}  # for a few hundred pictures

    sound: str = "logmel"
    temperature: Positive = 0.07
    draws: int = 1024
    within: int = 64
    momentum: Fraction = 0.5
    neighbours: int = 32
    every: int = 5
    begins: Share = 0.5
    agreement: Weight = 1.0

    def recipe(self) -> Recipe:
        beside = Beside((Sounds(tower=self.sound),))
        bank = Bank(beside, self.draws, self.within, self.momentum, self.neighbours, self.every, self.begins)
        matches, alike = both_ways((PICTURE, PICTURE + 1)), ((PICTURE, PICTURE), (PICTURE + 1, PICTURE + 1))
        agree = Term(Objective(self.temperature), positives=(Consensus(),), weight=self.agreement, matches=alike)
        terms = (Term(Objective(self.temperature)), agree)
        return Recipe(terms, both_views=False, matches=matches, predictors=beside.heads(), look=bank)

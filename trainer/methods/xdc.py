"""XDC: pictures learn to tell how their recordings cluster, and recordings how their pictures do.

    L = 1/2 [ CE(W_x z_x, k-means of recordings) + CE(W_a z_a, k-means of pictures) ],   anew for each epoch

Family: cross-modal
Source: Alwassel, Mahajan, Korbar, Torresani, Ghanem, Tran 2020, "Self-supervised learning by cross-modal audio-video
clustering", arXiv 1911.12667, section 3. Official code: HumamAlwassel/XDC.
Parts: one view of the picture, and its recording, a head on a tower; the cluster of the other modality as class
(trainer/crossed.py); no negatives; objective classes.
Needs: pictures with recordings (import them with --audio-column). `sound` who hears them: `logmel` or `resemblyzer`,
which are frozen, or `spectrogram`, a network that learns from nothing, as the paper's does.
Differs from the paper: pictures in place of video; as epochs of small collections are short, the same clusters hold for
20 steps at least; 16 clusters in place of 64 to 512, and features of length 1; W are linear on z, not on f(x); by
default a frozen tower of sounds. A must-link makes each predict the other's cluster, too; what answers hold apart, a
term of its own pushes apart in z.
Checked by: torch's cross-entropy, values and gradients; the contract of methods; benchmarks/spoken.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Whole
from trainer.crossed import CLASSIFIERS, Crossed
from trainer.modalities import PICTURE, Beside, Sounds, both_ways
from trainer.objectives.classes import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """sound: who hears recordings, a file of trainer/towers. clusters: of each modality, at most. least: steps from one
    clustering to the next, at least. seed: of k-means."""

    sound: str = "logmel"
    clusters: int = 16
    least: Count = 20
    seed: Whole = 0

    def recipe(self) -> Recipe:
        beside = Beside((Sounds(tower=self.sound),))
        crossed, matches = Crossed(beside, self.clusters, self.least, self.seed), both_ways((PICTURE, PICTURE + 1))
        term = Term(Objective(), predictor=CLASSIFIERS, matches=matches)
        return Recipe(
            (term,), both_views=False, matches=matches, predictors=(*beside.heads(), *crossed.classifiers()),
            look=crossed, unit=False,
        )  # fmt: skip

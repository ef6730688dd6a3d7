"""FLAVA: one transformer for pictures, one for words, one over both; contrast, hidden words and places, and the pair.

    L = L_contrast(z, t) - mean_w log p(w | ..) - mean_p log p(code_p | ..) - mean_i log p(match_i)

Family: fusion
Source: Singh, Hu, Goswami, Couairon, Galuba, Rohrbach, Kiela 2022, "FLAVA: a foundational language and vision alignment
model", arXiv 2112.04482, section 3.1. Official code: facebookresearch/multimodal; the network is that of transformers.
Parts: one view of the picture as places of a feature map, and its words; an encoder for each and one for both; the
batch, vocabulary, visual words and yes or no as candidates; the right one; uniform negatives; contrast (all) with a
learnt temperature, and contrast (self) with temperature 1, which is cross entropy.
Needs: pictures with words in a column of the metadata (`text`), and pip install 'pairwright[methods]'. Answers: as
`visualbert`; in the contrast must-links attract and cannot-links push. `pairwright match` says which captions do not
fit.
Differs from the paper: the transformer for pictures reads places of a feature map, not pixels; visual words found by
k-means in place of a learnt codebook; neither pictures nor words are masked by themselves (no MIM, no MLM); pairs are
judged with nothing hidden; equal words are one text; a small network from random weights.
Checked by: the library's own losses for the same inputs; plain loops; the contract of methods; benchmarks/fusion.
"""

from dataclasses import dataclass
from typing import ClassVar

from oracle.bounds import Count, Share, Weight, Whole
from trainer.fusion.bert import Flava
from trainer.fusion.looking import Fusion
from trainer.fusion.nets import Shape, needs_transformers
from trainer.fusion.recipes import MATCH, PLACES, WORDS, fused, told
from trainer.modalities import BOTH_WAYS
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """text: the column of the words. contrast: weight of that term, above 0. hidden, covered: shares of words and
    places to tell. codes: visual words. grid: places a side. width, layers: of each part of the network. words: size
    of the vocabulary. longest: tokens of a text. seed: of the visual words."""

    slow: ClassVar[bool] = True
    text: str = "caption"
    contrast: Weight = 1.0
    hidden: Share = 0.15
    covered: Share = 0.15
    codes: Count = 32
    grid: Count = 3
    width: Count = 64
    layers: Count = 1
    words: Count = 1024
    longest: Count = 32
    seed: Whole = 0

    def recipe(self) -> Recipe:
        needs_transformers()
        shape = Shape(self.words, self.longest, self.grid**2, self.layers, self.codes, dropout=0.0)
        look = Fusion(shape, self.text, self.grid, self.hidden, self.covered, self.seed)
        contrast = Term(Objective(1.0), weight=self.contrast, matches=BOTH_WAYS)
        return fused(Flava, shape, look, self.width, contrast, told(WORDS), told(PLACES), told(MATCH))

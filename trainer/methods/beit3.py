"""BEiT-3: words and places share their attention, not the layers behind it; hidden ones of both kinds are told.

    L = - mean_w log p(w | other words, places) - mean_p log p(code_p | words, other places)

Family: fusion
Source: Wang, Bao, Dong, Bjorck, Peng, Liu, Aggarwal, Mohammed, Singhal, Som, Wei 2022, "Image as a foreign language:
BEiT pretraining for all vision and vision-language tasks", arXiv 2208.10442, sections 2.1 and 2.2. Official code:
microsoft/unilm.
Parts: one view of the picture as places of a feature map, and its words; one network for both; vocabulary and visual
words as candidates; the right one; uniform negatives; contrast (self) with temperature 1, which is cross entropy.
Needs: pictures with words in a column of the metadata (`text`). `pairwright match` says which captions do not fit:
those whose hidden words are no likelier beside their picture than beside others.
Differs from the paper: places of a feature map in place of raw patches, visual words found by k-means of pixels in
place of the tokenizer of BEiT v2; pairs alone, no single pictures and texts; places are covered one by one, not in
blocks; a small network from random weights.
Checked by: plain loops; the contract of methods; benchmarks/fusion.
"""

from dataclasses import dataclass
from typing import ClassVar

from oracle.bounds import Count, Share, Whole
from trainer.fusion.looking import Fusion
from trainer.fusion.multiway import Multiway
from trainer.fusion.nets import Shape
from trainer.fusion.recipes import PLACES, WORDS, fused, told
from trainer.recipe import Recipe


@dataclass(frozen=True)
class Method:
    """text: the column of the words. hidden, covered: shares of words and places to tell. codes: visual words. grid:
    places a side. width, layers: of the network. words: size of the vocabulary. longest: tokens of a text. seed: of the
    visual words."""

    slow: ClassVar[bool] = True
    text: str = "caption"
    hidden: Share = 0.5
    covered: Share = 0.4
    codes: Count = 64
    grid: Count = 3
    width: Count = 64
    layers: Count = 2
    words: Count = 1024
    longest: Count = 32
    seed: Whole = 0

    def recipe(self) -> Recipe:
        shape = Shape(self.words, self.longest, self.grid**2, self.layers, self.codes)
        look = Fusion(shape, self.text, self.grid, self.hidden, self.covered, self.seed)
        return fused(Multiway, shape, look, self.width, told(WORDS), told(PLACES))

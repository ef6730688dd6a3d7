"""LXMERT: words and places are read apart, then in each other's light; it tells hidden ones, and whether they match.

    L = - mean_w log p(w | other words, picture) - mean_p log p(code_p | words, other places) - mean_i log p(match_i)

Family: fusion
Source: Tan, Bansal 2019, "LXMERT: learning cross-modality encoder representations from transformers", arXiv 1908.07490,
sections 2 and 3.1. Official code: airsplay/lxmert; the network is that of transformers.
Parts: one view of the picture as places of a feature map, each with its box, and its words; one network for both;
vocabulary, visual words and yes or no as candidates; the right one; uniform negatives; contrast (self) with temperature
1, which is cross entropy.
Needs: pictures with words in a column of the metadata (`text`), and pip install 'pairwright[methods]'. Answers: as
`visualbert`. `pairwright match` says which captions do not fit.
Differs from the paper: as `visualbert` does; visual words found by k-means stand for the detected objects, so there are
no attributes; features of hidden places are not told, and no questions are answered.
Checked by: the library's own loss for the same inputs; plain loops; the contract of methods; benchmarks/fusion.
"""

from dataclasses import dataclass
from typing import ClassVar

from oracle.bounds import Count, Share, Whole
from trainer.fusion.bert import Lxmert
from trainer.fusion.looking import Fusion
from trainer.fusion.nets import Shape, needs_transformers
from trainer.fusion.recipes import MATCH, PLACES, WORDS, fused, told
from trainer.recipe import Recipe


@dataclass(frozen=True)
class Method:
    """text: the column of the words. hidden, covered: shares of words and places to tell. codes: visual words. grid:
    places a side. width, layers: of each part of the network. words: size of the vocabulary. longest: tokens of a
    text. seed: of the visual words."""

    slow: ClassVar[bool] = True
    text: str = "caption"
    hidden: Share = 0.15
    covered: Share = 0.15
    codes: Count = 64
    grid: Count = 3
    width: Count = 64
    layers: Count = 1
    words: Count = 1024
    longest: Count = 32
    seed: Whole = 0

    def recipe(self) -> Recipe:
        needs_transformers()
        shape = Shape(self.words, self.longest, self.grid**2, self.layers, self.codes)
        look = Fusion(shape, self.text, self.grid, self.hidden, self.covered, self.seed)
        return fused(Lxmert, shape, look, self.width, told(WORDS), told(PLACES), told(MATCH))

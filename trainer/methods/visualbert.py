"""VisualBERT: one transformer reads words and places of a picture; it tells hidden words, and whether the two match.

    L = - mean_w log p(w | other words, picture) - mean_i log p(match_i | words, picture)

Family: fusion
Source: Li, Yatskar, Yin, Hsieh, Chang 2019, "VisualBERT: a simple and performant baseline for vision and language",
arXiv 1908.03557, sections 3.2 and 3.3. Official code: uclanlp/visualbert; the network is that of transformers.
Parts: one view of the picture as places of a feature map, and its words; one network for both; vocabulary and yes or no
as candidates; the right one; uniform negatives; contrast (self) with temperature 1, which is cross entropy.
Needs: pictures with words in a column of the metadata (`text`), and pip install 'pairwright[methods]'. Answers:
captions of items that are held apart are the first to be shown as wrong ones, those of items that belong together
never are. `pairwright match` says which captions do not fit.
Differs from the paper: places of a grid in place of detected regions, learnt along unless --set trainable=frozen; words
of the collection in place of BERT's; hidden words are told from matching pairs alone, and pairs are judged with no word
hidden; a small network from random weights.
Checked by: the library's own loss for the same inputs; plain loops; the contract of methods; benchmarks/fusion.
"""

from dataclasses import dataclass

from oracle.bounds import Count, Share
from trainer.fusion.bert import VisualBert
from trainer.fusion.looking import Fusion
from trainer.fusion.nets import Shape, needs_transformers
from trainer.fusion.recipes import MATCH, WORDS, fused, told
from trainer.recipe import Recipe


@dataclass(frozen=True)
class Method:
    """text: the column of the words. hidden: share of words to tell. grid: places a side. width, layers: of the
    network. words: size of the vocabulary. longest: tokens of a text."""

    text: str = "caption"
    hidden: Share = 0.15
    grid: Count = 3
    width: Count = 64
    layers: Count = 2
    words: Count = 1024
    longest: Count = 32

    def recipe(self) -> Recipe:
        needs_transformers()
        shape = Shape(self.words, self.longest, self.grid**2, self.layers)
        look = Fusion(shape, self.text, self.grid, self.hidden)
        return fused(VisualBert, shape, look, self.width, told(WORDS), told(MATCH))

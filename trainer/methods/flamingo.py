"""Flamingo: before each of its layers, a language model that is held still looks at the picture through a gate.

    L = - mean_t log p(w_t | picture, w_1 .. w_{t-1}),    y = x + tanh(a) Attention(x, resampler(picture))

Family: fusion
Source: Alayrac et al. 2022, "Flamingo: a visual language model for few-shot learning", arXiv 2204.14198, sections 2.1
and 2.2. No official code.
Parts: one view of the picture as places of a feature map, and its words; a language model of transformers; vocabulary
as candidates; the next word; uniform negatives; contrast (self) with temperature 1, which is cross entropy.
Needs: as `mapl`. `pairwright match` says which captions do not fit: those that are no likelier behind their picture
than behind others.
Differs from the paper: the language model as in `mapl`; one picture before its caption, no texts with several pictures
in them; 8 latents in place of 64.
Checked by: a closed gate leaves the language model as it was; plain loops; the contract of methods; benchmarks/fusion.
"""

from dataclasses import dataclass
from typing import ClassVar

from oracle.bounds import Count
from trainer.fusion.captioners import Flamingo
from trainer.fusion.recipes import word_by_word
from trainer.recipe import Recipe


@dataclass(frozen=True)
class Method:
    """text: the column of the words. grid: places a side. width, layers: of the language model. words: size of the
    vocabulary. longest: tokens of a text."""

    slow: ClassVar[bool] = True
    text: str = "caption"
    grid: Count = 3
    width: Count = 64
    layers: Count = 2
    words: Count = 1024
    longest: Count = 32

    def recipe(self) -> Recipe:
        return word_by_word(
            Flamingo,
            self.text,
            grid=self.grid,
            width=self.width,
            layers=self.layers,
            words=self.words,
            longest=self.longest,
        )

"""MAPL: a small mapper turns a picture into a few rows that a language model, held still, reads as if they were words.

    L = - mean_t log p(w_t | mapper(picture), w_1 .. w_{t-1})

Family: fusion
Source: Mañas, Rodriguez, Ahmadi, Nematzadeh, Goyal, Agrawal 2023, "MAPL: parameter-efficient adaptation of unimodal
pre-trained models for vision-language few-shot prompting", arXiv 2210.07179, section 3. Official code: oscmansan/mapl.
Parts: one view of the picture as places of a feature map, and its words; a language model of transformers; vocabulary
as candidates; the next word; uniform negatives; contrast (self) with temperature 1, which is cross entropy.
Needs: pictures with words in a column of the metadata (`text`), and pip install 'pairwright[methods]'. Hold the
pictures' network still, too, as the paper does, with --set trainable=frozen. `pairwright match` says which captions do
not fit: those that are no likelier behind their picture than behind others.
Differs from the paper: the language model is a small GPT-2 that reads the collection's captions in the first four
tenths of the run, half of them behind their own words so that it learns to go on from what stands before, and stays
still then, in place of a large one taught elsewhere; 8 latents in place of 32.
Checked by: the library's own loss for the same inputs; plain loops; the contract of methods; benchmarks/fusion.
"""

from dataclasses import dataclass
from typing import ClassVar

from oracle.bounds import Count
from trainer.fusion.captioners import Mapl
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
            Mapl,
            self.text,
            grid=self.grid,
            width=self.width,
            layers=self.layers,
            words=self.words,
            longest=self.longest,
        )

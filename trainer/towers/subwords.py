"""Texts by a small transformer that begins untaught and learns from the captions at hand. Nothing to download.

    w = mean over a word and its runs of three letters of  E[hash],    e = mean over the words of transformer(w + p)

A word that was never seen is read by the letters it shares with others, and the order of words counts. Always trained:
a run of a few hundred pictures teaches it those captions, and no other words.
Source: Radford et al. 2021, arXiv 2103.00020, section 2.4 (a transformer from nothing); Bojanowski, Grave, Joulin,
Mikolov 2017, "Enriching word vectors with subword information", arXiv 1607.04606, section 3.2 (runs of letters).
Differs from the papers: a million weights, the mean over words, runs of three letters alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from zlib import crc32

import numpy as np
import torch
from torch import Tensor, nn

from db.errors import BadInput
from trainer.towers._untaught import as_it_starts

WORD = re.compile(r"\w+")
HEADS, RUN = 4, 3


@dataclass(frozen=True)
class Tower:
    """dim: numbers of a row, a multiple of 4. words: of a text; runs: of a word, with itself. buckets: that they are
    hashed into. layers: of the transformer."""

    untaught: ClassVar[bool] = True
    pace: ClassVar[float] = 1.0

    dim: int = 96
    words: int = 24
    runs: int = 12
    buckets: int = 8192
    layers: int = 2

    def __post_init__(self) -> None:
        if self.dim < HEADS or self.dim % HEADS or min(self.words, self.runs, self.layers) < 1 or self.buckets < 64:
            raise BadInput(
                f"dim = a multiple of {HEADS}, words, runs and layers = at least 1 and buckets = at least 64 expected, "
                f"got {self.dim}, {self.words}, {self.runs}, {self.layers} and {self.buckets}."
            )

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> (N, dim) float32 rows of length 1 by the network as it starts; zeros for a text without a word."""
        return as_it_starts(self, texts)

    def inputs(self, values: Sequence[str]) -> np.ndarray:
        """N texts -> (N, words * runs) float32 numbers of buckets, 0 for none."""
        found = np.zeros((len(values), self.words, self.runs), np.float32)
        for row, text in zip(found, values, strict=True):
            for place, word in enumerate(WORD.findall(text.lower())[: self.words]):
                numbers = [crc32(run.encode()) % self.buckets + 1 for run in _runs(word)[: self.runs]]
                row[place, : len(numbers)] = numbers
        return found.reshape(len(values), self.words * self.runs)

    def network(self) -> nn.Module:
        """The transformer, untaught."""
        return Reading(self)


class Reading(nn.Module):
    """(B, words * runs) -> (B, dim)."""

    def __init__(self, of: Tower) -> None:
        super().__init__()
        self.shape = of.words, of.runs
        self.letters = nn.Embedding(of.buckets + 1, of.dim, padding_idx=0)
        self.place = nn.Parameter(0.02 * torch.randn(of.words, of.dim))
        layer = nn.TransformerEncoderLayer(of.dim, HEADS, 2 * of.dim, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, of.layers, enable_nested_tensor=False)

    def forward(self, numbers: Tensor) -> Tensor:
        numbers = numbers.long().view(-1, *self.shape)  # (B, W, R)
        longest = max(int((numbers[..., 0] > 0).sum(1).max()), 1) if len(numbers) else 1
        numbers = numbers[:, :longest]
        real = (numbers > 0).to(self.place)
        words = self.letters(numbers).sum(2) / real.sum(2).clamp_min(1)[..., None]  # (B, W, D)
        there = real[..., :1]
        hidden = there[..., 0] == 0
        hidden[:, 0] = False  # a text without a word looks at nothing instead of nowhere
        read = self.layers(words + self.place[:longest], src_key_padding_mask=hidden)
        found: Tensor = (read * there).sum(1) / there.sum(1).clamp_min(1)
        return found


def _runs(word: str) -> list[str]:
    """The word itself between its signs of begin and end, then its runs of letters."""
    whole = f"<{word}>"
    return [whole, *(whole[at : at + RUN] for at in range(len(whole) - RUN + 1) if len(whole) > RUN)]

"""The words of a collection as numbers: frequent words whole, rare ones letter by letter.

    "A grain elevator" -> [start] a grain #e #l #e #v #a #t #o #r [end] [pad] ...

Learnt from the texts that are there, so it fits any language with an alphabet, and nothing is downloaded.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

PAD, UNKNOWN, START, END, MASK = range(5)
SPECIAL = ("[pad]", "[unknown]", "[start]", "[end]", "[mask]")
LETTERS = 0.25  # share of the vocabulary that letters may take
LEAST = 2  # times a word must occur to be kept whole
PARTS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Vocabulary:
    """pieces: what each number stands for; first SPECIAL, then letters, then words."""

    pieces: tuple[str, ...] = SPECIAL

    @classmethod
    def learnt(cls, texts: Iterable[str], size: int) -> "Vocabulary":
        """At most `size` pieces: the most frequent letters and words. The same texts in any order give the same."""
        words = Counter(word for text in texts for word in split(text))
        letters: Counter[str] = Counter()
        for word, times in words.items():
            letters.update({f"#{letter}": times * word.count(letter) for letter in set(word)})
        kept = _first(letters, min(int(LETTERS * size), size - len(SPECIAL)))
        often = Counter({word: times for word, times in words.items() if times >= LEAST})
        return cls((*SPECIAL, *kept, *_first(often, size - len(SPECIAL) - len(kept))))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Piece -> number."""
        return {piece: number for number, piece in enumerate(self.pieces)}

    def __len__(self) -> int:
        return len(self.pieces)

    def tokens(self, texts: Sequence[str | None], longest: int) -> np.ndarray:
        """N texts -> (N, longest) int64: a start, what fits, an end, then PAD. All PAD where there is no text."""
        found = np.full((len(texts), longest), PAD, np.int64)
        for row, text in enumerate(texts):
            if text:
                read = [START, *self.read(text)[: longest - 2], END]
                found[row, : len(read)] = read
        return found

    def read(self, text: str) -> list[int]:
        """The numbers of a text, without start and end."""
        found: list[int] = []
        for word in split(text):
            whole = self.numbers.get(word)
            found += [whole] if whole is not None else [self.numbers.get(f"#{letter}", UNKNOWN) for letter in word]
        return found


def split(text: str) -> list[str]:
    """Words and signs, in small letters."""
    return PARTS.findall(text.lower())


def _first(counted: "Counter[str]", count: int) -> list[str]:
    """The most frequent ones, the alphabet deciding between equals."""
    return [piece for piece, _ in sorted(counted.items(), key=lambda one: (-one[1], one[0]))[: max(count, 0)]]

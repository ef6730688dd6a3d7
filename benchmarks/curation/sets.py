"""Scikit-learn's digits, each beside a word; many of the words are wrong, and a hundred right ones are confirmed.

swapped   60 % have the word of another digit
off       60 % have words that name no digit
"""

from dataclasses import dataclass

import numpy as np

from trainer.attributes import Attributes

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
OFF = (
    "a bag of apples", "blue sky", "church by a river", "dancing people", "garden wall", "heavy rain", "old barn",
    "quiet harbour", "railway yard", "winter morning",
)  # fmt: skip
NOISES = ("swapped", "off")
WRONG, CONFIRMED, ASKED, SIDE = 0.6, 100, 500, 16


@dataclass(frozen=True, eq=False)
class Digits:
    """pixels (N, S, S, 3) with words, wrong (N,); asked (M, S, S, 3) with truth (M,), the place in WORDS."""

    pixels: np.ndarray
    attributes: Attributes
    wrong: np.ndarray
    asked: np.ndarray
    truth: np.ndarray


def load(noise: str, seed: int) -> Digits:
    """The set of a seed: another part asked about, other words wrong, others confirmed."""
    from sklearn.datasets import load_digits

    pictures, digits = load_digits(return_X_y=True)
    grey = (pictures.reshape(-1, 8, 8) / 16 * 255).astype(np.uint8).repeat(SIDE // 8, 1).repeat(SIDE // 8, 2)
    pixels, random = np.stack([grey] * 3, -1), np.random.default_rng(seed)
    order = random.permutation(len(digits))
    asked, taught = order[:ASKED], order[ASKED:]
    wrong = random.random(len(taught)) < WRONG
    words = [WORDS[digit] for digit in digits[taught]]
    for place in np.flatnonzero(wrong):
        words[place] = str(random.choice(OFF)) if noise == "off" else _another(words[place], random)
    sure = np.full(len(taught), None, dtype=object)
    sure[np.flatnonzero(~wrong)[:CONFIRMED]] = 1
    return Digits(pixels[taught], told(words, sure), wrong, pixels[asked], digits[asked])


def told(words: list[str], sure: np.ndarray) -> Attributes:
    """The metadata: words, what is confirmed, which is the target domain too, and a column with names of classes."""
    unknown = np.full(len(words), np.nan)
    names = np.array([WORDS[place % len(WORDS)] for place in range(len(words))], dtype=object)
    columns = {"caption": np.array(words, dtype=object), "confirmed": sure, "target": sure, "label": names}
    return Attributes(np.arange(len(words)), columns, unknown, np.stack([unknown, unknown], 1))


def _another(word: str, random: np.random.Generator) -> str:
    return str(random.choice([other for other in WORDS if other != word]))

"""What recipes of networks that read pictures and words together have in common."""

from typing import Any

from trainer.fusion.captioners import Captioner
from trainer.fusion.looking import Fusion
from trainer.fusion.nets import (
    ANSWERS,
    CODEBOOK,
    HIDDEN_PLACE,
    HIDDEN_WORD,
    NEXT_WORD,
    PAIR,
    VOCABULARY,
    Fused,
    Shape,
    needs_transformers,
)
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term

RATE = 3e-3
WORDS, PLACES, MATCH = (HIDDEN_WORD, VOCABULARY), (HIDDEN_PLACE, CODEBOOK), (PAIR, ANSWERS)  # what there is to tell


def told(match: tuple[int, int]) -> Term:
    """Cross entropy of one view over the rows of another."""
    return Term(Objective(1.0, denominator="self"), matches=(match,))


def fused(network: Any, shape: Shape, look: Fusion, width: int, *terms: Term) -> Recipe:
    """One network in the place of a predictor, from random weights."""
    return Recipe(terms, both_views=False, predictors=(Fused(network, shape),), look=look, outputs=width, rate=RATE)


def word_by_word(
    network: type[Captioner], text: str, *, grid: int, width: int, layers: int, words: int, longest: int
) -> Recipe:
    """The next word, by a language model and what shows it the picture. text: the column; the rest as a method says."""
    needs_transformers()
    shape = Shape(words, longest, grid**2, layers)
    return fused(network, shape, Fusion(shape, text, grid), width, told((NEXT_WORD, VOCABULARY)))

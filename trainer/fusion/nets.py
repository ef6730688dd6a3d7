"""What a network that reads pictures and words together takes and gives, the same for every one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from db.errors import BadInput

# Views of an item that anchors and keys are taken from; numbers 0 and 1 are those of `trainer.modalities`.
PICTURE, WORDS, HIDDEN_WORD, HIDDEN_PLACE, NEXT_WORD, PAIR, VOCABULARY, CODEBOOK, ANSWERS = range(9)
NO, YES = 0, 1  # keys of ANSWERS


@dataclass(frozen=True)
class Shape:
    """words: size of the vocabulary; longest: tokens of a text; places: of a picture; codes: visual words. layers,
    heads: of the network; dropout: in it."""

    words: int
    longest: int
    places: int
    layers: int
    codes: int = 0
    heads: int = 4
    dropout: float = 0.1


@dataclass(frozen=True, eq=False)
class Told:
    """words: (B, T, d) and places: (B, P, d), to be compared with the rows of a table; pair: (B, d) about both."""

    words: Tensor
    places: Tensor | None = None
    pair: Tensor | None = None


class Net(nn.Module):
    """forward: places (B, P, d) float, tokens (B, T) int64, covered (B, P) bool or None for places that may not be
    seen.

    `causal` ones tell at every token what comes next and never look ahead.
    """

    causal = False

    def begin(self, progress: float) -> None:
        """Called before every step with the share of the training done; 1 when it is over."""

    def forward(self, places: Tensor, tokens: Tensor, covered: Tensor | None = None) -> Told:
        raise NotImplementedError

    def table(self, view: int) -> tuple[Tensor, Tensor]:
        """(K, d) rows and (K,) biases of what a thing may be: VOCABULARY, CODEBOOK or ANSWERS."""
        raise NotImplementedError


@dataclass(frozen=True)
class Fused:
    """A network in the place of a predictor. net: its class. inputs of it are as wide as z."""

    net: Callable[[int, Shape], Net]
    shape: Shape

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        return self.net(outputs, self.shape)


def start_of(width: int) -> float:
    """Deviation of the random weights: .02 in the papers' networks of 768, and as strong a signal in narrower ones."""
    return 0.02 * (768 / width) ** 0.5


def with_table(rows: Tensor, table: tuple[Tensor, Tensor], count: int | None = None) -> tuple[Tensor, Tensor]:
    """Rows and the first keys of a table, each one number longer, so that the product has the bias in it."""
    weight, bias = table[0][:count], table[1][:count]
    return torch.cat([rows, torch.ones_like(rows[:, :1])], 1), torch.cat([weight, bias[:, None]], 1)


def needs_transformers() -> None:
    """Raises: BadInput where the extra `methods` is missing."""
    if find_spec("transformers") is None:
        raise BadInput("this system needs a package that is not installed: pip install 'pairwright[methods]'.")

"""The way from pictures and the words beside them to pools of things to be told (see `trainer.fusion`).

    whole caption, some words and places hidden   -> HIDDEN_WORD, HIDDEN_PLACE     against the words and visual words
    own caption, or that of another item          -> PAIR                          against yes and no
    caption up to a word                          -> NEXT_WORD                     against the words
    each for itself                               -> PICTURE, WORDS                against each other

Only what the recipe's terms ask for is computed. An item without words sits its batches out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import torch
from torch import Generator, Tensor

from db.errors import BadInput
from trainer import chance
from trainer.attributes import Attributes
from trainer.encoding import Encoders
from trainer.fusion import nets
from trainer.fusion.codes import Codes
from trainer.fusion.nets import Net, Shape, with_table
from trainer.fusion.vocabulary import END, MASK, PAD, START, Vocabulary
from trainer.pool import Pool
from trainer.pools import About, Earlier

if TYPE_CHECKING:
    from trainer.recipe import Recipe, Term

NET = 0  # which of the predictors reads both
MOST = 2048  # hidden words and next words of a batch that are asked for; more are drawn from
Rows = tuple[Tensor, Tensor]  # (A, d) what is told, (A,) int64 what it is


@dataclass
class Fusion:
    """shape: of the network. column: of the words. grid: places a side. hidden, covered: shares of the words and places
    that are hidden. seed: of the visual words."""

    takes_maps: ClassVar[bool] = True

    shape: Shape
    column: str = "caption"
    grid: int = 3
    hidden: float = 0.15
    covered: float = 0.0
    seed: int = 0
    vocabulary: Vocabulary = field(default_factory=Vocabulary, compare=False, repr=False)
    tokens: Tensor = field(default_factory=lambda: torch.zeros(0, 0), init=False, compare=False, repr=False)
    texts: Tensor = field(default_factory=lambda: torch.zeros(0), init=False, compare=False, repr=False)
    codes: Codes | None = field(default=None, init=False, compare=False, repr=False)

    def learn_of(self, attributes: Attributes) -> None:
        """Read the words of these items. Raises: NotFound or BadInput where the column has none."""
        texts = attributes.texts(self.column)
        if not any(texts):
            raise BadInput(f"no item has words in the column '{self.column}'. Name another by text=COLUMN.")
        self.vocabulary = Vocabulary.learnt((text for text in texts if text), self.shape.words)
        self.tokens = torch.from_numpy(self.vocabulary.tokens(texts, self.shape.longest))
        self.texts = torch.from_numpy(attributes.codes(self.column))

    def look_at(self, pictures: np.ndarray) -> None:
        """Find the visual words of the pictures, where the network tells them."""
        if self.shape.codes:
            self.codes = Codes.learnt(pictures, self.grid, self.shape.codes, self.seed)

    def __call__(
        self, recipe: "Recipe", encoders: Encoders, pictures: Tensor, rows: Tensor, ids: Tensor, *, earlier: Earlier,
        about: About, seed: int, step: int, progress: float,
    ) -> "SeenTogether":  # fmt: skip
        """As `trainer.pools.look`: one view of each picture, and its words."""
        if not len(self.tokens):
            raise BadInput(f"pictures with words in the column '{self.column}' expected. Name another by text=COLUMN.")
        told = torch.nonzero(self.texts[rows.cpu()] >= 0)[:, 0].to(rows.device)
        if len(told) < 2:
            raise BadInput(
                f"only {len(told)} of {len(rows)} pictures of a batch have words. Train with a larger batch."
            )
        rows, random = rows[told], chance.generator(seed, chance.WORDS, step)
        view = recipe.views[0](pictures[told.to(pictures.device)], chance.generator(seed, chance.VIEWS, step))
        net = net_of(encoders.network)
        net.begin(progress)
        batch = _Batch(
            self, net, encoders.places(view, self.grid), trimmed(self.tokens[rows.cpu()]).to(rows.device),
            self.texts[rows.cpu()].to(rows.device), about(rows, rows), view, random,
        )  # fmt: skip
        asked = {anchor for term in recipe.terms for anchor, _ in term.matches or recipe.matches}
        return SeenTogether(
            batch.told(asked), net, len(self.vocabulary), batch.texts, batch.known, progress, batch.places.mean(1)
        )


@dataclass(frozen=True, eq=False)
class _Batch:
    """One batch before the network has read it."""

    look: Fusion
    net: Net
    places: Tensor
    tokens: Tensor
    texts: Tensor
    known: tuple[Tensor, Tensor]
    view: Tensor
    random: Generator

    def told(self, asked: set[int]) -> dict[int, Rows]:
        """What the network says, of each view that a term asks for."""
        found: dict[int, Rows] = {}
        if asked & {nets.HIDDEN_WORD, nets.HIDDEN_PLACE}:
            found |= self._hidden()
        if nets.PAIR in asked:
            found[nets.PAIR] = self._pairs()
        if nets.NEXT_WORD in asked:
            found[nets.NEXT_WORD] = self._next()
        if asked & {nets.PICTURE, nets.WORDS}:
            found |= dict(zip((nets.PICTURE, nets.WORDS), self._alone(), strict=True))
        return found

    def _hidden(self) -> dict[int, Rows]:
        words, covered = hidden_words(self.tokens, self.look.hidden, self.random), None
        if self.look.covered:
            covered = self._drawn(self.places.shape[:2]) < self.look.covered
        told = self.net(self.places, self.tokens.masked_fill(words, MASK), covered)
        found = {nets.HIDDEN_WORD: self._some(told.words[words], self.tokens[words])}
        if told.places is not None and self.look.codes is not None and covered is not None:
            found[nets.HIDDEN_PLACE] = (told.places[covered], self.look.codes(self.view)[covered])
        return found

    def _pairs(self) -> Rows:
        other, right = mismatched(self.texts, self.known[1], self.random)
        return cast(Tensor, self.net(self.places, self.tokens[other]).pair), right.long()

    def _next(self) -> Rows:
        words, follows = self.net(self.places, self.tokens).words[:, :-1], self.tokens[:, 1:]
        return self._some(words[follows != PAD], follows[follows != PAD])

    def _alone(self) -> tuple[Rows, Rows]:
        z, t = cast(Any, self.net).alone(self.places, self.tokens)
        return (z, self.texts), (t, self.texts)

    def _some(self, rows: Tensor, right: Tensor) -> Rows:
        if len(rows) <= MOST:
            return rows, right
        some = torch.randperm(len(rows), generator=self.random)[:MOST].sort().values.to(rows.device)
        return rows[some], right[some]

    def _drawn(self, shape: torch.Size) -> Tensor:
        return torch.rand(shape, generator=self.random).to(self.places.device)


@dataclass(frozen=True, eq=False)
class SeenTogether:
    """One batch, read. told: view -> what the network says of it, and what is right. words: size of the vocabulary that
    is in use. texts: (B,) equal for equal texts. known: what is known about pairs of items, as
    `trainer.pools.About`.

    embedded: (B, d) z of the pictures, which is what may collapse.
    """

    told: dict[int, Rows]
    net: Net
    words: int
    texts: Tensor
    known: tuple[Tensor, Tensor]
    progress: float
    embedded: Tensor
    keys: Mapping[int, Tensor] = field(default_factory=dict)

    def pools(self, term: "Term", recipe: "Recipe", encoders: Encoders) -> list[Pool]:
        """One for each match: (A x K) what is told against what it may be, or (B x B) pictures against words."""
        return [self._pool(anchor, key) for anchor, key in term.matches or recipe.matches]

    def _pool(self, anchor: int, key: int) -> Pool:
        rows, right = self.told[anchor]
        if key in self.told:
            plain = Pool.of(rows, self.told[key][0], self.texts, self.texts, *self.known)
            return replace(plain, sharpness=cast(Any, self.net).sharpness(), progress=self.progress)
        anchors, keys = with_table(rows, self.net.table(key), self.words if key == nets.VOCABULARY else None)
        nothing = torch.zeros(len(anchors), len(keys), device=rows.device)
        ids = torch.arange(len(keys), device=rows.device)
        return replace(Pool.of(anchors, keys, right, ids, nothing, nothing.to(torch.int8)), progress=self.progress)


def net_of(network: Any) -> Net:
    """The part of a network that reads both."""
    return cast(Net, network.predictors[NET])


def trimmed(tokens: Tensor) -> Tensor:
    """(B, T) without the last columns that are padding in every row."""
    return tokens[:, : int((tokens != PAD).sum(1).max())]


def hidden_words(tokens: Tensor, share: float, random: Generator) -> Tensor:
    """(B, T) bool: which tokens are hidden, neither start, end nor padding; at least one of every text."""
    real = (tokens != PAD) & (tokens != START) & (tokens != END)
    drawn = torch.rand(tokens.shape, generator=random).to(tokens.device).masked_fill(~real, 2.0)
    least = drawn == drawn.amin(1, keepdim=True)
    return ((drawn < share) | least) & real


def mismatched(texts: Tensor, said: Tensor, random: Generator) -> tuple[Tensor, Tensor]:
    """For half of the items the place of another one, whose words do not belong to it. Captions of items that answers
    hold apart come first; those of equal words, or that belong together, never.

    texts: (B,) equal for equal texts. said: (B, B). Returns: (B,) places, and (B,) bool whether the words are its own.
    """
    allowed = (texts[:, None] != texts[None, :]) & (said <= 0)
    drawn = torch.rand(allowed.shape, generator=random).to(texts.device) + (said < 0)
    other = drawn.masked_fill(~allowed, -1.0).argmax(1)
    turned = (torch.rand(len(texts), generator=random) < 0.5).to(texts.device) & allowed.any(1)
    return torch.where(turned, other, torch.arange(len(texts), device=texts.device)), ~turned

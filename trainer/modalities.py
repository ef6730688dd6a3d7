"""Pictures and what stands beside them: a picture is the first view of its item, its words and its recording the next.

    z_0 = head(f(picture)),   z_k = W2 relu(LN(W1 tower_k(value))),   a pool for each match of two modalities

A frozen tower reads every value once; each W trains with the run, and so does a tower that is told to. Ids in a pool
are those of the values of its coarser modality: items with equal words have the same words, so each picks up the
other's, and they never push each other. An item without a value sits out where that value is compared; where an answer
says that a value is not its item's, the two do not pull, they push.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from db.errors import BadInput
from trainer import chance
from trainer.attributes import Attributes
from trainer.columns import Column, Sounds, Words
from trainer.encoding import Encoders
from trainer.pool import Pool
from trainer.pools import About, Earlier
from trainer.towers import Learner

if TYPE_CHECKING:
    from trainer.recipe import Recipe, Term
    from trainer.reference import Reference

__all__ = ["BOTH_WAYS", "PICTURE", "WORDS", "Beside", "SeenBeside", "Sounds", "Words", "WordsHead", "both_ways"]
PICTURE, WORDS = 0, 1
HEAD = 0  # which of the predictors turns rows of the first column into z_1
SHARPEST = 100.0  # the learnt 1 / tau stays below, as in CLIP


def both_ways(*pairs: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Each match and its turn."""
    return tuple(match for one, other in pairs for match in ((one, other), (other, one)))


BOTH_WAYS = both_ways((PICTURE, WORDS))


@dataclass(frozen=True)
class Beside:
    """A way to look: one view of each picture, and what the columns have beside it, the first of them modality 1.
    still: modalities that follow the pictures, which do not feel them."""

    takes_maps: ClassVar[bool] = True  # the pictures may be maps of a frozen trunk, see trainer/maps.py

    columns: tuple[Column, ...]
    still: tuple[int, ...] = ()

    def learn_of(self, attributes: Attributes) -> None:
        """Read what stands beside these items. Raises: NotFound or BadInput where nothing does."""
        for column in self.columns:
            column.learn_of(attributes)

    def heads(self, temperature: float | None = None) -> tuple["WordsHead", ...]:
        """The predictors that make z of each column's rows. temperature: where every learnt tau starts, None for one
        that the objective fixes."""
        return tuple(
            WordsHead(column, temperature, before) for before, column in enumerate(self.columns, start=PICTURE + 1)
        )

    def __call__(
        self, recipe: "Recipe", encoders: Encoders, pictures: Tensor, rows: Tensor, ids: Tensor, *, earlier: Earlier,
        about: About, seed: int, step: int, progress: float,
    ) -> "SeenBeside":  # fmt: skip
        """As `trainer.pools.look`: one view of each picture, and what stands beside it."""
        for column in self.columns:
            if not len(column.rows):
                raise BadInput(f"pictures with a value in '{column.column}' expected: {column.lacking}")
        codes = torch.stack([column.codes[rows.cpu()] for column in self.columns], 1)  # (B, C)
        told = torch.nonzero((codes >= 0).any(1))[:, 0]
        rows, codes = rows[told.to(rows.device)], codes[told]
        view = recipe.views[PICTURE](pictures[told.to(pictures.device)], chance.generator(seed, chance.VIEWS, step))
        z = encoders.online(view)
        heads = tuple(cast(_WordsHead, head) for head in encoders.network.predictors[: len(self.columns)])
        shown, at = {PICTURE: encoders.shown(z)}, rows.cpu()
        for modality, (column, head) in enumerate(zip(self.columns, heads, strict=True), start=PICTURE + 1):
            heard = head.of_each(column.rows[at].to(z)).float()
            shown[modality] = normalize(heard, dim=1) if recipe.unit else heard
        denied = torch.stack([column.denied[at] for column in self.columns], 1)
        known = Known(rows, codes.to(z.device), denied.to(z.device), *about(rows, rows))
        return SeenBeside(shown, known, heads, self.still, progress)


@dataclass(frozen=True, eq=False)
class Known:
    """Of one batch. rows: (B,). codes: (B, C) of the columns, -1 without a value. denied: (B, C) bool. same, said:
    (B, B)."""

    rows: Tensor
    codes: Tensor
    denied: Tensor
    same: Tensor
    said: Tensor

    def between(self, one: int, other: int) -> tuple[Tensor, Pool]:
        """The (B',) places that are compared in a match of two modalities, and the pool of them without vectors."""
        first, later = sorted((one, other))
        beside = [modality for modality in (first, later) if modality != PICTURE]
        named = min(beside, key=lambda modality: len(self.codes[:, modality - 1].unique()))  # the coarser names both
        there = [(self.codes[:, k - 1] >= 0) & ((k == named) | ~self.denied[:, k - 1]) for k in beside]
        kept = torch.nonzero(torch.stack(there).all(0))[:, 0]
        codes, denied = self.codes[kept, named - 1], self.denied[kept, named - 1]
        nameless = torch.where(denied, -2 - kept, codes)  # who is not what its value says has a name of its own
        same, said = self.same[kept][:, kept], self.said[kept][:, kept]
        apart = denied[:, None] & (codes[:, None] == codes)  # (values' owners, values)
        ids = (codes, nameless) if one == named else (nameless, codes)
        said = said.masked_fill(apart.T if one == named else apart, -1)
        bare = torch.zeros(len(kept), 0, device=codes.device)
        return kept, Pool.of(bare, bare, *ids, same, said)


@dataclass(frozen=True, eq=False)
class SeenBeside:
    """One batch. shown: modality -> (B, d) unit rows with gradient. known: what stands beside whom. heads: of the
    columns. still: modalities that pictures do not feel. judge: a model whose scores of the batch the pools get."""

    shown: dict[int, Tensor]
    known: Known
    heads: tuple["_WordsHead", ...]
    still: tuple[int, ...] = ()
    progress: float = 0.0
    keys: Mapping[int, Tensor] = field(default_factory=dict)
    judge: "Reference | None" = None

    def pools(self, term: "Term", recipe: "Recipe", encoders: Encoders) -> list[Pool]:
        """From one modality to another: (B' x B') with the B' items of the batch that have both."""
        return [self.pool(one, other) for one, other in term.matches or recipe.matches]

    def pool(self, one: int, other: int) -> Pool:
        """Of one match."""
        kept, plain = self.known.between(one, other)
        anchors, keys = (
            rows.detach() if modality == PICTURE and {one, other} & {*self.still} else rows
            for modality, rows in ((one, self.shown[one][kept]), (other, self.shown[other][kept]))
        )
        first, later = sorted((one, other))
        sharpness = self.heads[later - 1].sharpness(first)
        judged = None if self.judge is None else self.judge.scores(self.known.rows[kept])
        turned = judged if judged is None or one == PICTURE else judged.T
        return replace(plain, anchors=anchors, keys=keys, sharpness=sharpness, progress=self.progress, judged=turned)


@dataclass(frozen=True)
class WordsHead:
    """A head in the place of a predictor: from rows of a column to z_k, through its tower where that is trained.
    temperature: where learnt tau start, None for one that the objective fixes. before: modalities it is compared with,
    each with a tau of its own."""

    column: Column
    temperature: float | None = None
    before: int = 1

    def __post_init__(self) -> None:
        self.column.dim  # noqa: B018  # says at once where there is no such tower

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        return _WordsHead(self.column.dim, outputs, self.temperature, self.before, self.column.learner)


class _WordsHead(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, temperature: float | None, before: int = 1, learner: Learner | None = None
    ) -> None:
        super().__init__()
        wide = max(outputs, min(inputs, 512))
        self.layers = nn.Sequential(nn.Linear(inputs, wide), nn.LayerNorm(wide), nn.ReLU(), nn.Linear(wide, outputs))
        start = None if temperature is None else torch.full((before,), -math.log(temperature))
        self.log_sharpness = None if start is None else nn.Parameter(start)
        self.tower = None if learner is None else learner.network()
        self.pace = 1.0 if learner is None else learner.pace

    def forward(self, rows: Tensor) -> Tensor:
        """(B, D) -> (B, d)."""
        found: Tensor = self.layers(rows if self.tower is None else self.tower(rows))
        return found

    def slow_weights(self) -> Iterator[nn.Parameter]:
        """Those that learn at the pace of the tower."""
        return iter(()) if self.tower is None else self.tower.parameters()

    def of_each(self, rows: Tensor) -> Tensor:
        """The same; a tower that is trained reads equal rows once."""
        if self.tower is None:
            return cast(Tensor, self(rows))
        different, which = rows.unique(dim=0, return_inverse=True)
        return cast(Tensor, self(different)[which])

    def sharpness(self, to: int = PICTURE) -> Tensor | None:
        """() learnt 1 / tau beside another modality, in [1, SHARPEST]."""
        return None if self.log_sharpness is None else self.log_sharpness[to].exp().clamp(1.0, SHARPEST)

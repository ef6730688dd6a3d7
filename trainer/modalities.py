"""Pictures and the words beside them: a picture is the first view of its item, its words are the second.

    z_0 = head(f(picture)),   z_1 = W2 relu(LN(W1 tower(text))),   pools for the matches (0, 1) and (1, 0)

The tower is frozen and reads every text once; W trains with the run. Ids in the pools are those of texts: items with
equal words have the same words, so each picks up the other's, and they never push each other. An item without words
sits its batches out.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from db.errors import BadInput
from oracle import plugins
from trainer import chance, towers
from trainer.attributes import Attributes
from trainer.encoding import Encoders
from trainer.pool import Pool
from trainer.pools import About, Earlier

if TYPE_CHECKING:
    from trainer.recipe import Recipe, Term
    from trainer.reference import Reference

PICTURE, WORDS = 0, 1
BOTH_WAYS = ((PICTURE, WORDS), (WORDS, PICTURE))
HEAD = 0  # which of the predictors turns rows of the tower into z_1
SHARPEST = 100.0  # the learnt 1 / tau stays below, as in CLIP


@dataclass(eq=False)
class Words:
    """The words of a column, read by a tower. column: of the metadata. tower: a file of trainer/towers.

    rows: (N, D) of the items that were introduced; codes: (N,), equal for equal texts, -1 without one. judge: a model
    whose scores of a batch the pools get, see `trainer.reference`.
    """

    takes_maps: ClassVar[bool] = True  # the pictures may be maps of a frozen trunk, see trainer/maps.py

    column: str = "caption"
    tower: str = "ngrams"
    rows: Tensor = field(default_factory=lambda: torch.zeros(0, 0), init=False, repr=False)
    codes: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64), init=False, repr=False)
    ids: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), init=False, repr=False)
    judge: "Reference | None" = field(default=None, init=False, repr=False)

    @cached_property
    def reader(self) -> towers.Tower:
        """The tower itself."""
        found: towers.Tower = plugins.load(towers.FAMILY, self.tower)
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and (self.column, self.tower) == (other.column, other.tower)

    def learn_of(self, attributes: Attributes) -> None:
        """Read the words of these items. Raises: NotFound or BadInput where the column has none."""
        codes = attributes.codes(self.column)
        if (codes < 0).all():
            raise BadInput(f"no item has words in the column '{self.column}'. Name another by text=COLUMN.")
        if np.array_equal(attributes.ids, self.ids):
            return
        column = attributes.values[self.column]
        known, places = np.unique(codes, return_index=True)
        texts = ["" if code < 0 else str(column[place]).strip() for code, place in zip(known, places, strict=True)]
        read = self.reader(texts)[np.searchsorted(known, codes)]
        read[codes < 0] = 0
        self.ids, self.rows, self.codes = attributes.ids, torch.from_numpy(read), torch.from_numpy(codes)

    def __call__(
        self, recipe: "Recipe", encoders: Encoders, pictures: Tensor, rows: Tensor, ids: Tensor, *, earlier: Earlier,
        about: About, seed: int, step: int, progress: float,
    ) -> "SeenWords":  # fmt: skip
        """As `trainer.pools.look`: one view of each picture, and its words."""
        if not len(self.rows):
            raise BadInput(f"pictures with words in the column '{self.column}' expected. Name another by text=COLUMN.")
        codes = self.codes[rows.cpu()]
        told = torch.nonzero(codes >= 0)[:, 0]
        rows, codes = rows[told.to(rows.device)], codes[told]
        view = recipe.views[PICTURE](pictures[told.to(pictures.device)], chance.generator(seed, chance.VIEWS, step))
        z = encoders.online(view)
        words = self.shown(encoders, self.rows[rows.cpu()].to(z))
        bare, codes = torch.zeros(len(rows), 0, device=z.device), codes.to(z.device)
        plain = replace(Pool.of(bare, bare, codes, codes, *about(rows, rows)), progress=progress)
        judged = None if self.judge is None else self.judge.scores(rows)
        return SeenWords(
            {PICTURE: encoders.shown(z), WORDS: words}, plain, self.head(encoders).sharpness(), judged=judged
        )

    def head(self, encoders: Encoders) -> "_WordsHead":
        """What learns on top of the tower."""
        return cast(_WordsHead, encoders.network.predictors[HEAD])

    def sharpness(self, encoders: Encoders, objective: Any) -> float:
        """1 / tau as it is now, learnt or fixed."""
        learnt = self.head(encoders).sharpness()
        return (1.0 if learnt is None else float(learnt.detach())) / float(getattr(objective, "temperature", 1.0))

    def shown(self, encoders: Encoders, rows: Tensor) -> Tensor:
        """(B, D) rows of the tower -> (B, d) unit rows, with gradient."""
        return torch.nn.functional.normalize(self.head(encoders)(rows).float(), dim=1)


@dataclass(frozen=True, eq=False)
class SeenWords:
    """One batch. shown: modality -> (B, d) unit rows with gradient. plain: a pool without vectors. sharpness: () the
    learnt 1 / tau, None where it is fixed. judged: (B, B) scores of pictures with words by another model, or None."""

    shown: dict[int, Tensor]
    plain: Pool
    sharpness: Tensor | None
    keys: Mapping[int, Tensor] = field(default_factory=dict)
    judged: Tensor | None = None

    def pools(self, term: "Term", recipe: "Recipe", encoders: Encoders) -> list[Pool]:
        """From pictures to words and back: (B' x B') with the B' items of the batch that have words."""
        turned = None if self.judged is None else self.judged.T
        return [
            replace(
                self.plain, anchors=self.shown[one], keys=self.shown[other], sharpness=self.sharpness,
                judged=self.judged if one == PICTURE else turned,
            )
            for one, other in term.matches or recipe.matches
        ]  # fmt: skip


@dataclass(frozen=True)
class WordsHead:
    """A head in the place of a predictor: from rows of the tower to z_1. inputs: numbers of such a row. temperature:
    where the learnt tau starts, None for one that the objective fixes."""

    inputs: int
    temperature: float | None = None

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        return _WordsHead(self.inputs, outputs, self.temperature)


class _WordsHead(nn.Module):
    def __init__(self, inputs: int, outputs: int, temperature: float | None) -> None:
        super().__init__()
        wide = max(outputs, min(inputs, 512))
        self.layers = nn.Sequential(nn.Linear(inputs, wide), nn.LayerNorm(wide), nn.ReLU(), nn.Linear(wide, outputs))
        self.log_sharpness = None if temperature is None else nn.Parameter(torch.tensor(-math.log(temperature)))

    def forward(self, rows: Tensor) -> Tensor:
        """(B, D) -> (B, d)."""
        found: Tensor = self.layers(rows)
        return found

    def sharpness(self) -> Tensor | None:
        """() learnt 1 / tau."""
        return None if self.log_sharpness is None else self.log_sharpness.exp().clamp_max(SHARPEST)

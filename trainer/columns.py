"""What stands beside a picture: the words of a column or a recording, read once into rows of numbers.

item -> value (a text, the path of a recording) -> tower -> row; equal values have one code and one row

A frozen tower makes the row. One that is trained is part of the head, and the row is what its network takes.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from db.errors import BadInput
from trainer import towers
from trainer.attributes import Attributes
from trainer.encoding import Encoders
from trainer.recordings import waveform

if TYPE_CHECKING:
    from trainer.modalities import SeenBeside
    from trainer.reference import Reference

log = logging.getLogger("pairwright.training")
BLOCK = 64  # recordings in memory at once
ROWS = 512  # rows that go through a head at once


@dataclass(eq=False)
class Column(ABC):
    """column: of the metadata. tower: a file of trainer/towers, or FILE:MODEL. train: whether the tower learns, too.

    rows: (N, D) of the items that were introduced; codes: (N,), equal for equal values, -1 without one. denied: (N,)
    bool, whether an answer says that the value does not belong to its item. judge: a model whose scores of a batch the
    pools get, see `trainer.reference`.
    """

    takes_maps: ClassVar[bool] = True  # the pictures may be maps of a frozen trunk, see trainer/maps.py

    column: str
    tower: str
    train: bool = field(default=False, kw_only=True)
    rows: Tensor = field(default_factory=lambda: torch.zeros(0, 0), init=False, repr=False)
    codes: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64), init=False, repr=False)
    denied: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool), init=False, repr=False)
    ids: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), init=False, repr=False)
    judge: "Reference | None" = field(default=None, init=False, repr=False)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._named == other._named  # type: ignore[attr-defined]

    @property
    def _named(self) -> tuple[str, str, bool]:
        return self.column, self.tower, self.train

    @property
    @abstractmethod
    def reads_by(self) -> Any:
        """The tower itself. Raises: BadInput for one that reads something else."""

    @property
    def dim(self) -> int:
        """Numbers of what the tower makes of a value."""
        return int(self.reads_by.dim)

    @property
    def learner(self) -> towers.Learner | None:
        """The tower, where it is trained. Raises: BadInput for one that cannot be."""
        always = getattr(self.reads_by, "untaught", False)
        return towers.learner(self.reads_by, self.tower) if self.train or always else None

    @property
    @abstractmethod
    def lacking(self) -> str:
        """What to say where no item has a value."""

    @abstractmethod
    def found(self, attributes: Attributes) -> tuple[np.ndarray, np.ndarray]:
        """(N,) int64 codes, equal for equal values and -1 without one, and the (N,) values."""

    @abstractmethod
    def read(self, values: Sequence[Any]) -> np.ndarray:
        """V different values -> (V, D) float32 rows, or what the network of the tower takes; zeros for one that cannot
        be read."""

    def learn_of(self, attributes: Attributes) -> None:
        """Read the values of these items. Raises: NotFound or BadInput where there are none."""
        self.denied = torch.from_numpy(np.isin(attributes.ids, list(attributes.denied.get(self.column, ()))))
        if np.array_equal(attributes.ids, self.ids):
            return
        codes, values = self.found(attributes)
        known, places = np.unique(codes, return_index=True)
        known, places = known[known >= 0], places[known >= 0]
        read = self.read([values[place] for place in places]) if len(known) else np.zeros((0, self.dim), np.float32)
        known, read = known[read.any(1)], read[read.any(1)]
        if not len(known):
            raise BadInput(self.lacking)
        codes = np.where(np.isin(codes, known), np.searchsorted(known, codes), -1)
        rows = np.where(codes[:, None] >= 0, read[codes], np.float32(0))
        self.ids, self.rows, self.codes = attributes.ids, torch.from_numpy(rows), torch.from_numpy(codes)

    def __call__(self, *batch: Any, **about: Any) -> "SeenBeside":
        """A column alone is a way to look: pictures, and it beside them."""
        from trainer.modalities import Beside

        return replace(Beside((self,))(*batch, **about), judge=self.judge)

    def head(self, encoders: Encoders) -> Any:
        """What learns on top of the tower, where the column is a way to look."""
        return encoders.network.predictors[0]

    def shown(self, encoders: Encoders, rows: Tensor) -> Tensor:
        """(B, ..) rows of the column -> (B, d) unit rows of the head, without gradient."""
        return unit_rows(self.head(encoders), rows)

    def told(self, encoders: Encoders, rows: Tensor) -> Tensor:
        """(B, ..) rows of the column -> (B, D) unit rows of the tower as it is now, without gradient."""
        return rows if self.learner is None else unit_rows(self.head(encoders).tower, rows.to(encoders.device))

    def sharpness(self, encoders: Encoders, objective: Any) -> float:
        """1 / tau as it is now, learnt or fixed."""
        learnt = self.head(encoders).sharpness()
        return (1.0 if learnt is None else float(learnt.detach())) / float(getattr(objective, "temperature", 1.0))


@torch.no_grad()
def unit_rows(module: nn.Module, rows: Tensor) -> Tensor:
    """(B, ..) rows -> (B, d) of length 1, as a head or a tower makes them when it does not learn."""
    before = module.training
    module.eval()
    found = [normalize(module(part).float(), dim=1) for part in rows.split(ROWS)]
    module.train(before)
    return torch.cat(found)


@dataclass(eq=False)
class Words(Column):
    """The words of a column."""

    column: str = "caption"
    tower: str = "ngrams"

    @cached_property
    def reads_by(self) -> Any:
        """The tower itself. Raises: BadInput for one that hears recordings."""
        return towers.load(self.tower, towers.TEXTS)

    @property
    def lacking(self) -> str:
        """What to say where no item has words."""
        return f"no item has words in the column '{self.column}'. Name another by text=COLUMN."

    def found(self, attributes: Attributes) -> tuple[np.ndarray, np.ndarray]:
        """(N,) codes and texts."""
        return attributes.codes(self.column), attributes.values[self.column]

    def read(self, values: Sequence[Any]) -> np.ndarray:
        """V texts -> (V, D)."""
        texts = [str(value).strip() for value in values]
        return np.asarray(self.reads_by(texts) if self.learner is None else self.learner.inputs(texts))


@dataclass(eq=False)
class Sounds(Column):
    """The recordings that import stored, one an item."""

    column: str = "recording"
    tower: str = "logmel"

    @cached_property
    def reads_by(self) -> Any:
        """The tower itself. Raises: BadInput for one that reads texts."""
        return towers.load(self.tower, towers.SOUNDS)

    @property
    def lacking(self) -> str:
        """What to say where no item has a recording."""
        return "no item has a recording that can be read. Import them with --audio-column COLUMN."

    def found(self, attributes: Attributes) -> tuple[np.ndarray, np.ndarray]:
        """(N,) codes and paths."""
        heard = attributes.recordings if len(attributes.recordings) else np.full(len(attributes.ids), None, object)
        names, codes = np.unique([str(path or "") for path in heard], return_inverse=True)
        return codes - int(names[0] == ""), heard

    def read(self, values: Sequence[Any]) -> np.ndarray:
        """V paths -> (V, D). What cannot be read is logged."""
        makes = self.reads_by if self.learner is None else self.learner.inputs
        found = np.zeros((len(values), makes([]).shape[1]), np.float32)
        for at in range(0, len(values), BLOCK):
            heard = {place: wave for place in range(at, min(at + BLOCK, len(values)))
                     if (wave := self._wave(values[place])) is not None}  # fmt: skip
            if heard:
                found[list(heard)] = makes(list(heard.values()))
        return found

    def _wave(self, path: Any) -> np.ndarray | None:
        try:
            return waveform(path, self.reads_by.rate)
        except (OSError, ValueError) as error:
            log.warning("%s is left out: the recording cannot be read (%s)", path, error)
            return None

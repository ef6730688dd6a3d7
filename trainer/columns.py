"""What stands beside a picture: the words of a column or a recording, read once by a frozen tower into rows of numbers.

item -> value (a text, the path of a recording) -> tower -> row; equal values have one code and one row
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor
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


@dataclass(eq=False)
class Column(ABC):
    """column: of the metadata. tower: a file of trainer/towers, or FILE:MODEL.

    rows: (N, D) of the items that were introduced; codes: (N,), equal for equal values, -1 without one. denied: (N,)
    bool, whether an answer says that the value does not belong to its item. judge: a model whose scores of a batch the
    pools get, see `trainer.reference`.
    """

    takes_maps: ClassVar[bool] = True  # the pictures may be maps of a frozen trunk, see trainer/maps.py

    column: str
    tower: str
    rows: Tensor = field(default_factory=lambda: torch.zeros(0, 0), init=False, repr=False)
    codes: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64), init=False, repr=False)
    denied: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool), init=False, repr=False)
    ids: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), init=False, repr=False)
    judge: "Reference | None" = field(default=None, init=False, repr=False)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and (self.column, self.tower) == (other.column, other.tower)  # type: ignore[attr-defined]

    @property
    @abstractmethod
    def dim(self) -> int:
        """Numbers of a row."""

    @property
    @abstractmethod
    def lacking(self) -> str:
        """What to say where no item has a value."""

    @abstractmethod
    def found(self, attributes: Attributes) -> tuple[np.ndarray, np.ndarray]:
        """(N,) int64 codes, equal for equal values and -1 without one, and the (N,) values."""

    @abstractmethod
    def read(self, values: Sequence[Any]) -> np.ndarray:
        """V different values -> (V, D) float32 rows; zeros for one that cannot be read."""

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
        """(B, D) rows of the tower -> (B, d) unit rows, with gradient."""
        return normalize(self.head(encoders)(rows).float(), dim=1)

    def sharpness(self, encoders: Encoders, objective: Any) -> float:
        """1 / tau as it is now, learnt or fixed."""
        learnt = self.head(encoders).sharpness()
        return (1.0 if learnt is None else float(learnt.detach())) / float(getattr(objective, "temperature", 1.0))


@dataclass(eq=False)
class Words(Column):
    """The words of a column."""

    column: str = "caption"
    tower: str = "ngrams"

    @cached_property
    def reader(self) -> towers.Tower:
        """The tower itself. Raises: BadInput for one that reads recordings."""
        return cast(towers.Tower, towers.load(self.tower, towers.TEXTS))

    @property
    def dim(self) -> int:
        """Numbers of a row."""
        return self.reader.dim

    @property
    def lacking(self) -> str:
        """What to say where no item has words."""
        return f"no item has words in the column '{self.column}'. Name another by text=COLUMN."

    def found(self, attributes: Attributes) -> tuple[np.ndarray, np.ndarray]:
        """(N,) codes and texts."""
        return attributes.codes(self.column), attributes.values[self.column]

    def read(self, values: Sequence[Any]) -> np.ndarray:
        """V texts -> (V, D)."""
        return self.reader([str(value).strip() for value in values])


@dataclass(eq=False)
class Sounds(Column):
    """The recordings that import stored, one an item."""

    column: str = "recording"
    tower: str = "logmel"

    @cached_property
    def listener(self) -> towers.Listener:
        """The tower itself. Raises: BadInput for one that reads texts."""
        return cast(towers.Listener, towers.load(self.tower, towers.SOUNDS))

    @property
    def dim(self) -> int:
        """Numbers of a row."""
        return self.listener.dim

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
        found = np.zeros((len(values), self.dim), np.float32)
        for at in range(0, len(values), BLOCK):
            heard = {place: wave for place in range(at, min(at + BLOCK, len(values)))
                     if (wave := self._wave(values[place])) is not None}  # fmt: skip
            if heard:
                found[list(heard)] = self.listener(list(heard.values()))
        return found

    def _wave(self, path: Any) -> np.ndarray | None:
        try:
            return waveform(path, self.listener.rate)
        except (OSError, ValueError) as error:
            log.warning("%s is left out: the recording cannot be read (%s)", path, error)
            return None

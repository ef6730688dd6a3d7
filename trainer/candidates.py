"""A super-batch on its way to a batch: more items than a step learns from, of which a selector chooses some.

    super-batch of S = B / (1 - filter) items -> encoded once, without gradient -> Candidates -> selector -> B places

A selector is `(candidates, count, draw) -> places`: pure, and all its chance comes from `draw`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from db.errors import BadInput

FAMILY = "trainer.selectors"
Draw = Callable[[], Tensor]  # each call gives (S,) new uniform numbers in [0, 1), one a candidate


@dataclass(frozen=True, eq=False)
class Candidates:
    """codes: (S,) int64, equal for equal words. What a selector reads, and no other has: learner, reference (S, S)
    scores t <z_i, w_j> of every picture with everybody's words, own words on the diagonal; told (S, D) and wanted
    (C, D) unit rows of the tower as it is now, of everybody's words and of what the run is for."""

    codes: Tensor
    learner: Tensor | None = None
    reference: Tensor | None = None
    told: Tensor | None = None
    wanted: Tensor | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def at(self, name: str) -> Tensor:
        """One of the above. Raises BadInput where it was not filled in."""
        found: Tensor | None = getattr(self, name)
        if found is None:
            raise BadInput(f"candidates with {name} expected, got none. A selector lists what it needs in `reads`.")
        return found


class Selector(Protocol):
    """What a file of trainer/selectors defines: a frozen dataclass. reads: what it needs of `Candidates`.

    One that reads `wanted` has a method of that name that makes it from (words, attributes); one that reads `reference`
    has the settings of `trainer.reference`; one that reads metadata says at once what it lacks in `learn_of`.
    """

    reads: ClassVar[tuple[str, ...]]

    @property
    def filter(self) -> float:
        """Share of a super-batch that is left out, at least 0 and below 1."""
        ...

    def __call__(self, candidates: Candidates, count: int, draw: Draw) -> Tensor:
        """At most `count` different places of candidates, those chosen first in front."""
        ...


def whole(count: int, filter_: float) -> int:
    """How many candidates a batch of `count` is chosen from."""
    return math.ceil(round(count / (1 - filter_), 6))


def checked_filter(filter_: float) -> None:
    """Raises BadInput for a share that cannot be left out."""
    if not 0 <= filter_ < 1:
        raise BadInput(f"filter = at least 0 and below 1 expected, got {filter_}. The papers have .5 to .9.")


def best(values: Tensor, count: int, draw: Draw) -> Tensor:
    """The `count` places with the highest values, highest first; equals in the order of their draws."""
    order = torch.argsort(draw(), stable=True)
    return order[torch.argsort(values[order], descending=True, stable=True)][:count]

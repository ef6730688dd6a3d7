"""Everybody is as likely as anybody: the batch that every other selector is measured against."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trainer.candidates import Candidates, Draw, best, checked_filter


@dataclass(frozen=True)
class Selector:
    """filter: share of the super-batch that is left out."""

    reads: ClassVar[tuple[str, ...]] = ()

    filter: float = 0.8

    def __post_init__(self) -> None:
        checked_filter(self.filter)

    def __call__(self, candidates: Candidates, count: int, draw: Draw) -> Tensor:
        drawn = draw()
        return best(drawn, count, lambda: drawn)

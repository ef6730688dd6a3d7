"""Somebody who lies on purpose: says the opposite of what another answerer would say."""

from dataclasses import dataclass, replace
from typing import ClassVar

from db.errors import BadInput
from db.nouns import PairVerdict
from oracle.answerers._scripted import Scripted, chance
from oracle.answerers.noisy import FLIPPED


@dataclass
class Answerer(Scripted):
    """inner: who knows the answer. rate: share of pairs it lies about, above 0 and up to 1. Unsure stays unsure."""

    MAIN: ClassVar[str] = "rate"

    inner: Scripted
    rate: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise BadInput(f"rate = a number above 0 and up to 1 expected, got {self.rate}. Try 1.")

    def verdict(self, a: int, b: int) -> PairVerdict:
        """The inner verdict, turned round for its share of pairs."""
        said = self.inner.verdict(a, b)
        lies = chance(self.seed, "lie", a, b) < self.rate
        return replace(said, verdict=FLIPPED.get(said.verdict, said.verdict)) if lies else said

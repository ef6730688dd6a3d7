"""Another answerer that is unsure about some pairs, always the same ones."""

from dataclasses import dataclass
from typing import ClassVar

from db.nouns import PairVerdict, Verdict
from oracle.answerers._scripted import Scripted, chance, share


@dataclass
class Answerer(Scripted):
    """inner: who knows the answer. rate: share of pairs it will not commit itself on, in [0, 1)."""

    MAIN: ClassVar[str] = "rate"

    inner: Scripted
    rate: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        share("rate", self.rate)

    def verdict(self, a: int, b: int) -> PairVerdict:
        """Unsure for its share of pairs, else the inner verdict."""
        if chance(self.seed, "abstain", a, b) < self.rate:
            return PairVerdict(a, b, Verdict.UNSURE)
        return self.inner.verdict(a, b)

"""Another answerer that is wrong now and then, always about the same pairs."""

from dataclasses import dataclass, replace
from typing import ClassVar

from db.nouns import PairVerdict, Verdict
from oracle.answerers._scripted import Scripted, chance, share

FLIPPED = {Verdict.SAME: Verdict.DIFFERENT, Verdict.DIFFERENT: Verdict.SAME}


@dataclass
class Answerer(Scripted):
    """inner: who would be right. rate: share of pairs it is wrong about, in [0, 1). Asked again, it repeats itself."""

    MAIN: ClassVar[str] = "rate"

    inner: Scripted
    rate: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        share("rate", self.rate)

    def verdict(self, a: int, b: int) -> PairVerdict:
        """The inner verdict, turned round for the pairs it is wrong about. Unsure stays unsure."""
        said = self.inner.verdict(a, b)
        wrong = chance(self.seed, "noise", a, b) < self.rate
        return replace(said, verdict=FLIPPED.get(said.verdict, said.verdict)) if wrong else said

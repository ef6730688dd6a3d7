"""Another answerer that takes its time: the seconds of each answer are drawn from a log-normal distribution."""

from dataclasses import dataclass, replace
from math import exp
from statistics import NormalDist
from typing import ClassVar

from db.errors import BadInput
from db.nouns import Answer, PairVerdict, Question
from oracle.answerers._scripted import Scripted, chance


@dataclass
class Answerer(Scripted):
    """inner: who answers. median: seconds for one screen. spread: standard deviation of the seconds' logarithm.

    The mean is median * exp(spread^2 / 2). Seconds are recorded with the answer, as a measured person's are; nobody
    really waits. Which screen takes how long depends on the seed and the question's number.
    """

    MAIN: ClassVar[str] = "median"

    inner: Scripted
    median: float = 4.0
    spread: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.median < 86_400:
            raise BadInput(f"median = seconds above 0 and below a day expected, got {self.median}. Try 4.")
        if not 0 <= self.spread <= 3:
            raise BadInput(f"spread = a number from 0 to 3 expected, got {self.spread}. Try 0.5.")

    def answer(self, question: Question) -> Answer | None:
        """The inner one's verdicts, with the seconds they took."""
        if self.budget is not None and self.spent >= self.budget:
            return None
        said = self.inner.answer(question)
        self.spent += said is not None
        return said and replace(said, seconds=round(self.takes(question.id or 0), 3))

    def takes(self, question: int) -> float:
        """Seconds for the question of this number."""
        drawn = (chance(self.seed, "seconds", question, question) + 2**-54) / (1 + 2**-53)  # never 0, never 1
        return self.median * exp(self.spread * NormalDist().inv_cdf(drawn))

    def verdict(self, a: int, b: int) -> PairVerdict:
        """The inner verdict."""
        return self.inner.verdict(a, b)

"""Somebody who changes their mind about what "same" means: from one screen on another answerer speaks."""

from dataclasses import dataclass

from db.errors import BadInput
from db.nouns import Answer, PairVerdict, Question
from oracle.answerers._scripted import Scripted


@dataclass
class Answerer(Scripted):
    """inner: who answers the first `at` screens. after: who answers from then on; None: nothing changes."""

    inner: Scripted
    after: Scripted | None = None
    at: int = 0

    def __post_init__(self) -> None:
        if self.at < 0:
            raise BadInput(f"at = a number of screens of at least 0 expected, got {self.at}.")

    @property
    def now(self) -> Scripted:
        """Who answers the next screen."""
        return self.inner if self.after is None or self.spent < self.at else self.after

    def answer(self, question: Question) -> Answer | None:
        """The answer of whoever speaks now. A screen without an answer counts, too: time passes."""
        if self.budget is not None and self.spent >= self.budget:
            return None
        speaker = self.now
        self.spent += 1
        return speaker.answer(question)

    def verdict(self, a: int, b: int) -> PairVerdict:
        """What would be said now."""
        return self.now.verdict(a, b)

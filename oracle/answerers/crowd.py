"""Several scripted people who take turns, each wrong about pairs of their own at a rate of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from db.errors import BadInput
from db.nouns import Answer, PairVerdict, Question
from oracle.answerers._scripted import Scripted, chance, share
from oracle.answerers.noisy import FLIPPED

TWO: Mapping[str, float] = {"ann": 0.05, "bo": 0.2}


@dataclass
class Answerer(Scripted):
    """inner: who would be right. rates: share of pairs each is wrong about, in [0, 1), by the name in the log.

    Who answers a question depends on the seed and the question alone; asked again, a person repeats what they said.
    """

    inner: Scripted
    rates: Mapping[str, float] = field(default_factory=lambda: dict(TWO))
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.rates:
            raise BadInput("rates = at least one annotator expected, got none. Try ann:0.05,bo:0.2.")
        for name, rate in self.rates.items():
            share(f"rate of {name}", rate)

    def answer(self, question: Question) -> Answer | None:
        """The answer of whose turn it is."""
        self.source = self.whose(question.id or 0)
        return super().answer(question)

    def whose(self, question: int) -> str:
        """Name of the person a question goes to."""
        names = list(self.rates)
        return names[int(chance(self.seed, "turn", question, 0) * len(names))]

    def verdict(self, a: int, b: int) -> PairVerdict:
        """The inner verdict, turned round for the pairs that the person whose turn it is gets wrong."""
        said, name = self.inner.verdict(a, b), self.source if self.source in self.rates else next(iter(self.rates))
        wrong = chance(self.seed, f"noise of {name}", a, b) < self.rates[name]
        return replace(said, verdict=FLIPPED.get(said.verdict, said.verdict)) if wrong else said


def rates_of(text: str) -> dict[str, float]:
    """`ann:0.02,bo:0.2` as rates by name. Raises BadInput where it has another form."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, rate = part.strip().rpartition(":")
        try:
            found[name.strip()] = share(f"rate of {name}", float(rate))
        except ValueError:
            name = ""
        if not name.strip():
            raise BadInput(f"annotators = NAME:RATE,NAME:RATE expected, got '{text}'. Try ann:0.02,bo:0.2.") from None
    return found

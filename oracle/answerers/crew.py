"""Several scripted people who take turns, each an answerer of their own: careless, confused, slow or hostile."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from db.errors import BadInput
from db.nouns import Answer, PairVerdict, Question
from oracle.answerers._scripted import Scripted, chance


@dataclass
class Answerer(Scripted):
    """members: who they are, by the name in the log. Whose turn it is depends on the seed and the question alone."""

    members: Mapping[str, Scripted]
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.members:
            raise BadInput("members = at least one annotator expected, got none. Try ann=uniform:0.05.")

    def answer(self, question: Question) -> Answer | None:
        """The answer of whose turn it is, under their name."""
        if self.budget is not None and self.spent >= self.budget:
            return None
        name = self.whose(question.id or 0)
        said = self.members[name].answer(question)
        self.spent += said is not None
        return said and replace(said, source=name)

    def whose(self, question: int) -> str:
        """Name of the person a question goes to."""
        names = list(self.members)
        return names[int(chance(self.seed, "turn", question, 0) * len(names))]

    def verdict(self, a: int, b: int) -> PairVerdict:
        """What the first of them says."""
        return next(iter(self.members.values())).verdict(a, b)

"""What every scripted answerer shares: one verdict per pair, a budget of screens, one row per answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from db.errors import BadInput, unknown
from db.nouns import Answer, Item, PairVerdict, Question, Verdict


@dataclass(kw_only=True)
class Scripted(ABC):
    """Answers every pair of a question by `verdict`. budget: screens it answers before it falls silent; None: no end.

    source: the name its answers carry in the log.
    """

    budget: int | None = None
    source: str = "oracle"
    spent: int = field(default=0, init=False, repr=False)

    @abstractmethod
    def verdict(self, a: int, b: int) -> PairVerdict:
        """What it says about two items, by id."""

    def answer(self, question: Question) -> Answer | None:
        """A whole answer, one verdict per pair of the question; None once the budget is spent."""
        if self.budget is not None and self.spent >= self.budget:
            return None
        verdicts = tuple(self.verdict(a, b) for a, b in question.pairs())
        self.spent += 1
        return Answer(question.id or 0, verdicts, self.source, key=f"question-{question.id or 0}")


def attributes_of(items: Sequence[Item], column: str) -> dict[int, Any]:
    """The column's value of every item, missing ones left out. Raises NotFound if no item has the column."""
    known = {name for item in items for name in item.attributes}
    if column not in known:
        raise unknown("metadata column", column, known)
    return {item.id: item.attributes[column] for item in items if not missing(item.attributes.get(column))}


def missing(value: Any) -> bool:
    """Nothing is known: no value, empty text, or not a number."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def same_if(a: int, b: int, alike: bool | None) -> PairVerdict:
    """Same, different, or unsure for None."""
    verdict = Verdict.UNSURE if alike is None else Verdict.SAME if alike else Verdict.DIFFERENT
    return PairVerdict(a, b, verdict)


def compare(values: Mapping[int, Any], a: int, b: int, alike: Callable[[Any, Any], bool]) -> PairVerdict:
    """The verdict on two items by their values; unsure where one is missing."""
    if a not in values or b not in values:
        return same_if(a, b, None)
    return same_if(a, b, alike(values[a], values[b]))


def chance(seed: int, purpose: str, a: int, b: int) -> float:
    """A number in [0, 1) that depends on the seed and the unordered pair alone."""
    text = f"{seed}:{purpose}:{min(a, b)}:{max(a, b)}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / 2**64


def share(name: str, rate: float) -> float:
    """A share in [0, 1). Raises BadInput."""
    if not 0 <= rate < 1:
        raise BadInput(f"{name} = a number from 0 to below 1 expected, got {rate}. Try 0.1.")
    return rate

"""Say same where a metadata column agrees: a shared value of several, or numbers close to each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from db.errors import BadInput
from db.nouns import Item, PairVerdict
from oracle.answerers._scripted import Scripted, attributes_of, compare


@dataclass
class Answerer(Scripted):
    """column: values; several in one cell are separated by ';' (a list works too), one in common is enough.

    tolerance: numbers this close are the same, in the column's own unit. Missing values: unsure.
    """

    ARGUMENT = "column"

    items: Sequence[Item] = field(repr=False)
    column: str
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        if self.tolerance < 0:
            raise BadInput(f"tolerance = a number of at least 0 expected, got {self.tolerance}.")
        self._values = {item: parsed(value) for item, value in attributes_of(self.items, self.column).items()}

    def verdict(self, a: int, b: int) -> PairVerdict:
        """Same for a shared value, or numbers within the tolerance."""
        return compare(self._values, a, b, self._alike)

    def _alike(self, one: Any, other: Any) -> bool:
        if isinstance(one, float) and isinstance(other, float):
            return abs(one - other) <= self.tolerance
        return bool(as_set(one) & as_set(other))


def parsed(value: Any) -> float | frozenset[str]:
    """A number, or the set of values in the cell."""
    if isinstance(value, bool):
        return frozenset({str(value)})
    if isinstance(value, (list, tuple, set)):
        return frozenset(str(one).strip() for one in value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return frozenset(part.strip() for part in str(value).split(";") if part.strip())


def as_set(value: float | frozenset[str]) -> frozenset[str]:
    """A number among words is a word too."""
    return frozenset({f"{value:g}"}) if isinstance(value, float) else value

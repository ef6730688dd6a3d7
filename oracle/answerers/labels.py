"""Say same where a metadata column holds the same label."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from db.nouns import Item, PairVerdict
from oracle.answerers._scripted import Scripted, attributes_of, compare


@dataclass
class Answerer(Scripted):
    """column: the label; compared as text, so 1 and "1" are the same. Items without one: unsure."""

    ARGUMENT = "column"

    items: Sequence[Item] = field(repr=False)
    column: str

    def __post_init__(self) -> None:
        values = attributes_of(self.items, self.column)
        self._label: dict[int, Any] = {item: str(value).strip() for item, value in values.items()}

    def verdict(self, a: int, b: int) -> PairVerdict:
        """Same for equal labels."""
        return compare(self._label, a, b, lambda one, other: one == other)

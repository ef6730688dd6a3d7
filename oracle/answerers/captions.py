"""Say whether the words beside a picture belong to it: they do where a column of the truth has the same.

The item stands on both sides of what is asked. `caption` of each item is what a person would be shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from db.nouns import Item, PairVerdict
from oracle.answerers._scripted import Scripted, attributes_of, same_if


@dataclass
class Answerer(Scripted):
    """column: the words that truly belong. Items without: unsure. Two different items: unsure, nothing is known."""

    ARGUMENT = "column"

    items: Sequence[Item] = field(repr=False)
    column: str

    def __post_init__(self) -> None:
        truth = attributes_of(self.items, self.column)
        self._fine = {
            one.id: (one.caption or "").strip() == str(truth[one.id]).strip() for one in self.items if one.id in truth
        }

    def verdict(self, a: int, b: int) -> PairVerdict:
        """Same where the words shown are those of the truth."""
        return same_if(a, b, self._fine.get(a) if a == b else None)

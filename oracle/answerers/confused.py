"""Somebody who takes some classes for others: a glass bottle for plastic, say, whatever it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from db.errors import BadInput, unknown
from db.nouns import Item, PairVerdict
from oracle.answerers._scripted import Scripted, attributes_of, chance, compare
from oracle.bounds import Whole

Rows = Mapping[str, Mapping[str, float]]  # true class -> what it is taken for -> share of its items


@dataclass
class Answerer(Scripted):
    """inner: who answers for pairs of which neither item is mistaken. column: the classes.

    confusion: `glass>plastic=0.3,paper>cardboard=0.2`, or the same as nested mappings; a row sums to at most 1. What an
    item is taken for depends on the seed and the item alone, so mistakes agree with each other, as a person's do.
    """

    MAIN: ClassVar[str] = "confusion"

    inner: Scripted
    items: Sequence[Item] = field(repr=False)
    column: str
    confusion: str | Rows = ""
    seed: Whole = 0

    def __post_init__(self) -> None:
        rows = rows_of(self.confusion) if isinstance(self.confusion, str) else self.confusion
        values = attributes_of(self.items, self.column)
        self._true = {item: str(value).strip() for item, value in values.items()}
        checked(rows, set(self._true.values()), self.column)
        self._seen = {item: self._taken(item, label, rows.get(label, {})) for item, label in self._true.items()}

    def verdict(self, a: int, b: int) -> PairVerdict:
        """What the inner one says, or whether the two look alike to somebody who mistakes one of them."""
        if self._mistaken(a) or self._mistaken(b):
            return compare(self._seen, a, b, lambda one, other: one == other)
        return self.inner.verdict(a, b)

    def taken_for(self, item: int) -> str | None:
        """The class it sees in an item; None where it has none."""
        return self._seen.get(item)

    def _mistaken(self, item: int) -> bool:
        return self._seen.get(item) != self._true.get(item)

    def _taken(self, item: int, label: str, row: Mapping[str, float]) -> str:
        drawn, reached = chance(self.seed, "taken for", item, item), 0.0
        for other, share in row.items():
            reached += share
            if drawn < reached:
                return other
        return label


def rows_of(text: str) -> Rows:
    """`glass>plastic=0.3,paper>cardboard=0.2` as rows. Raises BadInput where it has another form."""
    rows: dict[str, dict[str, float]] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        classes, _, share = part.rpartition("=")
        true, arrow, other = (one.strip() for one in classes.partition(">"))
        try:
            found = float(share)
        except ValueError:
            arrow = ""
        if not (arrow and true and other):
            raise BadInput(f"confusion = TRUE>TAKEN_FOR=SHARE,... expected, got '{part}'. Try glass>plastic=0.3.")
        rows.setdefault(true, {})[other] = found
    return rows


def checked(rows: Rows, classes: set[Any], column: str) -> None:
    """Raises: NotFound for a class the column does not hold, BadInput for shares that are none."""
    for true, row in rows.items():
        for name in (true, *row):
            if name not in classes:
                raise unknown(f"class of the column '{column}'", name, classes)
        if true in row or not all(0 <= share <= 1 for share in row.values()) or sum(row.values()) > 1 + 1e-9:
            raise BadInput(
                f"confusion of '{true}' = shares of other classes from 0 to 1, at most 1 together, expected,"
                f" got {dict(row)}. Lower them."
            )

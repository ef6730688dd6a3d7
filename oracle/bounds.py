"""What a number may be, said where a setting is declared: `temperature: Positive = 0.1`.

Checked where settings come in from outside (`oracle.plugins.checked`), so formulas and their callers inside stay bare.
A number that is none, or infinite, is never within bounds.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin


@dataclass(frozen=True)
class Bounds:
    """low, high: least and most. above, below: whether these themselves are out."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False

    def hold(self, value: float) -> bool:
        """True if the number is within them."""
        if not math.isfinite(value):
            return False
        over = value > self.low if self.above else value >= self.low
        under = value < self.high if self.below else value <= self.high
        return over and under

    def __str__(self) -> str:
        least = f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        most = f"below {self.high:g}" if self.below else f"at most {self.high:g}"
        said = [words for words, end in ((least, self.low), (most, self.high)) if math.isfinite(end)]
        return "a number " + (" and ".join(said) or "that is finite")


Positive = Annotated[float, Bounds(0, above=True)]
Weight = Annotated[float, Bounds(0)]
Share = Annotated[float, Bounds(0, 1)]
Fraction = Annotated[float, Bounds(0, 1, below=True)]
Cosine = Annotated[float, Bounds(-1, 1)]
Finite = Annotated[float, Bounds()]
Count = Annotated[int, Bounds(1)]
Whole = Annotated[int, Bounds(0)]


def plain(kind: Any) -> tuple[Any, Bounds | None]:
    """The type of a setting without its bounds, and these, if it has some."""
    if get_origin(kind) is not Annotated:
        return kind, None
    inner, *notes = get_args(kind)
    return inner, next((note for note in notes if isinstance(note, Bounds)), None)

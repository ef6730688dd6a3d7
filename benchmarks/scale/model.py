"""What a step costs as a function of the number of items: three families, fitted in log space by least squares.

    straight   c(n) = a + b n          a, b >= 0
    sorting    c(n) = a + b n ln n     a, b >= 0
    power      c(n) = a n^b

    minimise   sum over sizes of (ln measured - ln c(n))^2

The family with the smallest root mean square of the residuals stands; of those within TIE of it, the first above. A
residual of r nats is a factor of exp(r), and that factor is what is published. Families that fit about as well may
part far beyond what was measured: `between` says how far.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

LEAST = 3  # sizes: two parameters, and something left to be wrong about
TIE, CLOSE = 1e-3, 0.02  # nats: as good, about as good


@dataclass(frozen=True)
class Cost:
    """family: one of FAMILIES. a, b: its parameters. sizes: (P,). residuals: (P,) nats, measured over fitted."""

    family: str
    a: float
    b: float
    sizes: tuple[int, ...]
    residuals: tuple[float, ...]

    def at(self, items: float) -> float:
        """The cost of so many items."""
        return float(FAMILIES[self.family](np.array([float(items)]), self.a, self.b)[0])

    @property
    def size(self) -> float:
        """Root mean square of the residuals in nats."""
        return float(np.sqrt(np.mean(np.square(self.residuals))))

    @property
    def worst(self) -> float:
        """The largest residual as a factor, 1 for a perfect fit."""
        return float(np.exp(np.abs(self.residuals).max()))

    @property
    def words(self) -> str:
        """The formula with its numbers."""
        if self.family == "power":
            return f"{self.a:.2g} n^{self.b:.2f}"
        constant = f"{self.a:.2g} + " if self.a > 1e-3 * self.at(max(self.sizes)) else ""
        return f"{constant}{self.b:.2g} n{' ln n' if self.family == 'sorting' else ''}"


FAMILIES: dict[str, Callable[[np.ndarray, float, float], np.ndarray]] = {
    "straight": lambda n, a, b: np.asarray(a + b * n),
    "sorting": lambda n, a, b: np.asarray(a + b * n * np.log(n)),
    "power": lambda n, a, b: np.asarray(a * n**b),
}


def fits(sizes: Sequence[int], costs: Sequence[float]) -> list[Cost]:
    """All families, the one that stands first. sizes may repeat; costs > 0. Empty for fewer than three sizes."""
    n, cost = np.array(sizes, float), np.array(costs, float)
    if len(set(sizes)) < LEAST or (cost <= 0).any():
        return []
    found = [_cost(family, *_parameters(family, n, cost), n, cost) for family in FAMILIES]
    least = min(one.size for one in found)
    return sorted(found, key=lambda one: one.size if one.size > least + TIE else least)


def fit(sizes: Sequence[int], costs: Sequence[float]) -> Cost | None:
    """The family that stands."""
    return next(iter(fits(sizes, costs)), None)


def between(found: Sequence[Cost], items: float) -> tuple[float, float]:
    """The least and the most of the families that fit about as well as the first: residuals at most twice its own."""
    said = [one.at(items) for one in found if one.size <= 2 * found[0].size + CLOSE]
    return min(said), max(said)


def _parameters(family: str, n: np.ndarray, cost: np.ndarray) -> tuple[float, float]:
    if family == "power":  # a straight line through the logarithms
        b, log_a = np.polyfit(np.log(n), np.log(cost), 1)
        return float(np.exp(log_a)), float(b)
    grows = np.log(FAMILIES[family](n, 0.0, 1.0))

    def residuals(logs: np.ndarray) -> np.ndarray:
        return np.asarray(np.logaddexp(logs[0], logs[1] + grows) - np.log(cost))

    middle = np.log(cost).mean()  # start with all in the rest, and with half in the constant
    starts = [np.array([middle - less, middle - grows.mean() - other]) for less, other in ((9.0, 0.0), (0.7, 0.7))]
    ends = [least_squares(residuals, start, bounds=(start - 30, start + 30), xtol=1e-14, ftol=1e-14)
            for start in starts]  # fmt: skip
    a, b = np.exp(min(ends, key=lambda end: float(end.cost)).x)
    return float(a), float(b)


def _cost(family: str, a: float, b: float, n: np.ndarray, cost: np.ndarray) -> Cost:
    left = np.log(cost) - np.log(FAMILIES[family](n, a, b))
    return Cost(family, a, b, tuple(int(size) for size in n), tuple(float(one) for one in left))

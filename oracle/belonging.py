"""Does a thing belong to any bin yet? How alike it is to its nearest one, against how alike things are that do.

A thing that nobody placed may belong anywhere: silence is never a negative, here or elsewhere in the sorter.
"""

from dataclasses import dataclass

import numpy as np

NARROWEST = 0.02  # least spread of similarities


@dataclass(frozen=True)
class Novelty:
    """How alike a thing is to its own bin, and to the nearest of the others: two normal distributions
    of one spread.

    rate: in (0, 1), share of things that founded a bin lately.
    """

    own: tuple[float, float] = (0.8, 0.15)
    other: tuple[float, float] = (0.6, 0.15)
    rate: float = 0.5

    def chance(self, similarity: float) -> float:
        """That a thing this alike to its nearest bin belongs to none. Never rises with the similarity."""
        if self.own[0] <= self.other[0]:
            return self.rate  # being alike tells nothing here
        new = np.log(self.rate) + _log_density(similarity, self.other)
        known = np.log1p(-self.rate) + _log_density(similarity, self.own)
        return float(1 / (1 + np.exp(np.clip(known - new, -50, 50))))


def novelty(own: np.ndarray, other: np.ndarray, founded: np.ndarray) -> Novelty:
    """own, other: similarities of placed things to their bin (without themselves) and to the nearest other one.

    founded: (n,) bool, whether each thing placed lately was the first of its bin. The prior is worth four things.
    """
    start = Novelty()
    rate = (founded.sum() + 1.0) / (len(founded) + 2.0)
    spread = _normal(np.concatenate([own - own.mean(), other - other.mean()]), (0.0, start.own[1]))[1]
    return Novelty((_normal(own, start.own)[0], spread), (_normal(other, start.other)[0], spread), float(rate))


def _normal(values: np.ndarray, prior: tuple[float, float], trust: float = 4.0) -> tuple[float, float]:
    count = len(values)
    mean = (values.sum() + trust * prior[0]) / (count + trust)
    spread = np.sqrt((((values - mean) ** 2).sum() + trust * prior[1] ** 2) / (count + trust))
    return float(mean), float(max(spread, NARROWEST))


def _log_density(value: float, normal: tuple[float, float]) -> float:
    mean, spread = normal
    return float(-0.5 * ((value - mean) / spread) ** 2 - np.log(spread))

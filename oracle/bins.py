"""Things that were seen, each by one or several views, and the bins that some of them were put into."""

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Thing:
    """views: (D,) unit vectors, newest last. bin: None while nobody said where it goes. rows: of its views, if placed.

    serial: when it was first seen, counted in things. told: somebody once said where it goes.
    """

    serial: int
    views: list[np.ndarray] = field(default_factory=list)
    bin: str | None = None
    rows: list[int] = field(default_factory=list)
    told: bool = False


@dataclass
class Bins:
    """founded: of every thing that was placed, in order, whether it was then the first in its bin."""

    things: dict[Hashable, Thing] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)  # things in each bin; in the order they were founded
    founded: list[bool] = field(default_factory=list)

    def see(self, thing: Hashable, view: np.ndarray) -> Thing:
        """One more look at a thing."""
        found = self.things.setdefault(thing, Thing(len(self.things)))
        found.views.append(view)
        return found

    def put(self, thing: Hashable, bin: str | None) -> Thing:
        """Into a bin, or, with None, out of the one it was in. Raises KeyError for a thing that was never seen."""
        found = self.things[thing]
        if found.bin is not None:
            self._lose(found.bin)
        if bin is not None:
            if not found.told:
                self.founded.append(bin not in self.counts)
                found.told = True
            self.counts[bin] = self.counts.get(bin, 0) + 1
        found.bin = bin
        return found

    def names(self) -> list[str]:
        """Every bin that holds something."""
        return list(self.counts)

    def _lose(self, bin: str) -> None:
        self.counts[bin] -= 1
        if not self.counts[bin]:
            del self.counts[bin]


def unit(vector: np.ndarray) -> np.ndarray:
    """A feature vector as the sorter compares it: signed square roots, so that no few strong numbers decide, unit
    length."""
    flat = np.sign(vector) * np.sqrt(np.abs(vector.astype(np.float64)))
    length = float(np.linalg.norm(flat))
    return np.asarray(flat / (length or 1.0), np.float32)

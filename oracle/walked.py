"""What arrived of the mass of the asked items, kept so that a walk is taken again only for mass that changed.

    arrived(mass) = arrived(before) + K[:, changed] (mass - before)[changed]

The walk is linear, so this is exact but for rounding and for changes too small to matter: STILL at each item, measured
against the mass that walked, so that they do not add up. A few hundred items walk at once each time.
"""

from dataclasses import dataclass

import numpy as np

from oracle.reach import Among

STILL = 1e-3  # of one item's mass
FEW, MANY = 500, 3  # items up to which all walk anew; the share of them, one in so many, that may have changed


@dataclass(frozen=True, eq=False)
class Walked:
    """mass: (A, G) that walked. arrived: (A, G) what came of it."""

    mass: np.ndarray
    arrived: np.ndarray

    def moved(self, kernel: Among, place: np.ndarray) -> "Walked":
        """The same among more items. place: (A,) where each was, -1 for new ones, which hold no mass yet."""
        old, new = np.flatnonzero(place >= 0), np.flatnonzero(place < 0)
        mass, arrived = np.zeros((2, len(place), self.mass.shape[1]), self.mass.dtype)
        mass[old], arrived[old] = self.mass[place[old]], self.arrived[place[old]]
        arrived[new] = kernel.at_some(new, mass)
        return Walked(mass, arrived)

    def with_room(self) -> "Walked":
        """With one more group, empty."""
        return Walked(*(np.pad(table, ((0, 0), (0, 1))) for table in (self.mass, self.arrived)))

    def without(self, group: int) -> "Walked":
        """Without one group."""
        return Walked(*(np.delete(table, group, axis=1) for table in (self.mass, self.arrived)))


def walked(kernel: Among, mass: np.ndarray, before: Walked | None) -> Walked:
    """What arrives of (A, G) mass; `before` saves most of the walk where little changed."""
    if before is None or len(mass) <= FEW or before.mass.shape != mass.shape:
        return Walked(mass, kernel @ mass)
    change = mass - before.mass
    changed = np.flatnonzero((np.abs(change) > STILL).any(1))
    if MANY * len(changed) > len(mass):
        return Walked(mass, kernel @ mass)
    now, arrived = before.mass.copy(), before.arrived + kernel.from_some(changed, change[changed])
    now[changed] = mass[changed]
    return Walked(now, arrived)

"""Pictures taken in a like context pull: a partner is drawn anew every epoch, the likelier the nearer its context.

    P(j | i) = exp(-|c_i - c_j| / temperature) / sum_{k != i} exp(-|c_i - c_k| / temperature)
    c = (year, day of the year and time of the day as points of a circle, place as one of many)

So two pictures of different places are sqrt(2) apart, and practically never paired where the temperature is .05.
Where no place is known every picture is of one. An item without a time, or without a place where others have one, has
no partner.

Source: Pantazis, Brostow, Jones, Mac Aodha 2021, "Focus on the positives: self-supervised learning for biodiversity
monitoring", arXiv 2108.06435, section 3. Official code: omipan/camera_traps_self_supervised (not copied from).
Differs from the paper: hour, minute and second are one angle, the time of the day, as a circle for each would hold
10:00 and 15:00 nearer than 10:00 and 10:20; the likeness of embeddings as a second factor is left out.
"""

from dataclasses import dataclass, field

import numpy as np

from db.errors import BadInput
from oracle.bounds import Positive, Weight, Whole
from trainer import chance
from trainer.attributes import PLACE, TIME, Attributes
from trainer.kernels import PERIODS
from trainer.pool import Pool
from trainer.positives._drawn import Drawn, pulling

AT_ONCE = 1 << 22  # distances held together


@dataclass
class PositiveSource:
    """place: column of the place, empty for latitude and longitude where they are known. time: column of the time.
    spread: temperature of the draw, > 0. weight: of the pull, >= 0. seed: of the draws."""

    place: str = ""
    time: str = TIME
    spread: Positive = 0.05
    weight: Weight = 1.0
    seed: Whole = 0
    drawn: Drawn | None = field(default=None, init=False, repr=False, compare=False)
    _ids: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)
    _context: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)
    _places: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.spread > 0:
            raise BadInput(f"spread > 0 expected, got {self.spread}.")

    def __call__(self, pool: Pool) -> Pool:
        return pool if self.drawn is None else pulling(pool, self.drawn.mates(pool), self.weight)

    def learn_of(self, attributes: Attributes) -> None:
        """Read time and place of all items. Raises: BadInput or NotFound where there is no such thing."""
        times = attributes.times(self.time)
        self._context, self._ids, self.drawn = context(times), attributes.ids, None
        name = self.place or (PLACE if PLACE in attributes.names else "")
        places = attributes.codes(name) if name else np.zeros(len(times), np.int64)
        self._places = np.where(np.isnan(times), -1, places)
        if (self._places < 0).all():
            raise BadInput(f"no picture has both '{self.time}' and '{name}'. Known: {', '.join(attributes.names)}.")

    def deal(self, epoch: int) -> None:
        """Draw the partners of an epoch; the same epoch and seed draw the same."""
        if self._context is None or self._places is None or self._ids is None:
            return
        random = np.random.default_rng((self.seed, chance.MATES, epoch))
        self.drawn = Drawn.of(self._ids, likely(self._context, self._places, self.spread, random))

    def anchors(self) -> np.ndarray | None:
        """All weigh the same."""
        return None


def context(times: np.ndarray) -> np.ndarray:
    """(N, 5) of (N,) seconds since 1970: years since the first, a point on the circle of the year, one on the day's."""
    first = np.nanmin(times) if np.isfinite(times).any() else 0.0
    years = np.floor((times - first) / PERIODS["year"])
    angles = [2 * np.pi * times / PERIODS[name] for name in ("year", "day")]
    return np.stack([years, *(turn(angle) for angle in angles for turn in (np.sin, np.cos))], 1)


def likely(where: np.ndarray, places: np.ndarray, spread: float, random: np.random.Generator) -> np.ndarray:
    """(N,) a partner of each row, drawn from the softmax; itself where place is -1 or nobody else is known.

    Looks at every pair, a part of the rows at a time: time grows with the square of the items, memory does not.
    """
    drawn, known = np.arange(len(where)), np.flatnonzero(places >= 0)
    if len(known) < 2:
        return drawn
    points, of = where[known], places[known]
    size, square = np.square(points).sum(1), max(AT_ONCE // len(known), 1)
    for at in range(0, len(known), square):
        part = slice(at, at + square)
        apart = size[part, None] + size[None] - 2 * points[part] @ points.T + 2.0 * (of[part, None] != of[None])
        log = -np.sqrt(apart.clip(0)) / spread
        log[np.arange(len(log)), np.arange(at, at + len(log))] = -np.inf
        mass = np.exp(log - log.max(1, keepdims=True)).cumsum(1)
        point = random.random(len(log)) * mass[:, -1]
        drawn[known[part]] = known[(mass <= point[:, None]).sum(1).clip(max=len(known) - 1)]
    return drawn

"""When are two pictures related? A rule over metadata: conditions joined by '+', all of which must hold.

    camera                  equal values             !date           both known, and different
    place~5km               within 5 km on the sphere                (m, km)
    time~2h                 within 2 hours                           (s, min, h, d)
    time~2h@day             within 2 hours of the clock, across midnight; @year: of the calendar
    camera+track~10min      pictures of a camera that follow each other without a gap of more than 10 minutes
    angle~15                within 15 of a column of numbers

An item without one of the values is related to none. `track` alone, where a column has that name, is that column.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np

from db.errors import BadInput
from trainer.attributes import PLACE, TIME, Attributes

RADIUS_KM = 6371.0088  # mean radius of the Earth
LENGTHS = {"m": 0.001, "km": 1.0}
TIMES = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
PERIODS = {"day": 86400.0, "year": 365.2425 * 86400.0}
TRACK = "track"
CONDITION = re.compile(r"(?P<no>!?)(?P<name>[^~@!+]+)(~(?P<reach>[0-9.]+)(?P<unit>[a-z]*)(@(?P<period>[a-z]+))?)?")


class Kernel(Protocol):
    """One condition."""

    @property
    def known(self) -> np.ndarray:
        """(N,) bool, which items have a value."""
        ...

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Rows, broadcast against rows -> bool, for items whose value is known."""
        ...


@dataclass(frozen=True, eq=False)
class Equal:
    """codes: (N,) int64, -1 unknown. apart: whether they must differ."""

    codes: np.ndarray
    apart: bool = False

    @property
    def known(self) -> np.ndarray:
        """(N,) bool."""
        return self.codes >= 0

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (self.codes[one] == self.codes[other]) != self.apart


@dataclass(frozen=True, eq=False)
class Near:
    """values: (N,) float64, NaN unknown. reach: largest difference. period: of a circle they are on, 0 for a line."""

    values: np.ndarray
    reach: float
    period: float = 0.0

    @property
    def known(self) -> np.ndarray:
        """(N,) bool."""
        return ~np.isnan(self.values)

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        apart = np.abs(self.values[one] - self.values[other])
        return (np.minimum(apart, self.period - apart) if self.period else apart) <= self.reach


@dataclass(frozen=True, eq=False)
class Around:
    """points: (N, 3) on the unit sphere, NaN unknown. chord: largest distance straight through."""

    points: np.ndarray
    chord: float

    @property
    def known(self) -> np.ndarray:
        """(N,) bool."""
        return ~np.isnan(self.points[:, 0])

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.square(self.points[one] - self.points[other]).sum(-1) <= self.chord**2


@dataclass(frozen=True, eq=False)
class Rule:
    """kernels: conditions, at least one, over the rows of the same items."""

    kernels: tuple[Kernel, ...]

    @property
    def known(self) -> np.ndarray:
        """(N,) bool: the item has every value."""
        return np.logical_and.reduce([kernel.known for kernel in self.kernels])

    @property
    def groups(self) -> np.ndarray:
        """(N,) int64: rows of different groups are never related; -1 where a value is unknown."""
        equal = [kernel.codes for kernel in self.kernels if isinstance(kernel, Equal) and not kernel.apart]
        return np.where(self.known, joined(equal, len(self.kernels[0].known)), -1)

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Rows, broadcast against rows -> bool. Nobody is related to itself."""
        known = self.known
        held = known[one] & known[other] & (one != other)
        for kernel in self.kernels:
            held = held & kernel(one, other)
        return held


def rule(text: str, attributes: Attributes) -> Rule:
    """The rule a text names. Raises: BadInput or NotFound in one sentence."""
    found = [_condition(one, text) for one in text.replace(" ", "").split("+")]
    kernels: list[Kernel] = [_kernel(one, attributes) for one in found if not _chained(one, attributes)]
    for one in found:
        if _chained(one, attributes):
            kernels.append(_track(kernels, attributes, _amount(one, TIMES)))
    return Rule(tuple(kernels))


def joined(codes: Sequence[np.ndarray], count: int) -> np.ndarray:
    """(N,) int64, equal where all of the codes are, -1 where any is."""
    if not codes:
        return np.zeros(count, np.int64)
    whole = reduce(
        lambda one, other: np.unique(one * (other.max(initial=0) + 1) + other, return_inverse=True)[1], codes
    )
    return np.where(np.logical_or.reduce([one < 0 for one in codes]), -1, whole).astype(np.int64)


def on_sphere(degrees: np.ndarray) -> np.ndarray:
    """(N, 3) unit vectors of (N, 2) latitude and longitude: no antimeridian, no pole."""
    latitude, longitude = np.radians(degrees).T
    flat = np.cos(latitude)
    return np.stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)], 1)


def chord_of(km: float) -> float:
    """Straight through the unit sphere, for a way of so many km along it."""
    return 2 * math.sin(min(km / (2 * RADIUS_KM), math.pi / 2))


def balanced(codes: np.ndarray) -> np.ndarray:
    """(N,) weights so that every value weighs the same in sum: N / V each, over the N items that have one of V values.
    An item without a value weighs 1, as on average one does."""
    known = codes >= 0
    _, place, counts = np.unique(codes[known], return_inverse=True, return_counts=True)
    weights = np.ones(len(codes))
    weights[known] = known.sum() / max(len(counts), 1) / counts[place]
    return weights


def _condition(text: str, whole: str) -> re.Match[str]:
    found = CONDITION.fullmatch(text)
    if found is None or (found["no"] and found["reach"]):
        raise BadInput(
            f"by = conditions such as camera, !date, place~5km, time~2h or time~2h@day expected, joined by +, got "
            f"'{whole}'."
        )
    return found


def _kernel(said: re.Match[str], attributes: Attributes) -> Kernel:
    name = said["name"]
    if not said["reach"]:
        return Equal(attributes.codes(name), bool(said["no"]))
    if said["unit"] in LENGTHS:
        return _around(said, attributes)
    if said["unit"]:
        return _window(said, attributes)
    if said["period"]:
        raise BadInput(f"'{said[0]}' needs a unit of time before @{said['period']}: {', '.join(TIMES)}.")
    return Near(attributes.numbers(name), _amount(said, {"": 1.0}))


def _around(said: re.Match[str], attributes: Attributes) -> Kernel:
    if said["name"] != PLACE or said["period"]:
        raise BadInput(f"'{said[0]}' is no radius. A radius is around a place: place~{said['reach']}{said['unit']}.")
    where = attributes.places()
    if np.isnan(where).all():
        raise BadInput("these pictures have no latitude and longitude. Import them with --latitude-column.")
    return Around(on_sphere(where), chord_of(_amount(said, LENGTHS)))


def _window(said: re.Match[str], attributes: Attributes) -> Kernel:
    reach, times = _amount(said, TIMES), attributes.times(said["name"])
    if not said["period"]:
        return Near(times, reach)
    if said["period"] not in PERIODS:
        raise BadInput(f"@{' or @'.join(PERIODS)} expected, got '@{said['period']}'.")
    period = PERIODS[said["period"]]
    return Near(np.mod(times, period), min(reach, period / 2), period)


def _amount(said: re.Match[str], units: dict[str, float]) -> float:
    try:
        return float(said["reach"] or "nan") * units[said["unit"] or ""]
    except (KeyError, ValueError):
        known = ", ".join(units) or "none"
        raise BadInput(f"'{said[0]}' = a number with one of the units {known} expected.") from None


def _chained(said: re.Match[str], attributes: Attributes) -> bool:
    return said["name"] == TRACK and bool(said["reach"]) and TRACK not in attributes.values


def _track(before: Sequence[Kernel], attributes: Attributes, gap: float) -> Equal:
    """Pieces of the line of time, within what the equal values of the other conditions hold together."""
    times = attributes.times(TIME)
    equal = [kernel.codes for kernel in before if isinstance(kernel, Equal) and not kernel.apart]
    groups = np.where(np.isnan(times), -1, joined(equal, len(times)))
    order = np.lexsort((times, groups))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(groups[order]) != 0) | ~(np.diff(times[order]) <= gap)
    codes = np.empty(len(order), np.int64)
    codes[order] = np.cumsum(new) - 1
    return Equal(np.where(groups < 0, -1, codes))

"""The metadata that import stored, as arrays: what a positive source relates pictures by."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from db.errors import BadInput, unknown
from db.nouns import Item

TIME, PLACE = "time", "place"  # what import knows the meaning of, beside the columns
DEGREES = ("latitude", "longitude")


@dataclass(frozen=True, eq=False)
class Attributes:
    """ids: (N,) int64, rising. values: column -> (N,) objects, None where an item has none. taken: (N,) seconds since
    1970, NaN where unknown. degrees: (N, 2) latitude and longitude, NaN where unknown. recordings: (N,) paths of sound
    files, None where an item has none. denied: column -> ids of items to which its value does not belong, as somebody
    said."""

    ids: np.ndarray
    values: Mapping[str, np.ndarray]
    taken: np.ndarray
    degrees: np.ndarray
    recordings: np.ndarray = field(default_factory=lambda: np.zeros(0, object))
    denied: Mapping[str, Collection[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Sequence[Item], workspace: Path | None = None) -> "Attributes":
        """Of these items, by id. workspace: where their recordings are; without it they have none."""
        items = sorted(items, key=lambda one: one.id)
        names = sorted({name for one in items for name in one.attributes})
        values = {name: _objects([one.attributes.get(name) for one in items]) for name in names}
        taken = np.array([np.nan if one.taken_at is None else _seconds(one.taken_at) for one in items])
        degrees = np.array([(_number(one.latitude), _number(one.longitude)) for one in items]).reshape(-1, 2)
        heard = [None if workspace is None or one.audio is None else workspace / one.audio for one in items]
        return cls(np.array([one.id for one in items], np.int64), values, taken, degrees, _objects(heard))

    def only(self, ids: np.ndarray) -> "Attributes":
        """The same of some items, in the order of their ids. Raises: BadInput for an id that is not there."""
        wanted = np.sort(np.asarray(ids, np.int64))
        at = np.searchsorted(self.ids, wanted).clip(max=max(len(self.ids) - 1, 0))
        if len(wanted) and (not len(self.ids) or (self.ids[at] != wanted).any()):
            raise BadInput("metadata of every item expected, and some items have none. Read it anew.")
        values = {name: column[at] for name, column in self.values.items()}
        heard = self.recordings[at] if len(self.recordings) else self.recordings
        return Attributes(wanted, values, self.taken[at], self.degrees[at], heard, self.denied)

    @cached_property
    def names(self) -> list[str]:
        """What pictures can be related by: columns with a value, and `time` and `place` where they are known."""
        found = {name for name, column in self.values.items() if any(not _empty(one) for one in column)}
        if not np.isnan(self.taken).all():
            found.add(TIME)
        if not np.isnan(self.places()).all():
            found.add(PLACE)
        return sorted(found)

    def codes(self, name: str) -> np.ndarray:
        """(N,) int64, equal for equal values of a column, -1 where there is none."""
        if name == PLACE and PLACE not in self.values:
            where = self.places()
            known = ~np.isnan(where).any(1)
            return _coded(_objects([tuple(row) if there else None for row, there in zip(where, known, strict=True)]))
        if name == TIME and TIME not in self.values:
            return _coded(_objects([None if np.isnan(one) else one for one in self.taken]))
        return _coded(self._column(name))

    def texts(self, name: str) -> list[str | None]:
        """(N) words of a column, None where there are none."""
        return [None if _empty(one) else str(one).strip() for one in self._column(name)]

    def times(self, name: str) -> np.ndarray:
        """(N,) seconds since 1970: when a picture was taken, or a column of times. NaN where unknown.

        Raises: BadInput where not a single value of the column is a time."""
        if name == TIME and (TIME not in self.values or not np.isnan(self.taken).all()):
            return self._told(self.taken, name)
        return self._told(np.array([_time(one) for one in self._column(name)], float), name, "a time")

    def numbers(self, name: str) -> np.ndarray:
        """(N,) float64 of a column of numbers, NaN elsewhere. Raises: BadInput where it has none."""
        return self._told(np.array([_number(one) for one in self._column(name)], float), name, "a number")

    def places(self) -> np.ndarray:
        """(N, 2) latitude and longitude: as imported, else of columns with these names."""
        if not np.isnan(self.degrees).all() or not set(DEGREES) <= set(self.values):
            return self.degrees
        found = np.array([[_number(one) for one in self.values[name]] for name in DEGREES], float).T.reshape(-1, 2)
        wrong = (np.abs(found) > (90, 180)).any(1)
        return np.where(wrong[:, None] | np.isnan(found).any(1)[:, None], np.nan, found)

    def _column(self, name: str) -> np.ndarray:
        if name not in self.values:
            raise unknown("metadata column", name, {*self.values, *self.names})
        return self.values[name]

    def _told(self, found: np.ndarray, name: str, what: str = "") -> np.ndarray:
        if len(found) and np.isnan(found).all():
            says = f"no value of '{name}' is {what}" if what else "nobody said when these pictures were taken"
            raise BadInput(f"{says}. Known: {', '.join(self.names) or 'none'}.")
        return found


def _objects(values: Sequence[Any]) -> np.ndarray:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value)) or not str(value).strip()


def _coded(column: np.ndarray) -> np.ndarray:
    texts = np.array(["" if _empty(one) else str(one).strip() for one in column], dtype=str)
    found, codes = np.unique(texts, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int64)
    return codes - 1 if len(found) and found[0] == "" else codes


def _number(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return np.nan
    return found if np.isfinite(found) else np.nan


def _seconds(when: datetime) -> float:
    """What has no time zone is taken as UTC, so that differences stay what they are."""
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _time(value: Any) -> float:
    """ISO 8601, a date, or seconds since 1970."""
    if isinstance(value, datetime):
        return _seconds(value)
    try:
        return _seconds(datetime.fromisoformat(str(value).strip()))
    except ValueError:
        return _number(value)

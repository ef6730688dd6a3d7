"""The metadata columns of a collection, held in memory: what the map is coloured by and a search is filtered by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from db import catalog, events
from db.engine import Database

TEXT = 80  # letters of a value that are shown
FEW = 12  # different numbers up to which a column of numbers is one of kinds
HELD = 2  # collections in memory
Stamp = tuple[str, int, int, int]


@dataclass(frozen=True, eq=False)
class Column:
    """One column. values: (N,) in the order of the items, None where an item has none."""

    name: str
    values: np.ndarray

    @cached_property
    def numbers(self) -> np.ndarray | None:
        """(N,) float64, NaN where there is none; None for a column of kinds."""
        there = [one for one in self.values if one is not None]
        plain = all(isinstance(one, int | float) and not isinstance(one, bool) for one in there)
        if not plain or len(set(there)) <= FEW:
            return None
        return np.array([np.nan if one is None else float(one) for one in self.values])

    @cached_property
    def kinds(self) -> tuple[np.ndarray, list[str]]:
        """(N,) number of each item's value, -1 for none; and the values as text, the most frequent first."""
        texts = np.array(["" if one is None else spelt(one) for one in self.values], dtype=object)
        found, codes, counts = np.unique(texts.astype(str), return_inverse=True, return_counts=True)
        order = sorted(range(len(found)), key=lambda at: (found[at] == "", -counts[at], found[at]))
        place = np.empty(len(found), np.int64)
        place[order] = np.arange(len(order))
        names = [str(found[at]) for at in order if found[at] != ""]
        codes = place[codes]
        return np.where(codes >= len(names), -1, codes), names


@dataclass(frozen=True, eq=False)
class Columns:
    """ids: (N,) int64 of the items, rising. all: by name, sorted."""

    ids: np.ndarray
    all: Mapping[str, Column]

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """(M,) row of each of these items, -1 where the collection has no such item."""
        at = np.searchsorted(self.ids, ids).clip(max=max(len(self.ids) - 1, 0))
        return np.where(self.ids[at] == ids, at, -1) if len(self.ids) else np.full(len(ids), -1)


def spelt(value: Any) -> str:
    """A value as text: short, and the same for equal values."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text.strip()[:TEXT]


_held: dict[Stamp, Columns] = {}


def columns(database: Database, collection: int) -> Columns:
    """Every column of a collection; read anew when pictures or metadata came in."""
    with database.read() as s:
        count = next((one.items for one in catalog.collections(s) if one.id == collection), 0)
        stamp = (str(database.url), collection, count, events.newest(s, "items"))
        found = _held.get(stamp)
        rows = [] if found is not None else catalog.attributes(s, collection)
    if found is None:
        found = _read(rows)
        while len(_held) >= HELD:
            _held.pop(next(iter(_held)), None)
        _held[stamp] = found
    return found


def _read(rows: list[tuple[int, Mapping[str, Any]]]) -> Columns:
    names = sorted({name for _, known in rows for name in known})
    ids = np.array([item for item, _ in rows], np.int64)
    made = {}
    for name in names:
        values = np.empty(len(rows), dtype=object)
        values[:] = [known.get(name) for _, known in rows]
        made[name] = Column(name, values)
    return Columns(ids, made)

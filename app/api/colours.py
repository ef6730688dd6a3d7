"""What colours the map: one small number an item, and the words for it."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app import columns as tables
from app import maps
from app.api.context import Context
from app.api.models import snapshot_of_version
from db import feedback
from db.catalog import Criterion
from db.errors import BadInput, unknown
from db.nouns import Statement
from db.versions import Version

MOST = 2000  # entries of a legend; what is rarer shares the last one
NONE = 65_535
STEPS = 254  # of a scale, from 1; 0 is unknown


@dataclass(frozen=True)
class Colouring:
    """tag: changes with what is said. header: words. arrays: `codes` uint16 (N,) or `scale` uint8 (N,)."""

    header: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    @property
    def tag(self) -> str:
        """Of all of it."""
        found = hashlib.sha256(json.dumps(self.header, sort_keys=True).encode())
        for one in self.arrays.values():
            found.update(np.ascontiguousarray(one).data)
        return found.hexdigest()[:32]


def colouring(
    here: Context, about: Criterion, version: Version, ids: np.ndarray, by: str, column: str | None
) -> Colouring:
    """By group, answered, uncertainty, annotator or a column. ids (N,): of the map.

    Raises: BadInput without a column's name, NotFound for an unknown one.
    """
    if by == "column":
        return _by_column(here, about, ids, column)
    with here.database.read() as s:
        said = feedback.statements(s, about.id)
        event = feedback.last_event(s, about.id)
    if by == "answered":
        return _by_answers(ids, said)
    if by == "annotator":
        return _by_annotator(ids, said)
    sorted_ = maps.kept(maps.store_of(here.settings), about.id, version.id, "groups")
    if sorted_ is None or not np.array_equal(sorted_.ids, ids):
        return _unsorted(here, version, ids, by, bool(said))
    stale = int(sorted_.arrays["event"][0]) != event
    if by == "group":
        return _kinds(sorted_.arrays["labels"], None, stale=stale)
    return _uncertainty(sorted_.arrays["sure"], stale)


def _unsorted(here: Context, version: Version, ids: np.ndarray, by: str, answered: bool) -> Colouring:
    """Before the answers were looked at: the groups the version starts from, and no certainty."""
    note = "Groups of the embedding alone; the answers are not counted in yet." if answered else ""
    if by == "uncertainty":
        return Colouring(
            {"by": by, "low": 0.0, "high": 1.0, "stale": True, "note": "Not worked out yet."},
            {"scale": np.zeros(len(ids), np.uint8)},
        )
    start = snapshot_of_version(here, version).start
    return _kinds(start, None, stale=True, note=note or "Groups of the embedding alone; nobody has answered yet.")


def _uncertainty(sure: np.ndarray, stale: bool) -> Colouring:
    if not sure.any():
        note = "Nobody has answered yet, so nothing is certain."
        return Colouring(
            {"by": "uncertainty", "low": 0.0, "high": 1.0, "stale": stale, "note": note},
            {"scale": np.full(len(sure), STEPS + 1, np.uint8)},
        )
    return _scale("uncertainty", 1.0 - sure.astype(np.float64), 0.0, 1.0, stale=stale)


def _scale(by: str, values: np.ndarray, low: float, high: float, **more: Any) -> Colouring:
    """values (N,) in [low, high], NaN where unknown."""
    part = (values - low) / ((high - low) or 1.0)
    steps = np.where(np.isnan(part), 0, 1 + np.nan_to_num(part).clip(0, 1) * STEPS).astype(np.uint8)
    return Colouring({"by": by, "low": low, "high": high, **more}, {"scale": steps})


def _kinds(labels: np.ndarray, names: Sequence[str] | None, *, by: str = "group", **more: Any) -> Colouring:
    """Codes by size, the largest first; -1 is nothing. names: of the labels 0, 1, ...; groups get a number."""
    found, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    shown = [at for at in np.argsort(-counts, kind="stable").tolist() if found[at] >= 0][:MOST]
    place = np.full(len(found), min(len(shown), MOST), np.int64)
    place[shown] = np.arange(len(shown))
    place[found < 0] = NONE
    words = [names[int(found[at])] if names is not None else f"group {rank + 1}" for rank, at in enumerate(shown)]
    legend = [{"label": word, "items": int(counts[at])} for word, at in zip(words, shown, strict=True)]
    rest = int(counts[place == len(shown)].sum()) if len(shown) == MOST else 0
    legend += [{"label": "all others", "items": rest}] if rest else []
    nothing = int(counts[found < 0].sum())
    header = {"by": by, "legend": legend, "without": nothing, "kinds": int((found >= 0).sum()), **more}
    return Colouring(header, {"codes": place[codes].astype(np.uint16)})


def _by_answers(ids: np.ndarray, said: Sequence[Statement]) -> Colouring:
    answered = np.array(sorted({item for one in said for item in (one.a, one.b)}), np.int64)
    codes = np.where(np.isin(ids, answered), 0, 1)
    return _fixed("answered", codes, ["somebody has answered about it", "nobody has answered yet"])


def _by_annotator(ids: np.ndarray, said: Sequence[Statement]) -> Colouring:
    """Who answered about an item: a person, several, or nobody."""
    sources: dict[int, set[str]] = {}
    for one in said:
        for item in (one.a, one.b):
            sources.setdefault(item, set()).add(one.source)
    people = [name for name, _ in Counter(name for all_ in sources.values() for name in all_).most_common(MOST)]
    number = {name: at for at, name in enumerate(people)}
    codes = np.full(len(ids), len(people) + 1)
    for row, item in enumerate(ids.tolist()):
        who = sources.get(item)
        if who:
            codes[row] = number.get(next(iter(who)), len(people)) if len(who) == 1 else len(people)
    return _fixed("annotator", codes, [*people, "several people", "nobody yet"])


def _fixed(by: str, codes: np.ndarray, names: Sequence[str]) -> Colouring:
    """Codes whose names stand in a given order; names without items are left out."""
    counts = np.bincount(codes, minlength=len(names))
    there = [at for at in range(len(names)) if counts[at]]
    place = np.zeros(len(names), np.uint16)
    place[there] = range(len(there))
    legend = [{"label": names[at], "items": int(counts[at]), "quiet": names[at].startswith("nobody")} for at in there]
    return Colouring({"by": by, "legend": legend, "without": 0, "kinds": len(there)}, {"codes": place[codes]})


def _by_column(here: Context, about: Criterion, ids: np.ndarray, name: str | None) -> Colouring:
    if not name:
        raise BadInput("column = the name of a metadata column expected. GET /api/v1/map/columns lists them.")
    table = tables.columns(here.database, about.collection)
    if name not in table.all:
        raise unknown("column", name, list(table.all))
    rows, column = table.rows(ids), table.all[name]
    numbers = column.numbers
    if numbers is not None:
        values = np.where(rows >= 0, numbers[rows], np.nan)
        return _scale("column", values, float(np.nanmin(numbers)), float(np.nanmax(numbers)), column=name)
    codes, names = column.kinds
    return _kinds(np.where(rows >= 0, codes[rows], -1), names, by="column", column=name)


def members(here: Context, collection: int, ids: np.ndarray, wanted: Mapping[str, str]) -> np.ndarray:
    """(N,) bool: items whose columns have just these values, as `spelt` writes them. Raises NotFound for a column."""
    keep = np.ones(len(ids), bool)
    if not wanted:
        return keep
    table = tables.columns(here.database, collection)
    rows = table.rows(ids)
    for name, value in wanted.items():
        if name not in table.all:
            raise unknown("column", name, list(table.all))
        codes, names = table.all[name].kinds
        number = names.index(value) if value in names else -2
        keep &= (rows >= 0) & (codes[rows] == number)
    return keep

"""What pictures of a collection can be paired by: its columns, and the time and place that import understood."""

from datetime import datetime
from typing import Any, Literal

from app.columns import columns
from db import catalog
from db.engine import Database

Kind = Literal["equal", "number", "time", "place"]
MEANT: dict[str, Kind] = {"time": "time", "place": "place"}
LOOKED_AT = 50  # values of a column that say what it holds


def relatable(database: Database, collection: int) -> dict[str, Kind]:
    """Name -> equal, number, time or place: by what else than equal values a column can be compared."""
    kinds = {name: kind_of(list(column.values)) for name, column in columns(database, collection).all.items()}
    found = {name: kind for name, kind in kinds.items() if kind}
    with database.read() as s:
        understood = catalog.understood(s, collection)
    found |= {name: kind for name, kind in MEANT.items() if name in understood}
    if {"latitude", "longitude"} <= set(found):
        found.setdefault("place", "place")
    return {name: found[name] for name in sorted(found) if not set(name) & set(" ~@!+,=")}


def kind_of(values: list[Any]) -> Kind | None:
    """equal, number or time by the first values; None where there is none."""
    there = [one for one in values if one is not None and str(one).strip()][:LOOKED_AT]
    if not there:
        return None
    if all(_is(float, one) for one in there):
        return "number"
    return "time" if all(_is(datetime.fromisoformat, str(one).strip()) for one in there) else "equal"


def _is(read: Any, value: Any) -> bool:
    try:
        read(value)
    except (TypeError, ValueError):
        return False
    return True

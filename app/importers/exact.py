"""Everything about a picture, as our data sets carry it under `pairwright`: what is read is what was written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from db.errors import BadInput


@dataclass(frozen=True)
class Exact:
    """The fields of an item. audio: a file of the data set, or None."""

    name: str
    caption: str | None = None
    taken_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    audio: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Those that a new item takes as they are."""
        names = ("caption", "taken_at", "latitude", "longitude", "attributes", "groups")
        return {name: getattr(self, name) for name in names}


def exact(given: Any, where: str) -> Exact | None:
    """What a data set says under `pairwright`, as an object or its JSON text; None where it says nothing.

    Raises: BadInput for something damaged.
    """
    if given in (None, ""):
        return None
    try:
        return _exact(dict(json.loads(given) if isinstance(given, str) else given))
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadInput(f"{where}: what Pairwright wrote about it is damaged ({error}). Export it again.") from error


def _exact(given: dict[str, Any]) -> Exact:
    at = given.get("taken_at")
    return Exact(
        name=str(given.get("name") or ""),
        caption=_text(given.get("caption")),
        taken_at=None if at is None else datetime.fromisoformat(str(at)),
        latitude=_number(given.get("latitude")),
        longitude=_number(given.get("longitude")),
        audio=_text(given.get("audio")),
        attributes=dict(given.get("attributes") or {}),
        groups={str(key): str(value) for key, value in dict(given.get("groups") or {}).items()},
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)

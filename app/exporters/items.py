"""Every item of a collection, one row each: what is known about it. Nested values are JSON."""

from collections.abc import Iterable, Iterator

from app.exporters.formats import Row
from db.nouns import Item

FIELDS = {
    "id": "int64",
    "collection": "string",
    "name": "string",
    "sha256": "string",
    "path": "string",
    "width": "int64",
    "height": "int64",
    "caption": "string",
    "taken_at": "timestamp[us]",
    "latitude": "double",
    "longitude": "double",
    "audio": "string",
    "attributes": "json",
    "keys": "json",
}


def item_rows(items: Iterable[Item], collection: str) -> Iterator[Row]:
    """Rows by id. keys: the group keys, which hold items on one side of a split."""
    plain = [name for name, kind in FIELDS.items() if kind != "json" and name != "collection"]
    for item in items:
        known = {name: getattr(item, name) for name in plain}
        yield known | {"collection": collection, "attributes": dict(item.attributes), "keys": dict(item.groups)}

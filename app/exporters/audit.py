"""Who did what to the installation, one line a row, the oldest first."""

from collections.abc import Iterable, Iterator

from app.exporters.formats import Row
from db.audit import Entry

FIELDS = {
    "id": "int64",
    "at": "string",
    "actor": "string",
    "action": "string",
    "target": "string",
    "detail": "json",
}


def audit_rows(entries: Iterable[Entry]) -> Iterator[Row]:
    """Rows of the audit log. It holds no secrets: none is ever noted."""
    for one in entries:
        yield {
            "id": one.id,
            "at": one.at.isoformat(),
            "actor": one.actor,
            "action": one.action,
            "target": one.target,
            "detail": dict(one.detail),
        }

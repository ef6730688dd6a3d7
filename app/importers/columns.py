"""What the columns of a manifest mean, and the rows one import wants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from db.errors import BadInput

Row = Mapping[str, Any]


class RowFault(Exception):
    """Why one row cannot be used, in one sentence."""


@dataclass(frozen=True)
class Columns:
    """Names of the columns with a meaning of their own; every column but id and path also becomes an attribute."""

    id: str = "id"
    path: str = "path"
    time: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    caption: str | None = None
    audio: str | None = None
    groups: tuple[str, ...] = ()

    def named(self) -> list[str]:
        """The columns that a user gave a meaning."""
        given = (self.time, self.latitude, self.longitude, self.caption, self.audio, *self.groups)
        return [column for column in given if column is not None]

    def require(self, there: Sequence[str], where: str) -> None:
        """Raises BadInput if a named column is missing. A missing default id column is no fault: paths stand in."""
        for column in [self.path, *self.named(), *([] if self.id == "id" else [self.id])]:
            if column not in there:
                raise missing_column(column, there, where)


def missing_column(column: str, there: Sequence[str], where: str) -> BadInput:
    """The error for a column that is not there."""
    return BadInput(f"{where} has no column '{column}'. Its columns: {', '.join(there) or 'none'}.")


def row_filter(where: Sequence[str], there: Sequence[str], source: str) -> dict[str, set[str]]:
    """Wanted values by column from `COLUMN=VALUE` texts; the same column twice means either value."""
    wanted: dict[str, set[str]] = {}
    for text in where:
        column, equals, value = text.partition("=")
        if not equals or not column.strip():
            raise BadInput(f"where: expected COLUMN=VALUE, got '{text}'.")
        if column.strip() not in there:
            raise missing_column(column.strip(), there, source)
        wanted.setdefault(column.strip(), set()).add(value.strip())
    return wanted


def keeps(row: Row, wanted: Mapping[str, set[str]]) -> bool:
    """True if the row has a wanted value in every filtered column."""
    return all(_text(row.get(column)) in values for column, values in wanted.items())


def meaning(row: Row, columns: Columns) -> dict[str, Any]:
    """The fields of a new item that come from a row. Raises RowFault for a value that has no such meaning."""
    latitude = _degrees(row, columns.latitude, 90)
    longitude = _degrees(row, columns.longitude, 180)
    return {
        "caption": _text(row[columns.caption]) or None if columns.caption else None,
        "taken_at": _time(row[columns.time]) if columns.time else None,
        "latitude": latitude,
        "longitude": longitude,
        "attributes": {key: value for key, value in row.items() if key not in (columns.id, columns.path)},
        "groups": {column: _text(row[column]) for column in columns.groups if _text(row[column])},
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _degrees(row: Row, column: str | None, limit: int) -> float | None:
    if column is None or not _text(row[column]):
        return None
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        value = float("nan")
    if not -limit <= value <= limit:
        raise RowFault(f"{column} is '{_text(row[column])[:40]}', expected degrees from -{limit} to {limit}")
    return value


def _time(value: Any) -> datetime | None:
    """ISO 8601, the EXIF form 2026:01:31 12:00:00, or seconds since 1970."""
    if isinstance(value, datetime):
        return value
    text = _text(value)
    if not text:
        return None
    for read in (datetime.fromisoformat, _exif_time, _seconds_time):
        try:
            return read(text)
        except (ValueError, OverflowError, OSError):
            continue
    raise RowFault(f"the time '{text[:40]}' is neither ISO 8601 nor EXIF nor seconds since 1970")


def _exif_time(text: str) -> datetime:
    return datetime.strptime(text, "%Y:%m:%d %H:%M:%S")


def _seconds_time(text: str) -> datetime:
    return datetime.fromtimestamp(float(text), UTC)

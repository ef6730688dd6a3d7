"""Read the rows of a CSV, Parquet or JSONL manifest."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from db.errors import BadInput

MAX_BYTES = 2 * 1024**3
Rows = tuple[list[str], list[dict[str, Any]]]  # column names, rows


def is_manifest(name: str) -> bool:
    """True if the name ends like a manifest."""
    return PurePosixPath(name).suffix.lower() in READERS


def read_manifest(content: bytes, name: str) -> Rows:
    """(columns, rows) of a manifest; the ending of `name` says its format. Raises BadInput."""
    reader = READERS.get(PurePosixPath(name).suffix.lower())
    if reader is None:
        raise BadInput(f"metadata '{name}': expected a file ending in {', '.join(READERS)}.")
    try:
        return reader(content)
    except (ValueError, csv.Error, KeyError, OSError, RecursionError) as error:  # pyarrow's errors are ValueErrors too
        raise BadInput(f"cannot read the metadata '{name}' ({str(error)[:200]}). Save it again as UTF-8.") from error


def _csv(content: bytes, delimiter: str = ",") -> Rows:
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter, strict=True)
    columns = list(reader.fieldnames or [])
    if len(set(columns)) != len(columns):
        raise ValueError(f"a column name occurs twice: {', '.join(columns)}")
    return columns, [_whole(row, reader.line_num) for row in reader]


def _whole(row: dict[Any, Any], line: int) -> dict[str, Any]:
    if None in row or None in row.values():
        raise ValueError(f"line {line} does not have as many fields as the first line")
    return row


def _tsv(content: bytes) -> Rows:
    return _csv(content, "\t")


def _jsonl(content: bytes) -> Rows:
    rows = [json.loads(line) for line in content.decode("utf-8-sig").split("\n") if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("every line must be one JSON object")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return columns, [{column: row.get(column) for column in columns} for row in rows]


def _parquet(content: bytes) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    return list(table.column_names), table.to_pylist()


READERS: dict[str, Callable[[bytes], Rows]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
}

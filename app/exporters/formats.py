"""Write a stream of rows as Parquet, CSV or JSONL: chunk by chunk, to a temporary file that is renamed at the end."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from db.errors import BadInput, Broken, unknown

Row = dict[str, Any]
Fields = Mapping[str, str]  # name: Arrow's name of the type, "vector" for float32 numbers, "json" for nested values
Writer = Callable[[Iterator[list[Row]], Fields, Path], int]
CHUNK = 10_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def chosen_format(out: Path, given: str | None, known: Iterable[str]) -> str:
    """The format asked for, else the one the file's ending names.

    Raises: NotFound for a format we cannot write; BadInput for a file without an ending.
    """
    name = given or out.suffix.lstrip(".").lower()
    if not name:
        raise BadInput(f"{out} has no ending that names a format. Give --format, one of: {', '.join(sorted(known))}.")
    if name not in known:
        raise unknown("export format", name, known)
    return name


def write_rows(rows: Iterable[Row], fields: Fields, out: Path, format: str | None = None) -> int:
    """Write the rows; returns how many. The file appears whole or not at all; without a row it holds the fields."""
    writers: dict[str, Writer] = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}
    write = writers[chosen_format(out, format, writers)]
    with whole(out) as partial:
        return write(_chunks(rows), fields, partial)


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A temporary name beside `out`; renamed to it when the block ends well, removed when it does not."""
    partial = out.with_name(f".{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(out)
    except OSError as cause:
        raise Broken(
            f"{out} cannot be written ({cause.strerror or cause}). Free space or choose another place."
        ) from cause
    finally:
        partial.unlink(missing_ok=True)


def harmless(value: Any) -> Any:
    """A CSV cell that no spreadsheet takes for a formula: text that starts like one gets a leading apostrophe.

    So does text that would be taken for such a cell: `plain_cell` gives back exactly what was written.
    """
    if isinstance(value, str) and value.lstrip("'").startswith(FORMULA):
        return "'" + value
    return value


def plain_cell(value: Any) -> Any:
    """What `harmless` was given."""
    if isinstance(value, str) and value.startswith("'") and value.lstrip("'").startswith(FORMULA):
        return value[1:]
    return value


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def csv_text(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A whole CSV file as text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([harmless(name) for name in names])
    writer.writerows([harmless(_cell(cell)) for cell in row] for row in rows)
    return out.getvalue()


def _csv(chunks: Iterator[list[Row]], fields: Fields, out: Path) -> int:
    count = 0
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        for chunk in chunks:
            writer.writerows([harmless(_cell(row[name])) for name in fields] for row in chunk)
            count += len(chunk)
    return count


def _cell(value: Any) -> Any:
    """Numbers, text and nothing stay; a vector and nested values become JSON."""
    if isinstance(value, np.ndarray | list | tuple | dict):
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return value


def _jsonl(chunks: Iterator[list[Row]], fields: Fields, out: Path) -> int:
    count = 0
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    with out.open("wb") as file:
        for chunk in chunks:
            file.writelines(orjson.dumps({name: row[name] for name in fields}, option=options) for row in chunk)
            count += len(chunk)
    return count


def _parquet(chunks: Iterator[list[Row]], fields: Fields, out: Path) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    count = 0
    schema = pa.schema([(name, _arrow(kind)) for name, kind in fields.items()])
    with parquet.ParquetWriter(out, schema) as writer:
        for chunk in chunks:
            columns = [pa.array(_column(chunk, name, kind), _arrow(kind)) for name, kind in fields.items()]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            count += len(chunk)
    return count


def _column(chunk: list[Row], name: str, kind: str) -> list[Any]:
    return [_cell(row[name]) if kind == "json" else row[name] for row in chunk]


def _arrow(kind: str) -> Any:
    import pyarrow as pa

    if kind == "json":
        return pa.string()
    return pa.list_(pa.float32()) if kind == "vector" else pa.type_for_alias(kind)

"""Pictures in the cells of a table: Parquet, or the Arrow files that Hugging Face's `save_to_disk` writes.

A table is read piece by piece, one piece in memory; a picture is a column of {bytes, path}.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from app.importers.manifests import MAX_BYTES
from app.importers.stores import MAX_RATIO, EntryFault, FolderStore, Place, Store, tidy
from db.errors import BadInput

ENDINGS = (".parquet", ".arrow")
FREE_BYTES = 1024**3  # a table may unpack to this much, whatever its own size
RECORDING = "recording"  # column of the sound beside a picture
ROWS = 256  # of an Arrow file in one piece, at most


def is_table(name: str) -> bool:
    """Whether a file may hold pictures in its cells."""
    return name.lower().endswith(ENDINGS)


def picture_column(store: Store, name: str) -> str | None:
    """The first column of pictures of a table; None if it has none or cannot be read. Raises BadInput for a bomb."""
    try:
        return _Table(store, name).column
    except EntryFault:
        return None


def _picture(schema: Any) -> str | None:
    import pyarrow as pa

    for field in schema:
        if pa.types.is_struct(field.type) and "bytes" in [inner.name for inner in field.type]:
            return str(field.name)
    return None


class _Table:
    """One file, opened. pieces: how many. column: of the pictures. classes: their names by column.

    Raises: EntryFault for one that cannot be read, BadInput for a bomb.
    """

    def __init__(self, store: Store, name: str) -> None:
        import pyarrow as pa

        self.name = name
        try:
            self._open(store, name)
            self.column, self.classes = _picture(self.schema), _classes(self.schema)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise EntryFault(f"the table cannot be read ({str(error)[:200]})") from error

    def _open(self, store: Store, name: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        source = pa.memory_map(str(store.place(name))) if isinstance(store, FolderStore) else _in_memory(store, name)
        if name.lower().endswith(".parquet"):
            file = pq.ParquetFile(source)
            groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
            if sum(group.total_byte_size for group in groups) > max(FREE_BYTES, MAX_RATIO * source.size()):
                raise BadInput(f"the table '{name}' unpacks to over {MAX_RATIO} times its size. Write it again.")
            self.schema, self.pieces, self._piece = file.schema_arrow, len(groups), file.read_row_group
            return
        reader = pa.ipc.open_stream(source)
        whole = reader.read_all()  # mapped, not copied
        self.schema, self.pieces = whole.schema, -(-whole.num_rows // ROWS)
        self._piece = lambda number: whole.slice(number * ROWS, ROWS)

    def piece(self, number: int) -> list[dict[str, Any]]:
        """The rows of one piece. They are checked first: Arrow files are mapped, and offsets may lead anywhere."""
        import pyarrow as pa

        try:
            found = self._piece(number)
            found.validate(full=True)
            return list(found.to_pylist())
        except (pa.ArrowException, OSError, ValueError) as error:
            raise EntryFault(f"the table is damaged there ({str(error)[:120]})") from error


def _in_memory(store: Store, name: str) -> Any:
    import pyarrow as pa

    content = store.read(name, MAX_BYTES)
    if len(content) > MAX_BYTES:
        raise BadInput(f"the table '{name}' is larger than {MAX_BYTES // 1024**3} GB. Unpack the archive first.")
    return pa.BufferReader(content)


class TableStore:
    """The pictures of some tables as files `TABLE#PIECE.ROW`; what a row names by path is read from the store.

    `TABLE#PIECE.ROW/recording/NAME` is the recording beside a picture, in a column of that name.
    """

    def __init__(self, store: Store, tables: list[str]) -> None:
        self._store, self._tables = store, tables
        self.faults: list[tuple[str, str]] = list(store.faults)
        self.names: list[str] = []
        self._paths: dict[str, str] = {}
        self._table = lru_cache(maxsize=1)(lambda name: _Table(store, name))
        self._piece = lru_cache(maxsize=1)(lambda name, number: self._table(name).piece(number))

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(file, the row without its pictures) of every row."""
        for name in self._tables:
            try:
                table = self._table(name)
            except EntryFault as fault:
                self.faults.append((name, str(fault)))
                continue
            for number in range(table.pieces if table.column else 0):
                yield from self._of_piece(name, number, str(table.column), table.classes)

    def _of_piece(
        self, name: str, number: int, column: str, classes: dict[str, list[str]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            found = self._piece(name, number)
        except EntryFault as fault:
            self.faults.append((f"{name}, piece {number}", str(fault)))
            return
        for place, row in enumerate(found):
            file = f"{name}#{number}.{place}"
            self.names.append(file)
            self._paths[file] = str((row[column] or {}).get("path") or "")
            kept = {key: value for key, value in row.items() if not _is_picture(value)}
            yield file, {key: _named(value, classes.get(key)) for key, value in kept.items()}

    def path_of(self, file: str) -> str:
        """What the row calls its picture; "" if nothing."""
        return self._paths.get(file, "")

    def read(self, name: str, limit: int) -> bytes:
        table, mark, place = name.rpartition("#")
        if not mark:
            return self._store.read(name, limit)
        place, slash, _ = place.partition("/")
        if (file := f"{table}#{place}") not in self._paths:
            raise EntryFault("there is no such row")
        number, row = (int(one) for one in place.split("."))
        column = RECORDING if slash else str(self._table(table).column)
        cell = self._piece(table, number)[row].get(column) or {}
        if cell.get("bytes") is not None:
            return bytes(cell["bytes"][: limit + 1])
        path = tidy(str(PurePosixPath(table).parent / self._paths[file])) if self._paths[file] else None
        if path is None:
            raise EntryFault("its row holds neither a picture nor a path inside the source")
        return self._store.read(path, limit)

    def within(self, name: str) -> Place:
        """The row group and row of a picture. Raises EntryFault where it lies in no cell of a Parquet file."""
        table, _, place = name.rpartition("#")
        number, row = (int(one) for one in place.split("."))
        column = str(self._table(table).column)
        if not isinstance(self._store, FolderStore) or not table.lower().endswith(".parquet"):
            raise EntryFault("it lies in no Parquet file that can be read where it is")
        if (self._piece(table, number)[row].get(column) or {}).get("bytes") is None:
            raise EntryFault("its row names a file of its own")
        return Place(self._store.place(table), number, row, column)

    def close(self) -> None:
        self._piece.cache_clear()
        self._table.cache_clear()
        self._store.close()


def _is_picture(value: Any) -> bool:
    return isinstance(value, dict) and "bytes" in value


def _named(value: Any, classes: list[str] | None) -> Any:
    """A class number as its class's name."""
    return classes[value] if classes and isinstance(value, int) and 0 <= value < len(classes) else value


def _classes(schema: Any) -> dict[str, list[str]]:
    """Names of the classes by column, from what `datasets` notes in the schema."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {key: one["names"] for key, one in features.items() if one.get("_type") == "ClassLabel"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}

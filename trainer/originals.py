"""The bytes of a picture as it was imported, wherever they lie: in a file of their own, or inside a big one.

    media/ab/SHA.png                     a file
    packs/NAME.tar@OFFSET+LENGTH.png     bytes of a pack of the workspace
    linked/KEY@OFFSET+LENGTH.png         bytes of a file elsewhere; linked/KEY.json says where it is
    linked/KEY#GROUP.ROW.png             a cell of a Parquet file elsewhere, in that row group and row

These are paths of items. What lies in a big file is compared with the item's SHA-256 whenever it is read: a file
elsewhere is not ours, and may have been written anew.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from db.errors import Broken

PACKS, LINKED = "packs", "linked"
PART = re.compile(r"((?:packs|linked)/\w[\w.-]*)(?:@(\d+)\+(\d+)|#(\d+)\.(\d+))\.\w+")
HELD = 2  # row groups of Parquet files held in memory
AGAIN = "Put it back, or import it again from where it is now"
_reading = Lock()


class Damaged(OSError):
    """One picture of a big file is not the one that was imported."""


@dataclass(frozen=True)
class Part:
    """A place inside a big file. first, second: offset and length, or row group and row where `cell`."""

    file: str
    cell: bool
    first: int
    second: int

    @classmethod
    def of(cls, path: str) -> "Part | None":
        """The place that an item's path names; None where it is a file of its own."""
        found = PART.fullmatch(path)
        if found is None:
            return None
        file, offset, length, group, row = found.groups()
        return cls(file, offset is None, int(offset or group or 0), int(length or row or 0))

    def path(self, ending: str) -> str:
        """The other way round. ending: of the picture, such as png."""
        mark, between = ("#", ".") if self.cell else ("@", "+")
        return f"{self.file}{mark}{self.first}{between}{self.second}.{ending}"


def original(workspace: Path, path: str, sha: str = "") -> bytes:
    """The picture's own bytes. path: of the item; sha: its hash, "" not to compare.

    Raises: OSError where a file of its own cannot be read; Damaged, an OSError, for other bytes inside a big file;
    Broken where the big file is gone or has changed.
    """
    part = Part.of(path)
    if part is None:
        return (workspace / path).read_bytes()
    file, column = _big_file(workspace, part)
    content = _cell(file, column, part) if part.cell else _range(file, part)
    if sha and hashlib.sha256(content).hexdigest() != sha:
        raise Damaged(f"'{file.name}' holds other bytes at {path.rpartition('/')[2]} than were imported. {AGAIN}")
    return content


def size(workspace: Path, path: str) -> int:
    """How many bytes the picture has."""
    part = Part.of(path)
    if part is None:
        return (workspace / path).stat().st_size
    return len(original(workspace, path)) if part.cell else part.second


def is_lost(workspace: Path, path: str) -> bool:
    """Whether a picture lies in a big file that is gone or has changed."""
    part = Part.of(path)
    try:
        return part is not None and not _big_file(workspace, part)
    except Broken:
        return True


def _big_file(workspace: Path, part: Part) -> tuple[Path, str]:
    """(the file, its column of pictures). Raises Broken."""
    if part.file.startswith(PACKS):
        place = workspace / part.file
        if not place.exists():
            raise Broken(f"the pack '{part.file}' of the workspace is gone. Restore it from a backup.")
        return place, ""
    try:
        about = json.loads((workspace / f"{part.file}.json").read_bytes())
        place = Path(about["file"])
    except (OSError, ValueError, KeyError) as error:
        raise Broken(f"'{part.file}.json' of the workspace is gone or damaged. Restore it from a backup.") from error
    try:
        now = place.stat().st_size
    except OSError as error:
        raise Broken(f"'{place}', which holds pictures, is gone ({error.strerror}). {AGAIN}.") from error
    if now != about["bytes"]:
        was = about["bytes"]
        raise Broken(f"'{place}', which holds pictures, has changed: {was} bytes expected, got {now}. {AGAIN}.")
    return place, str(about["column"])


def _range(file: Path, part: Part) -> bytes:
    with file.open("rb") as opened:
        opened.seek(part.first)
        return opened.read(part.second)


def _cell(file: Path, column: str, part: Part) -> bytes:
    told = file.stat()
    try:
        with _reading:
            cells = _group(str(file), (told.st_size, told.st_mtime_ns), column, part.first)
        return bytes(cells[part.second].as_py() or b"")
    except (ValueError, IndexError, KeyError) as error:  # pyarrow's own errors are ValueErrors
        raise Damaged(f"'{file.name}' has no readable picture in row {part.second} of group {part.first}") from error


@lru_cache(maxsize=HELD)
def _group(file: str, told: tuple[int, int], column: str, group: int) -> Any:
    """The pictures of one row group. told: size and time of the file, so that a new one is read anew."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        cells = opened.read_row_group(group, columns=[column]).column(0)
    return cells if cells.type in _binary() else pc.struct_field(cells, "bytes")


def _binary() -> tuple[Any, ...]:
    import pyarrow as pa

    return pa.binary(), pa.large_binary()

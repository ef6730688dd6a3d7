"""Packs that a killed import left: files of many pictures that no row of the database names.

A pack is written under a hidden name, renamed when it is whole, and only then named by rows. From before the rename
until the rows are written a note lies beside it. So what a kill leaves is a hidden file, or a pack with its note; a
pack without one is never taken away, whatever the database says: it may be the wrong database.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from db import places
from db.engine import Database
from trainer.originals import PACKS

LEFT_S = 3600.0  # what nobody touched for so long is nobody's
PARTIAL, NOTE = ".partial", ".unnamed"  # endings of hidden names


@dataclass(frozen=True)
class Leftover:
    """file: a hidden one, or a whole pack with its note. age_s: since somebody touched it."""

    file: Path
    note: Path | None
    bytes: int
    age_s: float


def partial_of(pack: Path) -> Path:
    """Where a pack is written."""
    return pack.with_name(f".{pack.name}{PARTIAL}")


def note_of(pack: Path) -> Path:
    """What says that no row names the pack yet."""
    return pack.with_name(f".{pack.name}{NOTE}")


def leftovers(workspace: Path) -> Iterator[Leftover]:
    """What imports have not finished, be they at work or killed."""
    folder = workspace / PACKS
    for hidden in sorted(folder.glob(f".*{PARTIAL}")):
        yield from _left(hidden, None)
    for note in sorted(folder.glob(f".*{NOTE}")):
        pack = folder / note.name[1:].removesuffix(NOTE)
        yield from _left(pack, note) if pack.exists() else _left(note, None)


def sweep(database: Database, workspace: Path, older_than_s: float = LEFT_S) -> int:
    """Take away what killed imports left, once it is old enough to be nobody's; returns how many packs went."""
    gone = 0
    for left in leftovers(workspace):
        if left.age_s < older_than_s:
            continue
        if left.note is None or not _named(database, left.file):
            left.file.unlink(missing_ok=True)
            gone += 1
        if left.note is not None:  # last: without it nobody would look again
            left.note.unlink(missing_ok=True)
    return gone


def _left(file: Path, note: Path | None) -> Iterator[Leftover]:
    with suppress(FileNotFoundError):  # finished meanwhile
        there = file.stat()
        yield Leftover(file, note, there.st_size, max(time.time() - there.st_mtime, 0.0))


def _named(database: Database, pack: Path) -> bool:
    with database.read() as s:
        return places.named(s, f"{PACKS}/{pack.name}")

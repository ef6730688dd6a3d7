"""Where an import leaves the pictures: each in a file of its own, in packs of the workspace, or where they lie now.

Rows are written only when what they name is safely on disk. So a pack is first written under a hidden name, made
durable, renamed, and only then do rows speak of it; what a kill leaves behind, `trainer.packs` takes away.
"""

import hashlib
import json
import os
import secrets
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Protocol

from app.importers import decode, files
from app.importers.decoders import Task
from app.importers.remote import is_remote
from app.importers.stores import EntryFault, Place, Store
from db.engine import Database
from db.errors import BadInput
from trainer.originals import LINKED, PACKS, Part, original
from trainer.packs import note_of, partial_of, sweep

PACK_BYTES = 256 * 1024 * 1024
PACK_FILES = 100_000
HEADER = 512  # bytes of a tar before a file's own
LOOKS, LOOK = 16, 65536  # places of a big file that tell it from another, and bytes of each


@dataclass(frozen=True)
class Picture:
    """One picture to be kept. name: in the store. content: its bytes, read when they are needed."""

    name: str
    sha: str
    content: Callable[[], bytes]


class Keeper(Protocol):
    """task: what the decoding processes do with a picture. settled: whether rows may be written now; due: whether they
    should be, few as they are."""

    task: Task
    reuses: tuple[str, ...]  # beginnings of paths: what lies there already is left there

    @property
    def settled(self) -> bool: ...

    @property
    def due(self) -> bool: ...

    def put(self, picture: Picture, stored: decode.Stored) -> str:
        """The path of the item of one picture. Raises EntryFault."""

    def finish(self) -> None:
        """Make durable what was put."""

    def naming(self) -> AbstractContextManager[None]:
        """For the length of a `with` in which the rows of what is durable are written. Raises OSError if it is gone."""

    def drop(self) -> None:
        """Forget what is not durable."""


class Loose:
    """Each picture in a file of its own, with its thumbnail beside; the decoding processes write both."""

    task: Task = staticmethod(decode.store)
    reuses: tuple[str, ...] = ()
    settled, due = True, False
    naming = staticmethod(nullcontext)

    def put(self, picture: Picture, stored: decode.Stored) -> str:
        return stored.path

    def finish(self) -> None: ...

    def drop(self) -> None: ...


class Packed:
    """Pictures one after another in tar files of about 256 MB. Thumbnails are made when somebody looks."""

    task: Task = staticmethod(decode.look)
    reuses: tuple[str, ...] = ("media/", f"{PACKS}/")

    def __init__(self, workspace: Path, size: int) -> None:
        self._folder, self._size = workspace / PACKS, size
        self._tar: tarfile.TarFile | None = None
        self._pack, self._count = self._folder, 0
        self._unnamed: list[Path] = []  # whole packs that no row names yet
        self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def settled(self) -> bool:
        return self._tar is None

    @property
    def due(self) -> bool:
        return bool(self._unnamed)

    def put(self, picture: Picture, stored: decode.Stored) -> str:
        content = picture.content()
        tar = self._open()
        ending = PurePosixPath(stored.path).suffix[1:]
        about = tarfile.TarInfo(f"{picture.sha}.{ending}")
        about.size = len(content)
        begin = tar.offset + HEADER
        tar.addfile(about, BytesIO(content))
        self._count += 1
        path = Part(f"{PACKS}/{self._pack.name}", False, begin, about.size).path(ending)
        if tar.offset >= self._size or self._count >= PACK_FILES:
            self.finish()
        return path

    def finish(self) -> None:
        if self._tar is None:
            return
        self._tar.close()
        hidden = partial_of(self._pack)
        with hidden.open("rb") as written:
            os.fsync(written.fileno())
        note_of(self._pack).touch()
        hidden.rename(self._pack)
        files.sync_folder(self._folder)
        self._unnamed.append(self._pack)
        self._tar = None

    @contextmanager
    def naming(self) -> Iterator[None]:
        for pack in self._unnamed:
            os.utime(pack)  # nobody's hand is on it until it is old again
        yield
        for pack in self._unnamed:
            note_of(pack).unlink(missing_ok=True)
        self._unnamed.clear()

    def drop(self) -> None:
        if self._tar is not None:
            self._tar.close()
            partial_of(self._pack).unlink(missing_ok=True)
            self._tar = None

    def _open(self) -> tarfile.TarFile:
        if self._tar is None:
            self._pack = self._folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.tar"
            self._count = 0
            hidden = partial_of(self._pack)
            self._tar = tarfile.open(hidden, "x", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - finish, drop
        return self._tar


class InPlace:
    """Pictures stay in the tar and Parquet files they lie in; the workspace notes where these are."""

    task: Task = staticmethod(decode.look)
    reuses: tuple[str, ...] = ("media/", f"{PACKS}/")
    settled, due = True, False
    naming = staticmethod(nullcontext)

    def __init__(self, workspace: Path, store: Store) -> None:
        if not hasattr(store, "within"):
            raise BadInput(
                "in place: pictures in tar or Parquet files of this machine expected. Say --packed, or neither."
            )
        self._workspace, self._within = workspace, store.within
        self._links: dict[Path, str] = {}

    def put(self, picture: Picture, stored: decode.Stored) -> str:
        place: Place = self._within(picture.name)
        if place.file not in self._links:
            self._links[place.file] = link(self._workspace, place.file, place.column)
        part = Part(self._links[place.file], bool(place.column), place.first, place.second)
        path = part.path(PurePosixPath(stored.path).suffix[1:])
        try:
            original(self._workspace, path, picture.sha)
        except OSError as error:
            raise EntryFault("it cannot be read where it lies. Import without --in-place") from error
        return path

    def finish(self) -> None:
        if self._links:
            files.sync_folder(self._workspace / LINKED)

    def drop(self) -> None: ...


def keeper_of(
    database: Database, workspace: Path, source: Path | str, store: Store, *, packed: bool, in_place: bool
) -> Keeper:
    """The keeper that was asked for. Raises BadInput for both at once, or where it cannot be."""
    if packed and in_place:
        raise BadInput("packed and in place: one of the two expected. In place leaves the pictures where they lie.")
    if in_place and isinstance(source, str) and is_remote(source):
        raise BadInput("in place: files of this machine expected, got an address. Say --packed instead.")
    if in_place:
        return InPlace(workspace, store)
    if not packed:
        return Loose()
    sweep(database, workspace)
    return Packed(workspace, PACK_BYTES)


def link(workspace: Path, file: Path, column: str = "") -> str:
    """Note where a big file is; returns what its parts are called by. A lost one of the same content is found again."""
    key = _key(file)
    note = workspace / LINKED / f"{key}.json"
    if not (note.exists() and Path(json.loads(note.read_bytes())["file"]).exists()):
        about = {"file": str(file.resolve()), "bytes": file.stat().st_size, "column": column}
        files.replace(note, json.dumps(about).encode())
    return f"{LINKED}/{key}"


def _key(file: Path) -> str:
    """What tells one big file from another without reading all of it: its size, and pieces from all over it."""
    total = file.stat().st_size
    seen = hashlib.blake2b(str(total).encode(), digest_size=12)
    with file.open("rb") as opened:
        for look in range(LOOKS):
            opened.seek(look * max(total - LOOK, 0) // (LOOKS - 1))
            seen.update(opened.read(LOOK))
    return seen.hexdigest()

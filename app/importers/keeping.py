"""Where an import leaves the pictures: each in a file of its own, in packs of the workspace, or where they lie now.

Rows are written only when what they name is safely on disk. So a pack is first written under a hidden name, made
durable, renamed, and only then do rows speak of it; what a kill leaves behind is a hidden file that nobody names.
"""

import hashlib
import json
import os
import secrets
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Protocol

from app.importers import decode, files
from app.importers.decoders import Task
from app.importers.remote import is_remote
from app.importers.stores import EntryFault, Place, Store
from db.errors import BadInput
from trainer.originals import LINKED, PACKS, Part, original

PACK_BYTES = 256 * 1024 * 1024
PACK_FILES = 100_000
HEADER = 512  # bytes of a tar before a file's own
LEFT_S = 3600.0  # a hidden pack that nobody touched for so long is nobody's
LOOKS, LOOK = 16, 65536  # places of a big file that tell it from another, and bytes of each


@dataclass(frozen=True)
class Picture:
    """One picture to be kept. name: in the store. content: its bytes, read when they are needed."""

    name: str
    sha: str
    content: Callable[[], bytes]


class Keeper(Protocol):
    """task: what the decoding processes do with a picture. settled: whether rows may be written now."""

    task: Task
    reuses: tuple[str, ...]  # beginnings of paths: what lies there already is left there

    @property
    def settled(self) -> bool: ...

    def put(self, picture: Picture, stored: decode.Stored) -> str:
        """The path of the item of one picture. Raises EntryFault."""

    def finish(self) -> None:
        """Make durable what was put."""

    def drop(self) -> None:
        """Forget what is not durable."""


class Loose:
    """Each picture in a file of its own, with its thumbnail beside; the decoding processes write both."""

    task: Task = staticmethod(decode.store)
    reuses: tuple[str, ...] = ()
    settled = True

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
        self._name, self._count = "", 0
        self._folder.mkdir(parents=True, exist_ok=True)
        _sweep(self._folder)

    @property
    def settled(self) -> bool:
        return self._tar is None

    def put(self, picture: Picture, stored: decode.Stored) -> str:
        content = picture.content()
        tar = self._open()
        ending = PurePosixPath(stored.path).suffix[1:]
        about = tarfile.TarInfo(f"{picture.sha}.{ending}")
        about.size = len(content)
        begin = tar.offset + HEADER
        tar.addfile(about, BytesIO(content))
        self._count += 1
        path = Part(f"{PACKS}/{self._name}", False, begin, about.size).path(ending)
        if tar.offset >= self._size or self._count >= PACK_FILES:
            self.finish()
        return path

    def finish(self) -> None:
        if self._tar is None:
            return
        self._tar.close()
        with self._hidden.open("rb") as written:
            os.fsync(written.fileno())
        self._hidden.rename(self._folder / self._name)
        files.sync_folder(self._folder)
        self._tar = None

    def drop(self) -> None:
        if self._tar is not None:
            self._tar.close()
            self._hidden.unlink(missing_ok=True)
            self._tar = None

    @property
    def _hidden(self) -> Path:
        return self._folder / f".{self._name}.partial"

    def _open(self) -> tarfile.TarFile:
        if self._tar is None:
            self._name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.tar"
            self._count = 0
            self._tar = tarfile.open(self._hidden, "x", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - finish, drop
        return self._tar


class InPlace:
    """Pictures stay in the tar and Parquet files they lie in; the workspace notes where these are."""

    task: Task = staticmethod(decode.look)
    reuses: tuple[str, ...] = ("media/", f"{PACKS}/")
    settled = True

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


def keeper_of(workspace: Path, source: Path | str, store: Store, *, packed: bool, in_place: bool) -> Keeper:
    """The keeper that was asked for. Raises BadInput for both at once, or where it cannot be."""
    if packed and in_place:
        raise BadInput("packed and in place: one of the two expected. In place leaves the pictures where they lie.")
    if in_place and isinstance(source, str) and is_remote(source):
        raise BadInput("in place: files of this machine expected, got an address. Say --packed instead.")
    if in_place:
        return InPlace(workspace, store)
    return Packed(workspace, PACK_BYTES) if packed else Loose()


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


def _sweep(folder: Path) -> None:
    """Take away what a killed import began."""
    for left in folder.glob(".*.partial"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > LEFT_S:
                left.unlink()

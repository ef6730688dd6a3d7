"""Places pictures come from: a folder, a zip, a tar. Read in place; nothing is unpacked, no link is followed out.

Every store gives `names` (files in a stable order), `faults` (what it refuses, and why) and `read`.
"""

import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Protocol, cast

from db.errors import BadInput

MAX_RATIO = 200  # an archive may unpack to this many times its own size ...
FREE_BYTES = 1024**3  # ... once it is past this much
ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")


class EntryFault(Exception):
    """Why one file of a store cannot be read, in one sentence."""


@dataclass(frozen=True)
class Place:
    """Where in a big file a picture lies: offset and length in bytes, or row group and row where it has a `column`."""

    file: Path
    first: int
    second: int
    column: str = ""


class Store(Protocol):
    """names: relative POSIX paths. faults: (name, reason)."""

    names: list[str]
    faults: list[tuple[str, str]]

    def read(self, name: str, limit: int) -> bytes:
        """Up to limit + 1 bytes of a file, so that the caller sees when it is too large. Raises EntryFault."""

    def close(self) -> None: ...


def open_store(source: Path) -> Store:
    """The store behind a folder or archive. Raises BadInput."""
    if source.is_dir():
        return FolderStore(source)
    try:
        if zipfile.is_zipfile(source):
            return ZipStore(source)
        if tarfile.is_tarfile(source):
            return TarStore(source)
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, zlib.error, NotImplementedError) as error:
        raise BadInput(f"the archive '{source.name}' is damaged ({error}). Download or pack it again.") from error
    raise BadInput(f"'{source.name}' is neither a folder, a zip or tar archive, nor a CSV, JSONL or Parquet manifest.")


def tidy(name: str) -> str | None:
    """The name without '.' and 'a/..' steps; None if it leads out of its store."""
    if name.startswith(("/", "\\")) or name[1:3] in (":\\", ":/") or "\x00" in name:
        return None
    parts: list[str] = []
    for part in PurePosixPath(name).parts:
        if part == ".." and not parts:
            return None
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts) or None


class FolderStore:
    """Files below one folder. Links are read only where they stay inside it; hidden files are left alone."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.faults: list[tuple[str, str]] = []
        self.names = sorted(self._walk())

    def _walk(self) -> Iterable[str]:
        for folder, folders, files in os.walk(self._root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in files:
                if not name.startswith("."):
                    yield (Path(folder) / name).relative_to(self._root).as_posix()

    def read(self, name: str, limit: int) -> bytes:
        try:
            with self.place(name).open("rb") as file:
                return file.read(limit + 1)
        except OSError as error:
            raise EntryFault(f"the file cannot be read ({error.strerror})") from error

    def place(self, name: str) -> Path:
        """Where a file lies, for what must be read piece by piece. Raises EntryFault."""
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise EntryFault("it is a link that leads out of the folder")
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise EntryFault("it is not a regular file")
        except FileNotFoundError:
            raise EntryFault("there is no such file") from None
        except OSError as error:
            raise EntryFault(f"the file cannot be read ({error.strerror})") from error
        return path

    def close(self) -> None: ...


class ZipStore:
    """Files of a zip archive."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        self.faults: list[tuple[str, str]] = []
        self._infos: dict[str, zipfile.ZipInfo] = {}
        unpacked = 0
        for info in self._zip.infolist():
            unpacked += info.file_size
            _refuse_bomb(unpacked, path)
            self._list(info)
        self.names = list(self._infos)

    def _list(self, info: zipfile.ZipInfo) -> None:
        if info.is_dir() or _is_clutter(info.filename):
            return
        name = tidy(info.filename)
        if name is None or name != info.filename:
            self.faults.append((info.filename, "its name leads out of the archive"))
        elif stat.S_ISLNK(info.external_attr >> 16):
            self.faults.append((name, "it is a link, and links are not followed"))
        else:
            self._infos[name] = info

    def read(self, name: str, limit: int) -> bytes:
        if name not in self._infos:
            raise EntryFault("there is no such file in the archive")
        try:
            with self._zip.open(self._infos[name]) as file:
                return file.read(limit + 1)
        except RuntimeError as error:  # zipfile's answer to a password
            raise EntryFault("it is locked with a password") from error
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError) as error:
            raise EntryFault(f"it is damaged inside the archive ({error})"[:200]) from error

    def close(self) -> None:
        self._zip.close()


class TarStore:
    """Files of a tar archive, compressed or not, read in the archive's own order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tar = tarfile.open(path)  # noqa: SIM115 - closed by close()
        self.faults: list[tuple[str, str]] = []
        self._members: dict[str, tarfile.TarInfo] = {}
        unpacked = 0
        for member in self._tar:
            unpacked += max(member.size, 0)
            _refuse_bomb(unpacked, path)
            self._list(member)
        self.names = list(self._members)

    def _list(self, member: tarfile.TarInfo) -> None:
        if member.isdir() or _is_clutter(member.name):
            return
        name = tidy(member.name)
        if name is None:
            self.faults.append((member.name, "its name leads out of the archive"))
        elif not member.isreg():
            self.faults.append((member.name, "it is a link or a device, and only files are read"))
        else:
            self._members[name] = member

    def read(self, name: str, limit: int) -> bytes:
        if name not in self._members:
            raise EntryFault("there is no such file in the archive")
        try:
            file = self._tar.extractfile(self._members[name])
            if file is None:
                raise EntryFault("it is not a file")
            with file:
                return file.read(limit + 1)
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise EntryFault(f"it is damaged inside the archive ({error})"[:200]) from error

    def within(self, name: str) -> Place:
        """Where the file's bytes lie in the archive. Raises EntryFault where the archive is compressed."""
        member = self._members[name]
        if member.issparse() or not isinstance(self._tar.fileobj, BufferedReader):
            raise EntryFault("it lies compressed in its archive, where it cannot be left")
        return Place(self._path, member.offset_data, member.size)

    def close(self) -> None:
        self._tar.close()


class ShardStore:
    """Several tar archives of one folder as one store; files are named SHARD/NAME. One archive is open at a time."""

    def __init__(self, folder: FolderStore, shards: Iterable[str]) -> None:
        self._folder, self._open = folder, ("", cast(TarStore, None))
        self.faults: list[tuple[str, str]] = list(folder.faults)
        self.names: list[str] = []
        for shard in shards:
            tar = self._shard(shard)
            self.names += [f"{shard}/{name}" for name in tar.names]
            self.faults += [(f"{shard}/{name}", why) for name, why in tar.faults]

    def read(self, name: str, limit: int) -> bytes:
        shard, slash, inner = name.rpartition(".tar/")
        if not slash:
            raise EntryFault("there is no such file in the archives")
        return self._shard(f"{shard}.tar").read(inner, limit)

    def within(self, name: str) -> Place:
        """Where the file's bytes lie, see `TarStore.within`."""
        shard, _, inner = name.rpartition(".tar/")
        return self._shard(f"{shard}.tar").within(inner)

    def _shard(self, name: str) -> TarStore:
        if self._open[0] != name:
            self.close()
            opened = open_store(self._folder.place(name))
            if not isinstance(opened, TarStore):
                opened.close()
                raise BadInput(f"'{name}' is no tar archive. Take it out of the folder.")
            self._open = (name, opened)
        return self._open[1]

    def close(self) -> None:
        if self._open[0]:
            self._open[1].close()
            self._open = ("", cast(TarStore, None))


def _is_clutter(name: str) -> bool:
    """Hidden files and what macOS adds."""
    return any(part.startswith((".", "__MACOSX")) and part not in (".", "..") for part in PurePosixPath(name).parts)


def _refuse_bomb(unpacked: int, path: Path) -> None:
    if unpacked > max(FREE_BYTES, MAX_RATIO * path.stat().st_size):
        raise BadInput(f"the archive '{path.name}' unpacks to over {MAX_RATIO} times its size. Import it as a folder.")

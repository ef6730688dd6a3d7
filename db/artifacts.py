"""The artifact store: checkpoints and snapshots as folders that are either whole and verified, or not there.

A folder is written beside its place, every file fsynced, its SHA-256 manifest last; then it is renamed, and the parent
is fsynced. A store elsewhere (s3://, memory://, anything fsspec knows) gets the manifest last: without one, nothing is
there. Nothing is unpickled here.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.errors import BadInput, Broken, Conflict, NotFound

MANIFEST = "manifest.json"
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}")
_UNFINISHED = ".unfinished-"

Content = bytes | Callable[[Path], None]


@dataclass(frozen=True)
class Manifest:
    """What an artifact holds. files: SHA-256 and size in bytes of each. checksum: SHA-256 of the manifest itself."""

    name: str
    files: Mapping[str, tuple[str, int]]

    def to_bytes(self) -> bytes:
        """The one spelling that is stored; any other is damage."""
        files = {name: {"sha256": sha, "size": size} for name, (sha, size) in sorted(self.files.items())}
        return json.dumps({"name": self.name, "files": files}, sort_keys=True, indent=1).encode()

    @property
    def checksum(self) -> str:
        """Identity of the whole artifact."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


class ArtifactStore:
    """Artifacts below one root: a local folder, or a URL that fsspec knows. cache: where remote ones are unpacked."""

    def __init__(self, root: str | Path, *, cache: Path | None = None) -> None:
        self.fs, path = fsspec.core.url_to_fs(str(root))
        self.root: str = str(path)
        self.local = isinstance(self.fs, LocalFileSystem)
        self._home = Path(self.root) if self.local else (cache or Path(tempfile.gettempdir()) / "pairwright-artifacts")
        with _explained():
            self._home.mkdir(parents=True, exist_ok=True)

    def save(self, name: str, files: Mapping[str, Content]) -> Manifest:
        """Store an artifact under a new name; a file is bytes, or a function that writes to the path it gets.

        Raises: BadInput for a name, Conflict if it exists with other content, Broken if the disk is full.
        """
        target = self._place(name)
        with _explained(), self._unfinished() as folder:
            manifest = _fill(folder, name, files)
            if self.exists(name) or (self.local and not _rename(folder, target)):
                return self._same(manifest)
            if not self.local:
                self._upload(folder, manifest)
        return manifest

    def open(self, name: str) -> Path:
        """The folder of an artifact, every file checked against the manifest. Raises NotFound, or Broken if damaged."""
        folder = self._place(name)
        with _explained():
            if not self.exists(name):
                raise NotFound(f"no artifact named '{name}'. It was removed, or never finished; train again.")
            if not self.local:
                self._download(name, folder)
            verify(folder, name)
        return folder

    def manifest(self, name: str) -> Manifest:
        """What an artifact holds, without checking the files. Raises NotFound, or Broken if the manifest is damaged."""
        self._place(name)
        if not self.exists(name):
            raise NotFound(f"no artifact named '{name}'. It was removed, or never finished; train again.")
        with _explained():
            return _parse(self.fs.cat_file(f"{self.root}/{name}/{MANIFEST}"), name)

    def exists(self, name: str) -> bool:
        """Whether an artifact was stored completely."""
        self._place(name)
        return bool(self.fs.exists(f"{self.root}/{name}/{MANIFEST}"))

    def names(self, folder: str) -> list[str]:
        """What was stored completely right under a folder of names, in the order of the alphabet."""
        self._place(folder)
        with _explained():
            try:
                found = self.fs.ls(f"{self.root}/{folder}", detail=False)
            except FileNotFoundError:
                return []
        inside = sorted(f"{folder}/{str(path).rstrip('/').rpartition('/')[2]}" for path in found)
        return [name for name in inside if self.exists(name)]

    def remove(self, name: str) -> None:
        """Forget an artifact; nothing happens if there is none."""
        place = self._place(name)
        with _explained():
            if self.fs.exists(f"{self.root}/{name}/{MANIFEST}"):
                self.fs.rm(f"{self.root}/{name}/{MANIFEST}")  # first: from now on it is not there
            if self.fs.exists(f"{self.root}/{name}"):
                self.fs.rm(f"{self.root}/{name}", recursive=True)
            shutil.rmtree(place, ignore_errors=True)

    def sweep(self, older_than_s: float = 3600) -> int:
        """Remove what killed processes left half-written, once it is old enough to be nobody's; returns how many."""
        gone = 0
        for folder in self._home.glob(f"{_UNFINISHED}*"):
            if time.time() - folder.stat().st_mtime >= older_than_s:
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
        return gone

    def _place(self, name: str) -> Path:
        parts = name.split("/") if isinstance(name, str) else []
        if not parts or not all(_PART.fullmatch(part) for part in parts):
            raise BadInput(f"an artifact's name must be letters, digits, '.', '_', '-' and '/', got {name!r:.120}.")
        return self._home.joinpath(*parts)

    @contextmanager
    def _unfinished(self) -> Iterator[Path]:
        folder = self._home / f"{_UNFINISHED}{uuid4().hex}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _same(self, manifest: Manifest) -> Manifest:
        if self.manifest(manifest.name).files != manifest.files:
            raise Conflict(f"an artifact named '{manifest.name}' exists with other content. Save under a new name.")
        self.open(manifest.name)
        return manifest

    def _upload(self, folder: Path, manifest: Manifest) -> None:
        for file in [*manifest.files, MANIFEST]:  # the manifest last: it makes the rest count
            self.fs.makedirs(f"{self.root}/{manifest.name}", exist_ok=True)
            self.fs.put_file(str(folder / file), f"{self.root}/{manifest.name}/{file}")

    def _download(self, name: str, place: Path) -> None:
        stored = self.manifest(name)
        if place.exists() and _is_whole(place, name, stored):
            return
        shutil.rmtree(place, ignore_errors=True)
        with self._unfinished() as folder:
            for file in [*stored.files, MANIFEST]:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                self.fs.get_file(f"{self.root}/{name}/{file}", str(folder / file))
            _rename(folder, place)


def verify(folder: Path, name: str) -> Manifest:
    """Check every byte of an artifact's folder. Raises Broken naming the first file that differs."""
    manifest = _parse((folder / MANIFEST).read_bytes(), name)
    for file, (sha, size) in manifest.files.items():
        path = folder / file
        if not path.is_file() or path.stat().st_size != size or _sha256(path) != sha:
            raise Broken(f"'{file}' of artifact '{name}' is damaged. Remove the artifact; it is rebuilt from the log.")
    return manifest


def _is_whole(folder: Path, name: str, expected: Manifest) -> bool:
    try:
        return verify(folder, name) == expected
    except (Broken, OSError):
        return False


def _parse(stored: bytes, name: str) -> Manifest:
    try:
        files = {file: (str(said["sha256"]), int(said["size"])) for file, said in json.loads(stored)["files"].items()}
        manifest = Manifest(name, files)
        if manifest.to_bytes() == stored and all(_is_inside(file) for file in files):
            return manifest
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise Broken(f"the manifest of artifact '{name}' is damaged. Remove the artifact; it is rebuilt from the log.")


def _is_inside(file: str) -> bool:
    return file != MANIFEST and all(_PART.fullmatch(part) for part in file.split("/"))


def _fill(folder: Path, name: str, files: Mapping[str, Content]) -> Manifest:
    sums: dict[str, tuple[str, int]] = {}
    for file, content in files.items():
        if not _is_inside(file):
            raise BadInput(f"a file's name in an artifact must be letters, digits, '.', '_', '-', got {file!r:.120}.")
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)
        sums[file] = (_sha256(path), path.stat().st_size)
    manifest = Manifest(name, sums)
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    for path in [*(path for path in folder.rglob("*")), folder]:
        sync(path)
    return manifest


def _rename(folder: Path, target: Path) -> bool:
    """Put a finished folder in its place, whole; False if another process put the same artifact there first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        if (target / MANIFEST).exists():
            return False
        shutil.rmtree(target)  # without a manifest: left by a removal that was cut short
        folder.rename(target)
    sync(target.parent)
    return True


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk of the artifacts is full" if full else f"the artifact store failed: {error.strerror or error}"
        remedy = "free some space and try again" if full else "check the folder or address, then try again"
        raise Broken(f"{what}. Nothing was stored; {remedy}.") from error

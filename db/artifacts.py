"""The artifact store: checkpoints and snapshots as folders that are either whole and verified, or not there.

A folder is written beside its place, every file fsynced, its SHA-256 manifest last; then it is renamed, and the parent
is fsynced. A store elsewhere (s3://, memory://, anything fsspec knows) gets the manifest last: without one, nothing is
there. Nothing is unpickled here.
"""

import errno
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.errors import BadInput, Broken, Conflict, NotFound, PairwrightError
from db.manifests import MANIFEST, PART, Content, Manifest, fill, is_whole, parse, sync, verify

__all__ = ["MANIFEST", "ArtifactStore", "Manifest", "sync", "verify"]

_UNFINISHED = ".unfinished-"


class ArtifactStore:
    """Artifacts below one root: a local folder, or a URL that fsspec knows. cache: where remote ones are unpacked."""

    def __init__(self, root: str | Path, *, cache: Path | None = None) -> None:
        self.address = str(root)
        self.fs, self.root = _opened(self.address)
        self.local = isinstance(self.fs, LocalFileSystem)
        self._home = Path(self.root) if self.local else (cache or Path(tempfile.gettempdir()) / "pairwright-artifacts")
        with self._explained():
            self._home.mkdir(parents=True, exist_ok=True)

    def __eq__(self, other: object) -> bool:
        """Two of one address are the same store."""
        return isinstance(other, ArtifactStore) and (self.address, self._home) == (other.address, other._home)

    def __hash__(self) -> int:
        return hash((self.address, self._home))

    def save(self, name: str, files: Mapping[str, Content]) -> Manifest:
        """Store an artifact under a new name; a file is bytes, or a function that writes to the path it gets.

        Raises: BadInput for a name, Conflict if it exists with other content, Broken if the disk is full.
        """
        target = self._place(name)
        with self._explained(), self._unfinished() as folder:
            manifest = fill(folder, name, files)
            if self.exists(name) or (self.local and not _rename(folder, target)):
                return self._same(manifest)
            if not self.local:
                self._upload(folder, manifest)
        return manifest

    def replace(self, name: str, files: Mapping[str, Content]) -> Manifest:
        """Store a cache in the place of what was there; of several processes that do so at once the last one's stays.

        Raises: BadInput for a name, Broken if the disk is full.
        """
        target = self._place(name)
        with self._explained(), self._unfinished() as folder:
            manifest = fill(folder, name, files)
            if self.local:
                _set_aside(target, self._home)
                while not _rename(folder, target):
                    _set_aside(target, self._home)
            else:
                self._forget(name)
                self._upload(folder, manifest)
        return manifest

    def open(self, name: str) -> Path:
        """The folder of an artifact, every file checked against the manifest. Raises NotFound, or Broken if damaged."""
        folder = self._place(name)
        with self._explained():
            if not self.exists(name):
                raise NotFound(f"no artifact named '{name}'. It was removed, or never finished; train again.")
            if not self.local:
                self._download(name, folder)
            verify(folder, name)
        return folder

    def manifest(self, name: str) -> Manifest:
        """What an artifact holds, without checking the files. Raises NotFound, or Broken if the manifest is damaged."""
        self._place(name)
        with self._explained():
            try:
                return parse(self.fs.cat_file(f"{self.root}/{name}/{MANIFEST}"), name)
            except (FileNotFoundError, NotADirectoryError):
                raise NotFound(f"no artifact named '{name}'. It was removed, or never finished; train again.") from None

    def exists(self, name: str) -> bool:
        """Whether an artifact was stored completely."""
        self._place(name)
        with self._explained():
            return bool(self.fs.exists(f"{self.root}/{name}/{MANIFEST}"))

    def under(self, folder: str) -> list[str]:
        """What was stored completely right under a folder of names, in the order of the alphabet."""
        self._place(folder)
        with self._explained():
            try:
                found = self.fs.ls(f"{self.root}/{folder}", detail=False)
            except FileNotFoundError:
                return []
        inside = sorted(f"{folder}/{str(path).rstrip('/').rpartition('/')[2]}" for path in found)
        return [name for name in inside if self.exists(name)]

    def remove(self, name: str) -> None:
        """Forget an artifact; nothing happens if there is none."""
        place = self._place(name)
        with self._explained():
            _set_aside(place, self._home)
            if not self.local:
                self._forget(name)

    def _forget(self, name: str) -> None:
        for path in (
            f"{self.root}/{name}/{MANIFEST}",
            f"{self.root}/{name}",
        ):  # the manifest first: now it is not there
            with suppress(FileNotFoundError):
                self.fs.rm(path, recursive=True)

    def sweep(self, older_than_s: float = 3600) -> int:
        """Remove what killed processes left half-written, once it is old enough to be nobody's; returns how many.

        Of a store elsewhere, copies of what is no longer there, too.
        """
        gone = 0 if self.local else self._sweep_copies()
        for folder in self._home.glob(f"{_UNFINISHED}*"):
            if time.time() - folder.stat().st_mtime >= older_than_s:
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
        return gone

    def names(self) -> list[str]:
        """Every artifact that was stored completely, in order."""
        with self._explained():
            found = self.fs.find(self.root) if self.fs.exists(self.root) else []
        below = (str(path).removeprefix(f"{self.root}/") for path in found if str(path).startswith(f"{self.root}/"))
        inside = (PurePosixPath(path) for path in below if not path.startswith("."))
        return sorted(str(path.parent) for path in inside if path.name == MANIFEST)

    def ages(self, folder: str) -> dict[str, float]:
        """Seconds since each artifact directly below a folder came in, finished or not."""
        self._place(folder)
        if self.local:
            there = [path for path in (self._home / folder).glob("*") if path.is_dir()]
            return {f"{folder}/{path.name}": time.time() - path.stat().st_mtime for path in there}
        with self._explained():
            root, ages = f"{self.root}/{folder}", dict[str, float]()
            for path, about in (self.fs.find(root, detail=True) if self.fs.exists(root) else {}).items():
                name = f"{folder}/{path.removeprefix(f'{root}/').split('/')[0]}"
                at = about.get("LastModified") or about.get("last_modified") or self.fs.modified(path)
                ages[name] = min(ages.get(name, inf), time.time() - at.timestamp())
        return ages

    def mirror(self) -> None:
        """Have a verified copy of every artifact in this workspace; of a local store, nothing."""
        for name in [] if self.local else self.names():
            with suppress(NotFound):  # removed meanwhile
                self.open(name)

    def _sweep_copies(self) -> int:
        copies = [path.parent for path in self._home.rglob(MANIFEST)]
        names = {path: path.relative_to(self._home).as_posix() for path in copies}
        kept = set(self.names())
        gone = [path for path, name in names.items() if not name.startswith(".") and name not in kept]
        for path in gone:
            shutil.rmtree(path, ignore_errors=True)
        return len(gone)

    def _place(self, name: str) -> Path:
        parts = name.split("/") if isinstance(name, str) else []
        if not parts or not all(PART.fullmatch(part) for part in parts):
            raise BadInput(f"an artifact's name must be letters, digits, '.', '_', '-' and '/', got {name!r:.120}.")
        return self._home.joinpath(*parts)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the disk or of the store leave the block as one sentence."""
        try:
            yield
        except PairwrightError:
            raise
        except Exception as error:  # each store has errors of its own
            if self.local and not isinstance(error, OSError):
                raise
            raise Broken(_sentence(error, "" if self.local else self.address)) from error

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
            self.fs.put_file(str(folder / file), f"{self.root}/{manifest.name}/{file}")

    def _download(self, name: str, place: Path) -> None:
        stored = self.manifest(name)
        if place.exists() and is_whole(place, name, stored):
            return
        shutil.rmtree(place, ignore_errors=True)
        with self._unfinished() as folder:
            for file in [*stored.files, MANIFEST]:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                self.fs.get_file(f"{self.root}/{name}/{file}", str(folder / file))
            _rename(folder, place)


def _rename(folder: Path, target: Path) -> bool:
    """Put a finished folder in its place, whole; False if another process put the same artifact there first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            folder.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            if (target / MANIFEST).exists():
                return False
            _set_aside(target, folder.parent)  # without a manifest: left by a removal that was cut short
        else:
            sync(target.parent)
            return True


def _set_aside(place: Path, home: Path) -> None:
    """Take a folder out of its place in one step, then delete it."""
    aside = home / f"{_UNFINISHED}{uuid4().hex}"
    with suppress(FileNotFoundError, NotADirectoryError):
        place.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _opened(address: str) -> tuple[Any, str]:
    """The file system behind an address, and the path in it. Listings are not kept: other processes store, too."""
    try:
        files, path = fsspec.core.url_to_fs(address, use_listings_cache=False)
    except ImportError as error:
        scheme = address.partition("://")[0]
        raise Broken(
            f"models are to be at {address}, and {scheme}:// needs a package that is missing ({error}). "
            "For S3: pip install 'pairwright[cluster]'."
        ) from error
    except ValueError as error:
        raise BadInput(
            f"models are kept in a folder or at s3://bucket/folder, got '{address:.120}' ({error})."
        ) from error
    return files, str(path).rstrip("/")


def _sentence(error: Exception, address: str) -> str:
    """What to say of a failure. address: of a store elsewhere."""
    number = getattr(error, "errno", None)
    why = str(getattr(error, "strerror", None) or error or type(error).__name__).strip().rstrip(".")
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "the disk of the artifacts is full. Nothing was stored; free some space and try again."
    if not address:
        return f"the artifact store failed: {why}. Nothing was stored; check the folder or address, then try again."
    return (
        f"the artifact store {address} failed: {why}. Nothing was stored; check the bucket's name, its credentials and "
        "the network, then try again."
    )

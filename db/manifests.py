"""What an artifact holds: every file with its SHA-256, written last, checked whenever the artifact is opened."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from db.errors import BadInput, Broken

MANIFEST = "manifest.json"
PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,100}")

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


def verify(folder: Path, name: str) -> Manifest:
    """Check every byte of an artifact's folder. Raises Broken naming the first file that differs."""
    manifest = parse((folder / MANIFEST).read_bytes(), name)
    for file, (sha, size) in manifest.files.items():
        path = folder / file
        if not path.is_file() or path.stat().st_size != size or _sha256(path) != sha:
            raise Broken(f"'{file}' of artifact '{name}' is damaged. Remove the artifact; it is rebuilt from the log.")
    return manifest


def is_whole(folder: Path, name: str, expected: Manifest) -> bool:
    """Whether a folder holds just this artifact, every byte of it."""
    try:
        return verify(folder, name) == expected
    except (Broken, OSError):
        return False


def parse(stored: bytes, name: str) -> Manifest:
    """A stored manifest. Raises Broken unless it is spelt as we spell it and stays inside its folder."""
    try:
        files = {file: (str(said["sha256"]), int(said["size"])) for file, said in json.loads(stored)["files"].items()}
        manifest = Manifest(name, files)
        if manifest.to_bytes() == stored and all(is_inside(file) for file in files):
            return manifest
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise Broken(f"the manifest of artifact '{name}' is damaged. Remove the artifact; it is rebuilt from the log.")


def is_inside(file: str) -> bool:
    """Whether a file's name is a plain one that cannot leave its artifact."""
    return file != MANIFEST and all(PART.fullmatch(part) for part in file.split("/"))


def fill(folder: Path, name: str, files: Mapping[str, Content]) -> Manifest:
    """Write every file and then the manifest, all on the disk itself. Raises BadInput for a file's name."""
    sums: dict[str, tuple[str, int]] = {}
    for file, content in files.items():
        if not is_inside(file):
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

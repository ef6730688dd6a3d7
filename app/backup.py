"""Backups: the database, pictures, models and features of an installation in one folder, every file with its SHA-256.

    database (a consistent state, while people answer) -> media, artifacts, features -> manifest.json, last -> renamed

Files are only ever added to those folders before the database tells of them, so a database copied first never names
a file that is not there. A backup is either whole or not there.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from app.settings import Settings
from db import copies
from db.engine import Database
from db.errors import BadInput, Broken, NotFound, Refused

KIND, VERIFY = "backup", "backup_verify"
PARTS = (
    "media",
    "packs",
    "linked",
    "artifacts",
    "features",
)  # thumbnails, uploads and unfinished training can be made again
MANIFEST, FORMAT = "manifest.json", 1
NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
_UNFINISHED = ".unfinished-"
BLOCK = 1 << 20
TRIES = 3
Told = Callable[[int, int], object]


@dataclass(frozen=True)
class Backup:
    """One backup. answers: answers and undos in its log, or a few more; files, size: how many and how many bytes."""

    name: str
    made_at: datetime
    database: str
    answers: int
    files: int
    size: int


def create(
    settings: Settings, database: Database, *, into: Path | None = None, keep: int = 0, told: Told = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Backup:  # fmt: skip
    """Make a backup while the app runs, then forget all but the newest `keep` (0: forget none).

    Raises: Broken when the disk is full, Refused where PostgreSQL's pg_dump is missing.
    """
    home = into or settings.backups
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(home)
        folder = Path(mkdtemp(prefix=_UNFINISHED, dir=home))
        try:
            manifest = _filled(settings, database, folder, told, stopped)
            if manifest is None:
                raise Refused("the backup was stopped; nothing of it is kept.")
            made = _finish(home, folder, manifest)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise Broken(f"the backup could not be written to {home} ({error.strerror}). Nothing of it is kept.") from error
    if keep:
        prune(home, keep)
    return made


def _filled(
    settings: Settings, database: Database, folder: Path, told: Told, stopped: Callable[[], bool]
) -> dict[str, Any] | None:
    """Copy everything; again when a model was thrown away meanwhile. None when stopped."""
    for _ in range(TRIES):
        for there in list(folder.iterdir()):
            shutil.rmtree(there) if there.is_dir() else there.unlink()
        answers = copies.events(database)  # at least so many: people go on answering
        copied = copies.copy(database, folder)
        settings.store().mirror()  # models in a bucket, too
        files, whole = {copied.name: _hashed(copied)}, True
        paths = list(_paths(settings.folder))
        for number, path in enumerate(paths):
            told(number, len(paths))
            if stopped():
                return None
            try:
                files[path.as_posix()] = _copied(settings.folder / path, folder / path)
            except FileNotFoundError:
                whole = False
        if whole:
            break
    made = datetime.now(UTC).replace(microsecond=0).isoformat()
    return {"format": FORMAT, "made_at": made, "database": copied.name, "answers": answers, "files": files}


def _paths(workspace: Path) -> Iterator[Path]:
    """What to keep, below the workspace, in order: a manifest comes before the shards it speaks of."""
    for part in PARTS:
        for path in sorted((workspace / part).rglob("*")):
            below = path.relative_to(workspace)
            if path.is_file() and not path.is_symlink() and not any(one.startswith(".") for one in below.parts):
                yield below


def _copied(source: Path, target: Path) -> dict[str, Any]:
    """Copy a file to the disk itself; its SHA-256 and size, of the bytes that were written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as read, target.open("wb") as write:
        while block := read.read(BLOCK):
            digest.update(block)
            write.write(block)
            size += len(block)
        write.flush()
        os.fsync(write.fileno())
    return {"sha256": digest.hexdigest(), "size": size}


def _hashed(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": path.stat().st_size}


def _finish(home: Path, folder: Path, manifest: dict[str, Any]) -> Backup:
    """The manifest last, then the name; each on the disk before the next."""
    with (folder / MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(manifest, file, sort_keys=True, indent=1)
        file.flush()
        os.fsync(file.fileno())
    _sync(folder)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    name = next(one for one in (stamp, *(f"{stamp}-{n}" for n in range(2, 1000))) if not (home / one).exists())
    folder.rename(home / name)
    _sync(home)
    return _described(name, manifest)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def backups(home: Path) -> list[Backup]:
    """The backups in a folder, newest first; one whose manifest cannot be read is left out."""
    found = []
    for path in sorted(home.iterdir(), reverse=True) if home.is_dir() else []:
        if NAME.fullmatch(path.name):
            try:
                found.append(_described(path.name, manifest_of(path)))
            except Broken:
                continue
    return found


def manifest_of(backup: Path) -> dict[str, Any]:
    """What a backup says it holds. Raises NotFound, or Broken if that cannot be read."""
    if not (backup / MANIFEST).is_file():
        raise NotFound(f"no backup at {backup}. `pairwright backup list` names those there are.")
    try:
        found: dict[str, Any] = json.loads((backup / MANIFEST).read_bytes())
        _described(backup.name, found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Broken(f"the manifest of {backup.name} is damaged. Use another backup.") from error
    if found["format"] != FORMAT:
        raise Refused(f"{backup.name} has format {found['format']}, this Pairwright reads {FORMAT}. Use a newer one.")
    return found


def _described(name: str, manifest: dict[str, Any]) -> Backup:
    files, made = manifest["files"], datetime.fromisoformat(manifest["made_at"])
    size = sum(int(one["size"]) for one in files.values())
    return Backup(name, made, str(manifest["database"]), int(manifest["answers"]), len(files), size)


def verify(backup: Path, told: Told = lambda *_: None, stopped: Callable[[], bool] = lambda: False) -> Backup:
    """Read every file of a backup and its database. Raises Broken that names what is damaged or missing."""
    manifest = manifest_of(backup)
    damaged = []
    for number, (name, said) in enumerate(manifest["files"].items()):
        told(number, len(manifest["files"]))
        if stopped():
            raise Refused("the check was stopped.")
        path = inside(backup, name)
        if not path.is_file() or _hashed(path) != said:
            damaged.append(name)
    if damaged:
        more = f" and {len(damaged) - 3:,} more" if len(damaged) > 3 else ""
        raise Broken(f"{backup.name} is damaged: {', '.join(damaged[:3])}{more}. Use another backup.")
    copies.check(inside(backup, manifest["database"]))
    return _described(backup.name, manifest)


def inside(backup: Path, name: str) -> Path:
    """The path of a file that a manifest names. Raises Broken if it leads out of the backup."""
    path = (backup / name).resolve()
    if not path.is_relative_to(backup.resolve()):
        raise Broken(f"the manifest of {backup.name} names '{name}', which is outside of it. Do not use it.")
    return path


def restore(backup: Path, settings: Settings, told: Told = lambda *_: None) -> Backup:
    """Make a new workspace from a backup, checked first. The database comes last: without it, nothing is there.

    Raises: Refused if the workspace or the database holds anything, Broken if the backup is damaged.
    """
    from db import jobs

    found = verify(backup)
    if settings.folder.is_dir() and any(settings.folder.iterdir()):
        raise Refused(f"{settings.folder} is not empty. Give a new folder with --workspace; nothing was changed.")
    manifest = manifest_of(backup)
    copies.fits(inside(backup, manifest["database"]), settings.url)
    settings.make_workspace()
    for number, name in enumerate(manifest["files"]):
        told(number, len(manifest["files"]))
        if name != manifest["database"]:
            _copied(inside(backup, name), settings.folder / name)
    copies.put_back(inside(backup, manifest["database"]), settings.url)
    database = settings.open()
    try:
        with database.write() as s:
            for job in jobs.jobs(s):
                if job.kind in (KIND, VERIFY) and job.state == "running":
                    jobs.fail(s, job.id, job.token, "this is the workspace that the backup was restored to.")
    finally:
        database.close()
    return found


def prune(home: Path, keep: int) -> list[str]:
    """Delete all but the newest `keep` backups; their names."""
    if keep < 1:
        raise BadInput(f"keep must be at least 1, got {keep}.")
    gone = [one.name for one in backups(home)[keep:]]
    for name in gone:
        (home / name / MANIFEST).unlink(missing_ok=True)  # first: from now on it is not there
        shutil.rmtree(home / name, ignore_errors=True)
    return gone


def sweep(home: Path, older_than_s: float = 86_400) -> None:
    """Remove what a killed backup left behind a day ago."""
    for path in home.glob(f"{_UNFINISHED}*"):
        if path.stat().st_mtime < datetime.now(UTC).timestamp() - older_than_s:
            shutil.rmtree(path, ignore_errors=True)


def named(settings: Settings, name: str) -> Path:
    """The backup of this name. Raises NotFound for anything that is no name of one."""
    if not NAME.fullmatch(name):
        raise NotFound(f"no backup named '{name}'. `pairwright backup list` names those there are.")
    return settings.backups / name


def located(settings: Settings, which: str) -> Path:
    """The backup of this name, or at this path."""
    return named(settings, which) if NAME.fullmatch(which) else Path(which).expanduser().absolute()

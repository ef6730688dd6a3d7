"""Whole data sets, pictures included, in the format of another tool: one file here is one format.

A file defines one class `DataSet` with `write(title, records, folder)`. Besides what the other tool understands it
keeps `Record.about()` of every picture under `pairwright`; importing the folder gives the same collection again.
"""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from db.errors import BadInput, Broken
from db.nouns import Item
from oracle import plugins
from trainer.originals import original

FAMILY = "app.exporters.datasets"


@dataclass(frozen=True)
class Group:
    """The group of an item under a criterion. probability: that it is in it. answered: an answer says so."""

    number: int
    name: str
    probability: float
    answered: bool


@dataclass(frozen=True)
class Record:
    """One picture on its way out. workspace: where its bytes lie. group: None without a criterion."""

    item: Item
    workspace: Path
    group: Group | None = None

    @cached_property
    def file(self) -> str:
        """A name of its own for the picture: what people call it, and the beginning of its hash."""
        stem = re.sub(r"[^A-Za-z0-9]+", "-", PurePosixPath(self.item.name).stem)[:60].strip("-") or "picture"
        return f"{stem}-{self.item.sha256[:12]}{PurePosixPath(self.item.path).suffix}"

    @property
    def sound(self) -> str | None:
        """The same for its recording, None if it has none."""
        return None if self.item.audio is None else PurePosixPath(self.item.audio).name

    def content(self) -> bytes:
        """The picture's own bytes. Raises Broken if they are gone."""
        return self._read(self.item.path, self.item.sha256)

    def sound_content(self) -> bytes:
        """The recording's."""
        return self._read(self.item.audio or "")

    def _read(self, path: str, sha: str = "") -> bytes:
        try:
            return original(self.workspace, path, sha)
        except OSError as error:
            raise Broken(f"'{path}' of '{self.item.name}' is gone ({error.strerror}). Import it again.") from error

    def about(self, audio: str | None = None) -> dict[str, Any]:
        """All that is known about the item, as JSON. audio: where the data set keeps its recording."""
        item = self.item
        return {
            "name": item.name,
            "sha256": item.sha256,
            "caption": item.caption,
            "taken_at": None if item.taken_at is None else item.taken_at.isoformat(),
            "latitude": item.latitude,
            "longitude": item.longitude,
            "audio": audio,
            "attributes": dict(item.attributes),
            "groups": dict(item.groups),
        }

    def put(self, folder: Path, pictures: str) -> tuple[str, dict[str, Any]]:
        """Write picture and recording below the folder; (the picture's path there, `about`)."""
        path, audio = f"{pictures}/{self.file}", None if self.sound is None else f"audio/{self.sound}"
        write(folder / path, self.content())
        if audio is not None:
            write(folder / audio, self.sound_content())
        return path, self.about(audio)


class DataSet(Protocol):
    """See the module."""

    def write(self, title: str, records: Sequence[Record], folder: Path) -> None: ...


def export_dataset(title: str, records: Sequence[Record], out: Path, format: str) -> int:
    """Write a data set into a new folder, which appears whole or not at all; returns the number of pictures.

    Raises: NotFound for an unknown format, BadInput where the folder holds something, Broken if the disk fails.
    """
    made: DataSet = plugins.load(FAMILY, format)
    with new_folder(out) as folder:
        made.write(title, records, folder)
    return len(records)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out`; renamed to it when the block ends well, removed when it does not."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"'{out}' is there already and not empty. Choose a new folder, or remove it.")
    partial = out.with_name(f".{out.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except OSError as cause:
        why = cause.strerror or cause
        raise Broken(f"'{out}' cannot be written ({why}). Free space or choose another place.") from cause
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write(path: Path, content: bytes) -> None:
    """A file that is on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

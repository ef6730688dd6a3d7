"""Data sets of other tools: one file here is one format, found by its files or named by `--format`.

A file defines one class `Format`: `recognises(store, manifest)` says whether a source is of this format, and
`describe(store, manifest)` lists its pictures with what is known about them. manifest: a file inside the store that the
user named, or None. Data sets that we wrote carry all about a picture under `pairwright`, see `app.importers.exact`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Protocol

from app.importers.exact import Exact
from app.importers.manifests import MAX_BYTES
from app.importers.stores import EntryFault, Store, tidy
from db.errors import BadInput, unknown
from oracle import plugins

FAMILY = "app.importers.formats"
FILES = "folder"  # every file as it is, whatever else lies there


@dataclass(frozen=True)
class Line:
    """One picture. file: where it lies in the store; row: its metadata; exact: all about it, where we wrote it."""

    name: str
    file: str
    row: Mapping[str, Any]
    exact: Exact | None = None


@dataclass
class Described:
    """What a format found. columns: names of the metadata. base: folder that recordings are relative to."""

    store: Store
    lines: list[Line] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    base: str = ""

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(key for line in self.lines for key in line.row))


class Format(Protocol):
    """See the module."""

    def recognises(self, store: Store, manifest: str | None) -> bool: ...

    def describe(self, store: Store, manifest: str | None) -> Described: ...


def names() -> list[str]:
    """Every format, sorted."""
    return sorted([FILES, *plugins.names(FAMILY)])


def describe(store: Store, manifest: str | None, wanted: str | None) -> Described | None:
    """The source as the format asked for, or the one that recognises it; None where it is plain files or a table.

    wanted: a name, or NAME:KEY=VALUE,KEY=VALUE with settings of the format.
    Raises: NotFound for an unknown format, BadInput for a source that is not of it.
    """
    if wanted == FILES:
        return None
    named, _, words = (wanted or "").partition(":")
    if wanted is not None and named.replace("-", "_") not in plugins.names(FAMILY):
        raise unknown("import format", named, names())
    for name in plugins.names(FAMILY) if wanted is None else [named]:
        found: Format = plugins.load(FAMILY, name, **_settings(words))
        if found.recognises(store, manifest):
            return found.describe(store, manifest)
    if wanted is not None:
        raise BadInput(f"the source is not of the format '{wanted}'. Leave --format out to see what it is.")
    return None


def _settings(words: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in words.split(",") if word]
    if any(not equals for _, equals, _ in pairs):
        raise BadInput(f"format: NAME:KEY=VALUE,... expected, got '{words}' after the name.")
    return {key.strip(): value.strip() for key, _, value in pairs}


def read_json(store: Store, name: str) -> Any:
    """The document in a file of the store. Raises BadInput."""
    try:
        content = store.read(name, MAX_BYTES)
        if len(content) > MAX_BYTES:
            raise BadInput(f"'{name}' is larger than {MAX_BYTES // 1024**3} GB. Split it.")
        return json.loads(content.decode("utf-8-sig"))
    except EntryFault as fault:
        raise BadInput(f"cannot read '{name}': {fault}.") from fault
    except (ValueError, RecursionError) as error:
        raise BadInput(f"'{name}' is no JSON ({str(error)[:200]}). Export it again.") from error


def only(store: Store, *wanted: str) -> str | None:
    """The first of these files that the source holds: at its top, or in the one folder that everything lies in."""
    tops = {name.partition("/")[0] for name in store.names}
    top = f"{tops.pop()}/" if len(tops) == 1 else ""
    there = set(store.names)
    return next((name for one in wanted for name in (one, f"{top}{one}") if name in there), None)


def beside(name: str, path: str) -> str | None:
    """The name in the store of a path relative to the folder of `name`; None if it leads out."""
    folder = PurePosixPath(name).parent
    return None if tidy(path) is None and not path.startswith("..") else tidy(str(folder / path))


class Finder:
    """Files of a store by the paths that annotations give, which often begin elsewhere."""

    def __init__(self, store: Store, manifest: str) -> None:
        self._names, self._manifest = set(store.names), manifest
        self._by_end: dict[str, list[str]] = {}
        for name in store.names:
            self._by_end.setdefault(PurePosixPath(name).name, []).append(name)

    def find(self, path: str) -> str | None:
        """The file itself, beside the annotations; else the only one whose path ends like this. None: there is none."""
        near = beside(self._manifest, path)
        if near in self._names:
            return near
        parts = PurePosixPath(path.replace("\\", "/")).parts
        there = self._by_end.get(parts[-1], []) if parts and ".." not in parts else []
        for length in range(len(parts), 0, -1):
            found = [one for one in there if PurePosixPath(one).parts[-length:] == parts[-length:]]
            if len(found) == 1:
                return found[0]
        return None


def plain(row: Mapping[str, Any], without: Sequence[str] = ()) -> dict[str, Any]:
    """The entries of a row that may be attributes: names that are text, and neither our own nor private."""
    left = (*without, "pairwright")
    return {
        key: value for key, value in row.items() if isinstance(key, str) and key not in left and not key.startswith("_")
    }

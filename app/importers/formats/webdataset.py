"""WebDataset: tar files in which `KEY.jpg`, `KEY.json`, `KEY.cls`, `KEY.txt` belong together.

Source: https://github.com/webdataset/webdataset#the-webdataset-format. One tar, or a folder of tars (shards).
"""

import json
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from app.importers.exact import exact
from app.importers.formats import Described, Line, plain
from app.importers.stores import EntryFault, FolderStore, ShardStore, Store, TarStore
from db.errors import BadInput

PICTURES = {"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "ppm"}
TEXTS = {"txt": "caption", "caption": "caption", "cls": "cls", "json": ""}
SOUNDS = {"wav", "flac", "ogg", "mp3", "m4a", "opus"}
MOST = 16 * 1024 * 1024  # bytes of one description


class Format:
    """`KEY.json` becomes attributes, `KEY.cls` the attribute cls, `KEY.txt` the attribute caption."""

    def recognises(self, store: Store, manifest: str | None) -> bool:
        """A tar in which every picture has a description, or a folder of nothing but tars that begins with one."""
        if manifest is not None:
            return False
        if isinstance(store, FolderStore):
            return _all_tars(store) and _first_is_paired(store)
        return isinstance(store, TarStore | ShardStore) and _paired(store.names)

    def describe(self, store: Store, manifest: str | None) -> Described:
        """One line for each key with a picture."""
        if isinstance(store, FolderStore):
            if not _all_tars(store):
                raise BadInput("a WebDataset is a tar or a folder of tars, and nothing else in it. Name the tar.")
            store = ShardStore(store, store.names)
        described = Described(store, faults=list(store.faults))
        for key, files in _keys(store.names).items():
            picture = next((name for ending, name in files.items() if ending in PICTURES), None)
            if picture is not None:
                described.lines.append(_line(store, key, picture, files))
        return described


def _first_is_paired(folder: FolderStore) -> bool:
    first = ShardStore(folder, folder.names[:1])
    first.close()
    return _paired(first.names)


def _all_tars(store: FolderStore) -> bool:
    return bool(store.names) and all(name.endswith(".tar") for name in store.names)


def _paired(names: list[str]) -> bool:
    """Every picture has something to say beside it."""
    keys = [set(files) for files in _keys(names).values() if set(files) & PICTURES]
    return bool(keys) and all(endings & set(TEXTS) for endings in keys)


def _keys(names: list[str]) -> dict[str, dict[str, str]]:
    """Files by key and ending; the key is all before the first dot of the file's name."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        path = PurePosixPath(name)
        stem, _, ending = path.name.partition(".")
        found.setdefault(str(path.parent / stem), {})[ending.lower()] = name
    return found


def _line(store: Store, key: str, picture: str, files: dict[str, str]) -> Line:
    row: dict[str, Any] = {}
    known = None
    for ending, column in TEXTS.items():
        text = _text(store, files[ending]) if ending in files else ""
        if ending == "json" and text:
            document = _object(text, files[ending])
            known = exact(document.get("pairwright"), files[ending])
            row |= plain(document)
        elif text:
            row[column] = text
    sound = next((name for ending, name in files.items() if ending in SOUNDS), None)
    row |= {"audio": sound} if sound else {}
    known = known and replace(known, audio=sound)
    return Line(known.name if known else key, picture, row, known)


def _text(store: Store, name: str) -> str:
    try:
        return store.read(name, MOST)[:MOST].decode("utf-8", "replace").strip()
    except EntryFault:
        return ""


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"'{name}' is no JSON ({str(error)[:200]}). Write the shard again.") from error
    return found if isinstance(found, dict) else {"json": found}

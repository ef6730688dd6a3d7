"""A folder with `metadata.jsonl` or `metadata.csv` whose `file_name` names the picture: Hugging Face's ImageFolder.

Our own folders have the same form. Source: https://huggingface.co/docs/datasets/image_dataset#imagefolder.
"""

from pathlib import PurePosixPath
from typing import Any

from app.importers.exact import exact
from app.importers.formats import Described, Finder, Line, beside, only, plain
from app.importers.manifests import MAX_BYTES, is_manifest, read_manifest
from app.importers.stores import EntryFault, Store

KNOWN = ("metadata.jsonl", "metadata.csv", "metadata.parquet")


class Format:
    """Every column but `file_name` is an attribute."""

    def recognises(self, store: Store, manifest: str | None) -> bool:
        """The table that was named, or metadata.*, has a column file_name."""
        name = _table(store, manifest)
        return name is not None and "file_name" in _rows(store, name)[0]

    def describe(self, store: Store, manifest: str | None) -> Described:
        """One line for each row."""
        name = _table(store, manifest) or KNOWN[0]
        described, finder = Described(store, base=str(PurePosixPath(name).parent)), Finder(store, name)
        for row in _rows(store, name)[1]:
            path = str(row.get("file_name") or "").strip()
            file = finder.find(path) if beside(name, path) else None
            if file is None:
                described.faults.append((path or "a row without a file", "there is no such file in the source"))
                continue
            known = exact(row.get("pairwright"), path)
            described.lines.append(Line(known.name if known else path, file, plain(row, ("file_name",)), known))
        return described


def _table(store: Store, manifest: str | None) -> str | None:
    if manifest is not None:
        return manifest if is_manifest(manifest) else None
    return only(store, *KNOWN)


def _rows(store: Store, name: str) -> tuple[list[str], list[dict[str, Any]]]:
    try:
        return read_manifest(store.read(name, MAX_BYTES)[: MAX_BYTES + 1], name)
    except EntryFault:
        return [], []

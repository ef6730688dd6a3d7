"""Hugging Face data sets on disk: Parquet files with the pictures inside, or the Arrow files of `save_to_disk`.

Source: https://huggingface.co/docs/datasets/about_arrow. Nothing of it is executed, and the library `datasets` is
not needed. A class number becomes its class's name.
"""

from dataclasses import replace

from app.importers.exact import exact
from app.importers.formats import Described, Line, plain
from app.importers.stores import Store
from app.importers.tables import RECORDING, TableStore, is_table, picture_column
from db.errors import BadInput


class Format:
    """Every column but the picture is an attribute; of several pictures in a row the first counts."""

    def recognises(self, store: Store, manifest: str | None) -> bool:
        """The table that was named, or the first of the source, has a column of pictures."""
        return any(picture_column(store, name) is not None for name in _tables(store, manifest)[:1])

    def describe(self, store: Store, manifest: str | None) -> Described:
        """One line for each row of every table."""
        tables = _tables(store, manifest)
        if not tables:
            raise BadInput("a Hugging Face data set has Parquet or Arrow files, and there is none. Check the path.")
        cells = TableStore(store, tables)
        described = Described(cells, faults=cells.faults)
        for file, row in cells.rows():
            known = exact(row.get("pairwright"), file)
            if known is not None and known.audio is not None:
                known = replace(known, audio=f"{file}/{RECORDING}/{known.audio}")
            name = known.name if known else cells.path_of(file) or file
            described.lines.append(Line(name, file, plain(row), known))
        return described


def _tables(store: Store, manifest: str | None) -> list[str]:
    if manifest is not None:
        return [manifest] if is_table(manifest) else []
    return [name for name in store.names if is_table(name)]

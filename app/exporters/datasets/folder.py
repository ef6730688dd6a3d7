"""A folder of pictures with metadata.jsonl, which is Hugging Face's ImageFolder, too."""

from collections.abc import Sequence
from pathlib import Path

import orjson

from app.exporters.datasets import Record, write


class DataSet:
    """Columns file_name, name, group; the rest under `pairwright`, as JSON text: its entries differ from row to row."""

    def write(self, title: str, records: Sequence[Record], folder: Path) -> None:
        """images/, audio/ where there are recordings, metadata.jsonl."""
        lines = []
        for one in records:
            path, about = one.put(folder, "images")
            group = {} if one.group is None else {"group": one.group.name}
            lines.append(
                {"file_name": path, "name": one.item.name, **group, "pairwright": orjson.dumps(about).decode()}
            )
        write(folder / "metadata.jsonl", b"".join(orjson.dumps(line) + b"\n" for line in lines))

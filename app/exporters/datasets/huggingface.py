"""Hugging Face: Parquet files with the pictures inside and a data card; `load_dataset(FOLDER)` opens it.

Source: https://huggingface.co/docs/hub/datasets-image, "Parquet format". The library is not needed to write it.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from app.exporters.datasets import Record, write
from trainer.originals import size as picture_size

SHARD_BYTES = 400 * 1024**2
GROUP = 64  # rows of a row group: what a reader holds in memory


class DataSet:
    """Columns image, name, group (a class), audio where there are recordings, and `pairwright` as JSON text."""

    def write(self, title: str, records: Sequence[Record], folder: Path) -> None:
        """data/train-NNNNN.parquet, README.md."""
        (folder / "data").mkdir()
        names = sorted({one.group.name for one in records if one.group is not None})
        for number, shard in zip(count(), _shards(records), strict=False):
            _write(shard, names, folder / "data" / f"train-{number:05}.parquet")
        card = f"---\npretty_name: {json.dumps(title)}\ntask_categories:\n- image-classification\n---\n\n# {title}\n"
        write(folder / "README.md", f"{card}\n{len(records)} pictures, written by Pairwright.\n".encode())


def _shards(records: Sequence[Record]) -> Iterator[list[Record]]:
    shard: list[Record] = []
    size = 0
    for one in records:
        shard.append(one)
        size += picture_size(one.workspace, one.item.path)
        if size > SHARD_BYTES:
            yield shard
            shard, size = [], 0
    if shard or not records:
        yield shard


def _write(records: Sequence[Record], names: list[str], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    blob = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features: dict[str, Any] = {"image": {"_type": "Image"}, "name": {"dtype": "string", "_type": "Value"}}
    fields = [("image", blob), ("name", pa.string())]
    if names:
        features["group"] = {"names": names, "_type": "ClassLabel"}
        fields.append(("group", pa.int64()))
    features["pairwright"] = {"dtype": "string", "_type": "Value"}
    fields += [("pairwright", pa.string()), ("recording", blob)]
    features["recording"] = {"bytes": {"dtype": "binary", "_type": "Value"}, "path": features["name"]}
    schema = pa.schema(fields, {"huggingface": json.dumps({"info": {"features": features}})})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(records), GROUP):
            rows = [_row(one, names) for one in records[start : start + GROUP]]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _row(one: Record, names: list[str]) -> dict[str, Any]:
    sound = None if one.sound is None else {"bytes": one.sound_content(), "path": one.sound}
    return {
        "image": {"bytes": one.content(), "path": one.file},
        "name": one.item.name,
        "group": None if one.group is None else names.index(one.group.name),
        "pairwright": json.dumps(one.about(one.sound)),
        "recording": sound,
    }

"""The embedding of every item: npy (ids beside it), safetensors (both in one file), or rows with the vector."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from app.exporters.formats import Row, chosen_format, whole, write_rows
from db.nouns import Item

FIELDS = {"id": "int64", "name": "string", "sha256": "string", "vector": "vector"}
FORMATS = ("csv", "jsonl", "npy", "parquet", "safetensors")


def export_embeddings(
    ids: np.ndarray, vectors: np.ndarray, items: Mapping[int, Item], out: Path, format: str | None = None
) -> int:
    """Write ids (N,) int64 and vectors (N, D) float32; returns N. `x.npy` gets its ids in `x.ids.npy`."""
    name = chosen_format(out, format, FORMATS)
    if name == "npy":
        _npy(out, vectors)
        _npy(out.with_suffix(".ids.npy"), ids)
    elif name == "safetensors":
        _safetensors(out, ids, vectors)
    else:
        write_rows(_rows(ids, vectors, items), FIELDS, out, name)
    return len(ids)


def _npy(out: Path, array: np.ndarray) -> None:
    with whole(out) as partial, partial.open("wb") as file:
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)


def _safetensors(out: Path, ids: np.ndarray, vectors: np.ndarray) -> None:
    from safetensors.numpy import save_file

    with whole(out) as partial:
        arrays = {"ids": np.ascontiguousarray(ids), "vectors": np.ascontiguousarray(vectors)}
        save_file(arrays, partial, {"format": "np"})


def _rows(ids: np.ndarray, vectors: np.ndarray, items: Mapping[int, Item]) -> Iterator[Row]:
    for number, vector in zip(ids.tolist(), vectors, strict=True):
        yield {"id": number, "name": items[number].name, "sha256": items[number].sha256, "vector": vector}

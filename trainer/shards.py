"""Rows of float16 numbers in memory-mapped files, in batches that count only once they are whole.

Layout of the folder:
    encoder.json         encoder name and numbers per picture
    shard-000000.f16     up to SHARD rows
    manifest.jsonl       one line per batch, led by its own SHA-256; written after the batch's rows are on disk
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from db.errors import Broken
from db.nouns import Item

BATCH = 256  # rows between two writes: what a kill can cost
SHARD = 64 * BATCH  # rows of one file
SLOTS = SHARD // BATCH
PREFIX = 12  # hexadecimal digits of a picture's SHA-256 kept with its id


@dataclass(frozen=True)
class Batch:
    """One line of the manifest. shas: start of each picture's SHA-256. sha256: of the float16 rows."""

    slot: int  # the batch's place, counted over all shards
    ids: list[int]
    shas: list[str]
    sha256: str

    @property
    def shard(self) -> int:
        """Which file."""
        return self.slot // SLOTS

    @property
    def rows(self) -> slice:
        """Which rows of that file."""
        start = self.slot % SLOTS * BATCH
        return slice(start, start + len(self.ids))


class Shards:
    """The files of one folder. One process writes at a time; any number may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = folder / "manifest.jsonl"

    def meta(self) -> dict[str, Any] | None:
        """{"encoder": name, "dim": numbers per row}, or None before the first write."""
        try:
            meta = json.loads((self.folder / "encoder.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return meta if isinstance(meta, dict) and isinstance(meta.get("dim"), int) else None

    def begin(self, encoder: str, dim: int) -> None:
        """Forget everything and start for this encoder."""
        for path in [self.manifest, self.folder / "encoder.json", *self.folder.glob("shard-*.f16")]:
            path.unlink(missing_ok=True)
        _replace(self.folder / "encoder.json", json.dumps({"encoder": encoder, "dim": dim}).encode())

    def batches(self) -> list[Batch]:
        """Batches with a whole line; a torn or altered line is left out."""
        try:
            lines = self.manifest.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        return [batch for line in lines if (batch := _parsed(line)) is not None]

    def keep(self, batches: Sequence[Batch]) -> None:
        """Make the manifest list exactly these batches."""
        text = "".join(map(_line, batches)).encode()
        if not self.manifest.exists() or self.manifest.read_bytes() != text:
            _replace(self.manifest, text)

    def read(self, batch: Batch) -> np.ndarray:
        """(rows, D) float16 of one batch, memory-mapped."""
        return self.file(batch.shard)[batch.rows]

    def file(self, shard: int) -> np.ndarray:
        """(rows, D) float16 of one file, memory-mapped."""
        dim = (self.meta() or {"dim": 1})["dim"]
        path = self._path(shard)
        return np.memmap(path, "<f2", "r", shape=(path.stat().st_size // (2 * dim), dim))

    def whole(self, batch: Batch) -> bool:
        """True if the batch's rows are what was written."""
        try:
            rows = self.read(batch)
        except (FileNotFoundError, ValueError):
            return False
        return len(rows) == len(batch.ids) and _digest(rows) == batch.sha256

    def write(self, slot: int, items: Sequence[Item], vectors: np.ndarray) -> Batch:
        """Put up to BATCH rows on disk, then the line that makes them count. vectors: (n, D) float32."""
        with np.errstate(over="ignore"):
            halves = vectors.astype("<f2")
        if not np.isfinite(halves).all():
            raise Broken("the encoder's numbers do not fit float16 (over 65,504). Use another encoder.")
        batch = Batch(slot, [i.id for i in items], [i.sha256[:PREFIX] for i in items], _digest(halves))
        path = self._path(batch.shard)
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(batch.rows.start * halves.shape[1] * 2)
            file.write(halves.tobytes())
            _sync(file)
        with self.manifest.open("ab") as file:
            file.write(_line(batch).encode())
            _sync(file)
        return batch

    def _path(self, shard: int) -> Path:
        return self.folder / f"shard-{shard:06d}.f16"


class Rows:
    """(N, D) float16 rows of all batches in the order of their ids, read from the disk where rows are taken, as of an
    array: `rows[start:end]`, `rows[numbers]`. Nothing of them stays in memory."""

    dtype, ndim = np.dtype(np.float16), 2

    def __init__(self, shards: Shards, batches: Sequence[Batch]) -> None:
        ids = np.array([item for batch in batches for item in batch.ids], np.int64)
        slots = np.array(
            [batch.rows.start + batch.shard * SHARD + at for batch in batches for at in range(len(batch.ids))]
        )
        self.ids = np.sort(ids)
        self._at = slots.astype(np.int64)[np.argsort(ids)]  # (N,) row over all files
        self._shards, dim = shards, (shards.meta() or {"dim": 0})["dim"]
        self.shape = (len(ids), int(dim))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, wanted: slice | np.ndarray) -> np.ndarray:
        at = self._at[wanted]
        found = np.empty((len(at), self.shape[1]), np.float16)
        for shard in np.unique(at // SHARD):
            here = at // SHARD == shard
            found[here] = self._shards.file(int(shard))[at[here] % SHARD]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype)


def _digest(rows: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest()


def _line(batch: Batch) -> str:
    body = json.dumps(asdict(batch), separators=(",", ":"))
    return f"{hashlib.sha256(body.encode()).hexdigest()} {body}\n"


def _parsed(line: bytes) -> Batch | None:
    digest, _, body = line.partition(b" ")
    if not body or hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    return Batch(**json.loads(body))


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(content)
        _sync(file)
    temporary.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())

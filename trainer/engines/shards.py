"""Inverted lists on the disk: files of some rows each around common centres, memory-mapped, so that a search reads
the lists it looks at and the system keeps what is used often.

The files are an artifact beside the version's head: written once, whole or not at all, every byte checked against a
SHA-256 manifest when they are opened, and built again where one differs.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import faiss
import numpy as np

from db.artifacts import Content
from db.errors import Broken, NotFound
from oracle.bounds import Bounds, Count, Whole
from trainer.index import BLOCK, WANTED_RECALL, around_centres, checked, raised
from trainer.searching import INDEX, Shelf

ABOUT = "about.json"


@dataclass(frozen=True)
class Engine:
    """recall: measured share of the true 10 nearest that is reached. rows: of one file; one file is in memory while it
    is written."""

    recall: Annotated[float, Bounds(0, 1, above=True)] = WANTED_RECALL
    rows: Count = 2**20
    seed: Whole = 0

    def opened(self, vectors: np.ndarray, shelf: Shelf) -> "Shards":
        """Ready to search: from the files, or from new ones."""
        about = told(vectors)
        name = shelf.artifact + INDEX
        try:
            kept = Shards.read(shelf.store.open(name))
            if kept.about["vectors"] == about:
                return kept
        except (NotFound, Broken):
            pass  # a cache: missing and damaged are the same
        shelf.store.remove(name)
        shelf.store.save(name, self._files(vectors, about))
        return Shards.read(shelf.store.open(name))

    def _files(self, vectors: np.ndarray, about: str) -> dict[str, Content]:
        """What is written, file by file; the recall is measured on files of its own before."""
        files: dict[str, Content] = {}
        centres: Any = around_centres(checked(vectors), self.seed) if len(vectors) else None
        for number, start in enumerate(range(0, len(vectors), self.rows)):
            files[f"shard-{number:05}.faiss"] = partial(_write, centres, vectors, start, start + self.rows)
        return {**files, ABOUT: self._about(vectors, about, list(files))}

    def _about(self, vectors: np.ndarray, about: str, files: list[str]) -> Callable[[Path], None]:
        """The last file: how many lists to look at, measured on those that lie beside it."""

        def write(path: Path) -> None:
            shards = Shards(_mapped([path.parent / file for file in files]), {})
            effort, found = 1, 1.0
            if files:
                effort, found = raised(shards.probing, checked(vectors), self.recall, shards.lists, self.seed)
            path.write_text(json.dumps({"vectors": about, "files": files, "probes": effort, "recall": found}))

        return write


@dataclass
class Shards:
    """inner: the open files, an IndexIVFFlat each. about: what was written beside them."""

    inner: list[Any]
    about: dict[str, Any]
    kind: str = "shards"

    @classmethod
    def read(cls, folder: Path) -> "Shards":
        """The files of a folder, memory-mapped."""
        about = json.loads((folder / ABOUT).read_bytes())
        return cls(_mapped([folder / file for file in about["files"]]), about)

    @property
    def recall(self) -> float:
        """Measured share of the true 10 nearest that a search finds."""
        return float(self.about["recall"])

    @property
    def lists(self) -> int:
        """How many there are in each file."""
        return int(self.inner[0].nlist)

    def search(self, queries: np.ndarray, k: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """As `trainer.searching.Searchable` says."""
        rows, selector = checked(queries), None
        if among is not None:
            selector = faiss.IDSelectorBatch(np.ascontiguousarray(among, np.int64))
        blocks = [self._block(rows[at : at + BLOCK], k, self.about["probes"], selector)
                  for at in range(0, len(rows), BLOCK)]  # fmt: skip
        if not blocks:
            return np.empty((0, k), np.int64), np.empty((0, k), np.float32)
        return np.concatenate([found for found, _ in blocks]), np.concatenate([near for _, near in blocks])

    def probing(self, probes: int, queries: np.ndarray, k: int) -> np.ndarray:
        """(Q, k) positions found in so many lists of each file."""
        return self._block(queries, k, probes, None)[0]

    def _block(self, rows: np.ndarray, k: int, probes: int, selector: Any) -> tuple[np.ndarray, np.ndarray]:
        """The best of every file, then the best of these."""
        found = [np.full((len(rows), k), -1, np.int64)]
        near = [np.full((len(rows), k), -np.inf, np.float32)]
        for shard in self.inner:
            how = faiss.SearchParametersIVF(sel=selector, nprobe=shard.nlist if selector else probes)  # type: ignore[call-arg]
            cosines, positions = shard.search(rows, k, params=how)
            found.append(positions)
            near.append(np.where(positions < 0, -np.inf, cosines))
        positions, cosines = np.concatenate(found, axis=1), np.concatenate(near, axis=1)
        best = np.lexsort((positions, -cosines), axis=1)[:, :k]
        return np.take_along_axis(positions, best, 1), np.take_along_axis(cosines, best, 1)


def _mapped(paths: list[Path]) -> list[Any]:
    return [faiss.read_index(str(path), faiss.IO_FLAG_MMAP) for path in paths]


def _write(centres: faiss.IndexIVFFlat, vectors: np.ndarray, start: int, end: int, path: Path) -> None:
    """One file: rows start to end in lists around the common centres, under their positions."""
    shard = faiss.clone_index(centres)
    for at in range(start, min(end, len(vectors)), BLOCK):
        rows = checked(vectors[at : min(at + BLOCK, end)])
        shard.add_with_ids(rows, np.arange(at, at + len(rows), dtype=np.int64))
    faiss.write_index(shard, str(path))


def told(vectors: np.ndarray) -> str:
    """SHA-256 of the vectors and their shape: whose index this is."""
    sum_ = hashlib.sha256(repr(vectors.shape).encode())
    for at in range(0, len(vectors), BLOCK):
        sum_.update(np.ascontiguousarray(vectors[at : at + BLOCK], np.float32).data)
    return sum_.hexdigest()

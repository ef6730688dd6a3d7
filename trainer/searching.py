"""Searching one model version: which engine fits its size, the memory that is left and what somebody asked for.

    up to EXACT items                                     exact
    more, and pgvector asked for in a database that has it pgvector   HNSW on half-precision columns
    more, and memory is short or shards asked for         shards      inverted lists on the disk, memory-mapped
    more                                                  lists       inverted lists in memory

What an engine keeps is a cache of the version's vectors: checked before it is used, built again where it is missing or
damaged, and dropped when the version is no longer served. While it is built every item is compared where it lies.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any, Protocol

import faiss
import numpy as np
import psutil

from db import vectors as tables
from db.artifacts import ArtifactStore
from db.engine import Database
from db.versions import Version
from oracle import plugins
from trainer.index import EXACT, checked

FAMILY = "trainer.engines"
AUTO = "auto"
INDEX = ".index"  # suffix of the artifact that engines keep their files in
SHORT = 0.5  # share of the free memory that an index may take before its lists stay on the disk
_BUILDING = Lock()  # one index at a time: each takes every core and a lot of memory
log = logging.getLogger("pairwright.search")


@dataclass(frozen=True)
class Shelf:
    """Where an engine may keep things: files of `artifact` in a store, a table for `version` in a database."""

    store: ArtifactStore
    artifact: str
    version: int
    database: Database | None = None


class Engine(Protocol):
    """One way to search. A plugin is a dataclass of its settings, its `opened` gives what can be searched."""

    def opened(self, vectors: np.ndarray, shelf: Shelf) -> "Searchable":
        """Ready to search vectors (N, D), float32 unit rows, which may be memory-mapped. Kept things are used where
        they are whole and of these vectors."""


class Searchable(Protocol):
    """kind: name of the engine. recall: measured share of the true 10 nearest that a search finds."""

    kind: str
    recall: float

    def search(self, queries: np.ndarray, k: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """queries: (Q, D) float32 unit rows. among: positions to search, all by default; they are searched exactly.

        Returns: (positions (Q, k) int64, cosines (Q, k) float32), most alike first; -1 where too few.
        """


def searchable(vectors: np.ndarray, shelf: Shelf, wanted: str = AUTO) -> Searchable:
    """The version's vectors in the engine that fits. wanted: an engine's name, or "auto"."""
    name = fitting(len(vectors), vectors.shape[1], shelf, wanted)
    engine: Any = plugins.load(FAMILY, name)
    found: Searchable = engine.opened(vectors, shelf)
    log.info("version %d: %d items searched by %s, recall@10 %.3f", shelf.version, len(vectors), name, found.recall)
    return found


@dataclass
class Unbuilt:
    """Every item is compared, where it lies: slower than an engine, and nothing to wait for."""

    vectors: np.ndarray
    kind: str = "exact"
    recall: float = 1.0

    def search(self, queries: np.ndarray, k: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """As `Searchable` says."""
        rows = self.vectors if among is None else self.vectors[among]
        positions = np.full((len(queries), k), -1, np.int64)
        cosines = np.zeros((len(queries), k), np.float32)
        most = min(k, len(rows))
        if most and len(queries):
            rows = np.ascontiguousarray(rows, np.float32)
            near, at = faiss.knn(checked(queries), rows, most, metric=faiss.METRIC_INNER_PRODUCT)
            positions[:, :most] = at if among is None else among[at]
            cosines[:, :most] = near
        return positions, cosines


class Opening:
    """An engine being made ready by a thread of its own, one after another; until then `now` compares every item.

    make: gives the engine; it runs once. vectors: (N, D) float32 unit rows, what it searches.
    """

    def __init__(self, make: Callable[[], Searchable], vectors: np.ndarray) -> None:
        self._future: Future[Searchable] = Future()
        self._meanwhile = Unbuilt(vectors)
        self.thread = Thread(target=self._work, args=(make,), name="search", daemon=True)
        self.thread.start()

    def now(self) -> Searchable:
        """What can be searched at once. Raises what kept the engine from being made."""
        return self._future.result() if self._future.done() else self._meanwhile

    def _work(self, make: Callable[[], Searchable]) -> None:
        try:
            with _BUILDING:
                self._future.set_result(make())
        except Exception as error:
            self._future.set_exception(error)


def fitting(items: int, width: int, shelf: Shelf, wanted: str = AUTO, free: int | None = None) -> str:
    """Name of the engine for so many items. free: bytes of memory that are left, by default as the system says.

    Raises: NotFound where no engine has the wanted name.
    """
    if wanted != AUTO:
        plugins.find(FAMILY, wanted)
    if items <= EXACT:
        return "exact"
    if wanted == "pgvector" and not (shelf.database and tables.possible(shelf.database)):
        log.warning("pgvector was asked for, and this database has none: its administrator can CREATE EXTENSION vector")
        wanted = AUTO
    if wanted != AUTO:
        return wanted
    left = psutil.virtual_memory().available if free is None else free
    return "shards" if 4 * items * width > SHORT * left else "lists"


def forget(database: Database, store: ArtifactStore, versions: list[Version]) -> int:
    """Drop what engines keep of these versions; returns how much there was."""
    there = [version.artifact + INDEX for version in versions if store.exists(version.artifact + INDEX)]
    for name in there:
        store.remove(name)
    return len(there) + tables.drop(database, [version.id for version in versions])

"""Vectors in the workspace's PostgreSQL, searched by its extension pgvector: nothing is held in this process.

Half precision finds the candidates, the version's own vectors rank them: cosines are those of every other engine.
Source: see `db.vectors`.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from db import vectors as tables
from db.engine import Database
from db.errors import BadInput
from oracle.bounds import Bounds, Whole
from trainer.engines.shards import told
from trainer.index import WANTED_RECALL, checked, raised
from trainer.searching import Shelf

SPARE = 10  # candidates beyond those wanted, for half precision to be wrong about the order


@dataclass(frozen=True)
class Engine:
    """recall: measured share of the true 10 nearest that is reached."""

    recall: Annotated[float, Bounds(0, 1, above=True)] = WANTED_RECALL
    seed: Whole = 0

    def opened(self, vectors: np.ndarray, shelf: Shelf) -> "Stored":
        """Ready to search: the version's table, made if there is none of these vectors. Raises BadInput without
        PostgreSQL and pgvector, or for vectors too wide."""
        database = shelf.database
        if database is None or not tables.possible(database):
            raise BadInput("the engine 'pgvector' needs PostgreSQL with pgvector. Install both, or search with 'auto'.")
        if vectors.shape[1] > tables.WIDEST:
            raise BadInput(f"pgvector indexes up to {tables.WIDEST} numbers a row, got {vectors.shape[1]}. Use 'auto'.")
        found = Stored(database, shelf.version, vectors, told(vectors))
        if len(vectors):
            found.effort, found.recall = raised(
                found.trying, vectors, self.recall, tables.MOST_EFFORT, self.seed, start=40
            )
        return found


@dataclass
class Stored:
    """vectors: (N, D), may be memory-mapped. about: what tells them from others. effort: pgvector's ef_search."""

    database: Database
    version: int
    vectors: np.ndarray
    about: str
    effort: int = 40
    recall: float = 1.0
    kind: str = "pgvector"

    def search(self, queries: np.ndarray, k: int, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """As `trainer.searching.Searchable` says."""
        rows, wanted = checked(queries), k + SPARE
        found, near = np.full((len(rows), k), -1, np.int64), np.full((len(rows), k), -np.inf, np.float32)
        self._stored()
        with self.database.read() as s:
            said = tables.nearest(s, self.version, rows, wanted, effort=max(self.effort, wanted), among=among)
        for at, (query, listed) in enumerate(zip(rows, said, strict=True)):
            positions = np.array(listed, np.int64)
            cosines = np.asarray(self.vectors[positions] @ query, np.float32)
            best = np.lexsort((positions, -cosines))[:k]
            found[at, : len(best)], near[at, : len(best)] = positions[best], cosines[best]
        return found, near

    def _stored(self) -> None:
        """Have the table: it is made when it is first searched, and anew where the version was retired meanwhile."""
        with self.database.read() as s:
            there = tables.kept(s, self.version) == self.about
        if not there:
            with self.database.write() as s:
                tables.store(s, self.version, checked(self.vectors), self.about)

    def trying(self, effort: int, queries: np.ndarray, k: int) -> np.ndarray:
        """(Q, k) positions found with so much effort."""
        self.effort = effort
        return self.search(queries, k)[0]

"""Vectors of model versions in PostgreSQL, searched by pgvector: HNSW graphs on half-precision columns.

A table for each version, in a schema of its own, made when somebody first searches it: a cache of the artifact store,
which the migrations do not know. All of it comes in one transaction, so a table that is there is whole; its comment
says of which vectors it is. Numbers are positions of rows, not ids of items.

Source: Malkov, Yashunin 2018, "Efficient and robust approximate nearest neighbor search using HNSW graphs", arXiv
1603.09320; code: pgvector.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Column, MetaData, Table, any_, bindparam, insert, select, text
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

from db.engine import Database

SCHEMA = "pairwright_vectors"
WIDEST = 4000  # numbers a half-precision column can be indexed with
BLOCK = 1000  # rows of one INSERT
MOST_EFFORT = 1000  # what pgvector allows
LOCK = 7_166_018  # of building, together with the version: any fixed number
_MAY = """
SELECT 1 FROM pg_available_extension_versions WHERE name = 'vector' AND (
    trusted AND has_database_privilege(current_database(), 'CREATE')
    OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)) LIMIT 1
"""
_HOW = text("""
SELECT set_config('hnsw.ef_search', :effort, true), set_config('hnsw.iterative_scan', 'relaxed_order', true),
       set_config('enable_indexscan', :graph, true), set_config('enable_seqscan', :scan, true)
""")  # iterative: go on where fewer than k were found
_NAME = re.compile(r"version_(\d+)")


def possible(database: Database) -> bool:
    """Whether this database has pgvector, or lets us make it: PostgreSQL with the extension installed."""
    if database.dialect != "postgresql":
        return False
    try:
        import pgvector.sqlalchemy  # noqa: F401
    except ModuleNotFoundError:
        return False
    with database.read() as s:
        if s.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'vector'")):
            return True
        return bool(s.scalar(text(_MAY)))


def kept(s: Session, version: int) -> str | None:
    """What was said of a version's vectors when they were stored; None where there are none."""
    place = f"to_regclass('{SCHEMA}.{_named(version)}')"
    return s.scalar(text(f"SELECT obj_description({place}, 'pg_class')"))


def store(s: Session, version: int, vectors: np.ndarray, about: str) -> None:
    """Keep (N, D) vectors of a version in the place of those it had, and index them. about: read back by `kept`.

    Only one process builds a version at a time; who waited finds what the first one made.
    """
    s.execute(text("SET LOCAL statement_timeout = 0"))
    s.execute(text("SELECT pg_advisory_xact_lock(:lock, :version)"), {"lock": LOCK, "version": version % 2**31})
    if kept(s, version) == about:
        return
    s.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    s.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    s.execute(text(f"DROP TABLE IF EXISTS {SCHEMA}.{_named(version)}"))
    made = _table(version, vectors.shape[1])
    s.execute(CreateTable(made))
    for start in range(0, len(vectors), BLOCK):
        rows = vectors[start : start + BLOCK]
        s.execute(insert(made), [{"position": start + at, "vector": row} for at, row in enumerate(rows)])
    s.execute(text(f"CREATE INDEX ON {SCHEMA}.{_named(version)} USING hnsw (vector halfvec_ip_ops)"))
    s.execute(text(f"ANALYZE {SCHEMA}.{_named(version)}"))
    s.execute(text(f"COMMENT ON TABLE {SCHEMA}.{_named(version)} IS {_quoted(about)}"))


def nearest(
    s: Session, version: int, queries: np.ndarray, k: int, *, effort: int = 40, among: np.ndarray | None = None
) -> list[list[int]]:
    """For each of (Q, D) queries the positions of about the k vectors with the largest inner products, largest first.

    effort: pgvector's ef_search, how many candidates it keeps at once. among: positions to search, exactly.
    """
    free = among is None
    graph, scan = ("on", "off") if free else ("off", "on")  # among some there is no graph, so nothing is missed
    effort = max(1, min(effort, MOST_EFFORT))
    s.execute(_HOW, {"effort": str(effort), "graph": graph, "scan": scan})
    found = _table(version, queries.shape[1])
    sought = bindparam("sought", type_=found.c.vector.type)
    asked = select(found.c.position).order_by(found.c.vector.max_inner_product(sought)).limit(k)
    given: dict[str, Any] = {}
    if among is not None:
        asked, given = asked.where(found.c.position == any_(bindparam("among"))), {"among": among.tolist()}
    return [[int(position) for position in s.scalars(asked, {**given, "sought": query})] for query in queries]


def drop(database: Database, versions: Sequence[int]) -> int:
    """Forget the vectors of these versions; returns how many had any."""
    if database.dialect != "postgresql" or not versions:
        return 0
    with database.write() as s:
        there = sorted(set(_stored(s)) & set(versions))
        for version in there:
            s.execute(text(f"DROP TABLE {SCHEMA}.{_named(version)}"))
    return len(there)


def _stored(s: Session) -> list[int]:
    """Versions that have vectors here."""
    names = s.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"), {"schema": SCHEMA})
    return [int(known[1]) for name in names if (known := _NAME.fullmatch(name))]


def _named(version: int) -> str:
    return f"version_{int(version)}"


@lru_cache(maxsize=64)  # the same object, so that SQLAlchemy knows the statements it has compiled
def _table(version: int, width: int) -> Table:
    from pgvector.sqlalchemy import HALFVEC

    vector: Any = HALFVEC(width)
    key = Column("position", BigInteger, primary_key=True, autoincrement=False)
    return Table(_named(version), MetaData(), key, Column("vector", vector, nullable=False), schema=SCHEMA)


def _quoted(words: str) -> str:
    """A literal for a statement that takes no parameters."""
    return "'" + words.replace("'", "''") + "'"

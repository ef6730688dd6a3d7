"""SQLite, safely: a version without the WAL-reset bug, full synchronisation, one writer at a time."""

import time
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

try:
    from pysqlite3 import dbapi2 as _module
except ImportError:  # no wheel for this machine: Python's own module, in WAL mode only if it is new enough
    import sqlite3 as _module

BUSY_S = 30.0
MODULE: ModuleType = _module
WRITER = {"pairwright_writer": True}


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """False for the versions whose WAL can lose commits when it is reset under several connections.

    Source: sqlite.org/wal.html, "the WAL-reset bug": 3.7.0 to 3.51.2; fixed in 3.51.3, 3.50.7 and 3.44.6.
    """
    if version[:2] in {(3, 44), (3, 50)}:
        return version >= ((3, 44, 6) if version[1] == 44 else (3, 50, 7))
    return version >= (3, 51, 3)


def library_version() -> tuple[int, int, int]:
    """Version of the SQLite library in use."""
    major, minor, patch = (int(part) for part in MODULE.sqlite_version.split(".")[:3])
    return major, minor, patch


def make_engine(url: URL, **settings: Any) -> Engine:
    """An engine whose transactions are ours: BEGIN for readers, BEGIN IMMEDIATE for writers."""
    engine = create_engine(url, module=MODULE, connect_args={"timeout": BUSY_S}, **settings)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver must not begin or commit by itself
    for pragma in (f"busy_timeout={int(BUSY_S * 1000)}", "foreign_keys=ON", "synchronous=FULL", "fullfsync=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writer = connection.get_execution_options().get("pairwright_writer")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")


def choose_journal(engine: Engine, version: tuple[int, int, int]) -> str:
    """Put the file into WAL mode if that is safe with this version, else into rollback-journal mode; returns the mode.

    Changing the mode needs the file alone, so it is tried until the other processes let go.
    """
    wanted = "wal" if wal_is_safe(version) else "delete"
    connection = engine.raw_connection()
    try:
        return _switch_journal(connection.dbapi_connection, wanted)
    finally:
        connection.close()


def _switch_journal(connection: Any, wanted: str) -> str:
    give_up = time.monotonic() + BUSY_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != wanted:
        try:
            connection.execute(f"PRAGMA journal_mode={wanted}")
        except MODULE.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
        time.sleep(0.01)
        if time.monotonic() > give_up:
            break
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])

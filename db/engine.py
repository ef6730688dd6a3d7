"""Open the database: SQLite in the workspace by default, PostgreSQL beyond one machine. One way in, one way out."""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import ORMExecuteState, Session

from db import events, sqlite
from db import migrate as migrations
from db.connect import make_engine
from db.errors import BadInput, Broken
from db.failures import explained, sentence

log = logging.getLogger("pairwright.db")

_POOL = {"pool_size": 20, "max_overflow": 20, "pool_timeout": 30}


class _ReadSession(Session):
    """A session that refuses to write, so nothing can be lost by using the wrong one."""


@event.listens_for(_ReadSession, "do_orm_execute")
def _only_select(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise RuntimeError("this session only reads; use Database.write() to change something")


class _OneWriter:
    """Writers of this process take turns here instead of polling SQLite's lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    def __enter__(self) -> None:
        if self._owner == threading.get_ident():
            raise RuntimeError("Database.write() inside Database.write(): pass the outer session on instead")
        if not self._lock.acquire(timeout=sqlite.BUSY_S):
            raise Broken("another writer of this process kept the database for too long. Nothing is saved; try again.")
        self._owner = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._owner = None
        self._lock.release()


class _ManyWriters:
    """PostgreSQL sorts writers out by itself."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class Database:
    """One open database. Threads may share it; a child process opens its own by `url`.

    journal: SQLite's journal mode ("wal" or "delete"), "" on PostgreSQL. notice: a sentence worth showing, or "".
    """

    def __init__(self, engine: Engine, *, journal: str = "", notice: str = "") -> None:
        self.engine = engine
        self.dialect: str = engine.dialect.name
        self.url: str = engine.url.render_as_string(hide_password=False)
        self.journal = journal
        self.notice = notice
        on_sqlite = self.dialect == "sqlite"
        self._turn: _OneWriter | _ManyWriters = _OneWriter() if on_sqlite else _ManyWriters()
        steady = {} if on_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = engine.execution_options(**steady)
        self._writer = engine.execution_options(**sqlite.WRITER)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent moment and cannot write."""
        with explained(), _ReadSession(self._reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits when the block ends well and keeps nothing when it does not.

        On SQLite it holds the only write lock from its first moment. Raises Broken if the commit fails.
        """
        with explained(), self._turn, Session(self._writer, expire_on_commit=False) as session:
            session.connection()
            yield session
            events.flush(session)
            session.commit()

    def backup(self, target: Path) -> None:
        """Copy a consistent state of a SQLite database to a new file while others go on writing. Raises BadInput."""
        if self.dialect != "sqlite":
            raise BadInput("only SQLite is backed up by Pairwright. Use pg_dump for PostgreSQL.")
        with explained(), self.engine.connect() as connection:
            self.copy_into(connection, target)

    @staticmethod
    def copy_into(connection: Connection, target: Path) -> None:
        """Page-by-page copy by SQLite itself (its online backup)."""
        copy = sqlite.MODULE.connect(str(target))
        try:
            source: Any = connection.connection.dbapi_connection
            source.backup(copy)
        except sqlite.MODULE.Error as error:
            raise sentence(DBAPIError("backup", None, error)) from error
        finally:
            copy.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def __repr__(self) -> str:
        return f"Database({self.engine.url.render_as_string(hide_password=True)!r})"


def open_database(url: str, *, migrate: bool = True) -> Database:
    """Open a database, bring its tables up to date, and return it ready for use by several threads.

    Args:
        url: `sqlite:///path/to/file` or `postgresql+psycopg://user:password@host/name`.
        migrate: False leaves the tables as they are.
    Raises: BadInput for a URL we do not support, Refused if a newer Pairwright wrote it, Broken if it cannot be opened.
    """
    engine = make_engine(url, **_POOL)
    journal, notice = "", ""
    try:
        with explained():
            if engine.dialect.name == "sqlite":
                _keep_private(engine)
                journal, notice = _open_sqlite(engine)
            if migrate:
                migrations.upgrade(engine.url.render_as_string(hide_password=False))
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, journal=journal, notice=notice)


def _keep_private(engine: Engine) -> None:
    """A new database file is readable by its owner alone, and what SQLite puts beside it follows."""
    name = engine.url.database
    if name and name != ":memory:" and not name.startswith("file:") and not Path(name).exists():
        with contextlib.suppress(OSError):  # SQLite says it better
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _open_sqlite(engine: Engine) -> tuple[str, str]:
    version = sqlite.library_version()
    try:
        journal = sqlite.choose_journal(engine, version)
    except sqlite.MODULE.Error as error:
        raise sentence(DBAPIError("PRAGMA journal_mode", None, error)) from error
    if journal == "wal":
        return journal, ""
    notice = (
        f"SQLite {'.'.join(map(str, version))} can lose commits in WAL mode, so the slower rollback journal is used. "
        "Install pysqlite3 for a fixed version."
    )
    log.warning(notice)
    return journal, notice

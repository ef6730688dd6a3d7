"""Bring the tables up to date, from a checkout or an installed wheel; safe when several processes start at once.

python -m db.migrate upgrade --database-url sqlite:///workspace/pairwright.sqlite
python -m db.migrate current --database-url postgresql+psycopg://user@host/name
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, text

import migrations
from db import sqlite
from db.connect import make_engine
from db.errors import BadInput, Broken, Refused
from db.failures import explained
from db.tables import Base

_LOCK = 7_021_846_518  # PostgreSQL advisory lock: any number nobody else uses


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to a revision; does nothing when already there. Raises Refused if a newer Pairwright wrote it."""
    if revision == "head" and current(url) == head():
        return
    with _alone(url) as config:
        _run(command.upgrade, config, revision)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to a revision ("base" removes every table and all data in them)."""
    with _alone(url) as config:
        _run(command.downgrade, config, revision)


def current(url: str) -> str | None:
    """The revision the database is at; None if it has no tables yet."""
    with _connected(url) as connection:
        return _revision(connection)


def head() -> str | None:
    """The revision this installation knows as the newest."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def differences(url: str) -> list[Any]:
    """What `alembic check` would find: how the database differs from db.tables. Empty means they agree."""
    with _connected(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def _config(connection: Connection | None = None) -> Config:
    folder = Path(str(migrations.__file__)).parent
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(step: Any, config: Config, revision: str) -> None:
    try:
        step(config, revision)
    except CommandError as error:
        raise BadInput(f"no migration named '{revision}' ({error}). Known: base, head, {head()}.") from error


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = make_engine(url, poolclass=NullPool)
    try:
        with explained(), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _alone(url: str) -> Iterator[Config]:
    """One transaction that no other process migrates beside: BEGIN IMMEDIATE, or an advisory lock on PostgreSQL."""
    with _connected(url) as plain:
        connection = plain.execution_options(**sqlite.WRITER)
        on_sqlite = connection.dialect.name == "sqlite"
        if on_sqlite:  # tables are rebuilt by some migrations: check the references once, at the end
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        with connection.begin():
            if not on_sqlite:
                connection.execute(text("SET LOCAL lock_timeout = '300s'; SET LOCAL statement_timeout = 0"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            _refuse_newer(_revision(connection))
            yield _config(connection)
            if on_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise Broken(
                    "a migration would leave rows that refer to missing ones. Nothing was changed; report this."
                )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise Refused(f"this database is at revision '{revision}', written by a newer Pairwright. Upgrade Pairwright.")


def main(arguments: list[str] | None = None) -> None:
    """The three commands from a shell."""
    parser = argparse.ArgumentParser(description="Migrate a Pairwright database.")
    parser.add_argument("action", choices=["upgrade", "downgrade", "current"])
    parser.add_argument("revision", nargs="?", help="default: head; a downgrade needs one")
    parser.add_argument("--database-url", required=True)
    given = parser.parse_args(arguments)
    if given.action == "downgrade":
        if not given.revision:
            parser.error("downgrade needs a revision, for example: downgrade base")
        downgrade(given.database_url, given.revision)
    elif given.action == "upgrade":
        upgrade(given.database_url, given.revision or "head")
    print(current(given.database_url))


if __name__ == "__main__":
    main()

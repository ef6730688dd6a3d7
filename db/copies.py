"""The database in one file: copied while others write, checked, and put back where there is none.

SQLite by its own online backup; PostgreSQL by its own pg_dump and pg_restore, which must be on the PATH.
"""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import func, inspect, select

from db import sqlite, vectors
from db.connect import make_engine, parse_url
from db.engine import Database
from db.errors import Broken, Refused
from db.tables import AnswerRow

SQLITE, POSTGRES = "database.sqlite", "database.dump"


def copy(database: Database, folder: Path) -> Path:
    """A consistent state of the database as a new file in `folder`.

    Raises: Refused where PostgreSQL's own tool is not installed, Broken if it fails.
    """
    if database.dialect == "sqlite":
        database.backup(folder / SQLITE)
        return folder / SQLITE
    caches = f"--exclude-schema={vectors.SCHEMA}"
    _tool("pg_dump", database.url, "--format=custom", caches, f"--file={folder / POSTGRES}")
    return folder / POSTGRES


def events(database: Database) -> int:
    """How many answers and undos the log holds."""
    with database.read() as s:
        return s.scalar(select(func.count(AnswerRow.id))) or 0


def check(path: Path) -> None:
    """Read the whole copy as its own system does. Raises Broken in one sentence if it is damaged."""
    if path.name == POSTGRES:
        _run([_found("pg_restore"), "--list", str(path)], {})
        return
    try:
        connection = sqlite.MODULE.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        finally:
            connection.close()
    except sqlite.MODULE.Error as error:
        raise Broken(f"the database in {path.parent.name} cannot be read ({error}). Use another backup.") from error
    if said != ["ok"]:
        raise Broken(f"the database in {path.parent.name} is damaged ({said[0]}). Use another backup.")


def put_back(path: Path, url: str) -> None:
    """Make the database at `url` from a copy, once `fits` said that it may be."""
    parsed = parse_url(url)
    if path.name == POSTGRES:
        _tool("pg_restore", url, "--exit-on-error", "--no-owner", "--single-transaction", str(path))
        return
    target = Path(str(parsed.database))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    shutil.copyfile(path, partial)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)


def fits(path: Path, url: str) -> None:
    """Raises Refused unless the database at `url` is of the copy's kind and holds no table yet."""
    kind = parse_url(url).get_backend_name()
    if (kind == "sqlite") is (path.name == POSTGRES):
        raise Refused(f"{path.name} cannot become {kind}. Give a --database-url of its kind; nothing was changed.")
    if not _is_empty(url):
        raise Refused("there is a database already. Give an empty one with --database-url; nothing was changed.")


def _is_empty(url: str) -> bool:
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return not Path(str(parsed.database)).exists()
    engine = make_engine(url)
    try:
        return not inspect(engine).get_table_names()
    finally:
        engine.dispose()


def _tool(name: str, url: str, *arguments: str) -> None:
    """One of PostgreSQL's tools on this database; the password goes by the environment, where `ps` does not show it."""
    parsed = parse_url(url)
    host = parsed.host or parsed.query.get("host")
    said = {"PGHOST": host, "PGPORT": parsed.port, "PGUSER": parsed.username, "PGPASSWORD": parsed.password}
    known = {key: str(value) for key, value in said.items() if value}
    _run([_found(name), f"--dbname={parsed.database}", *arguments], known)


def _found(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise Refused(f"{name} is not on this machine's PATH. Install PostgreSQL's client tools (postgresql-client).")
    return path


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise Broken(f"{Path(command[0]).name} failed: {words[-1] if words else f'code {done.returncode}'}")

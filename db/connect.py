"""From a database URL to an engine: SQLite by `pysqlite3`, PostgreSQL by `psycopg`."""

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from db import sqlite
from db.errors import BadInput

_POSTGRES = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # ms: a black-holed connection is noticed
    "options": "-c statement_timeout=120000 -c lock_timeout=30000 -c idle_in_transaction_session_timeout=120000",
}


def parse_url(url: str) -> URL:
    """A URL we support, with the driver filled in. Raises BadInput."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is not None and parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite")
    if parsed is not None and parsed.get_backend_name() in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise BadInput(
        f"database URL must be sqlite:///FILE or postgresql://USER@HOST/NAME, got {url.split('@')[-1]!r}. Correct it."
    )


def make_engine(url: str, **settings: Any) -> Engine:
    """An engine for one of the two dialects. Raises BadInput for any other, or when the driver is missing."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return sqlite.make_engine(parsed, **settings)
    if "poolclass" not in settings:
        settings["pool_pre_ping"] = True
    try:
        return create_engine(parsed, connect_args=_POSTGRES, **settings)
    except ModuleNotFoundError as error:
        raise BadInput("PostgreSQL needs its driver. Install it: pip install 'pairwright[postgres]'.") from error

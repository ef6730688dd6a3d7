"""The one statement both databases spell alike but SQLAlchemy keeps apart: INSERT ... ON CONFLICT."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.tables import Base


def is_sqlite(s: Session) -> bool:
    """Whether this session talks to SQLite."""
    return s.get_bind().dialect.name == "sqlite"


def upsert(s: Session, table: type[Base]) -> Any:
    """INSERT into a table, to be followed by `.on_conflict_do_nothing(...)` or `.on_conflict_do_update(...)`."""
    return sqlite.insert(table) if is_sqlite(s) else postgresql.insert(table)

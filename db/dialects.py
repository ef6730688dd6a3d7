"""The one statement both databases spell alike but SQLAlchemy keeps apart: INSERT ... ON CONFLICT."""

from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.tables import Base


def is_sqlite(s: Session) -> bool:
    """Whether this session talks to SQLite."""
    return s.get_bind().dialect.name == "sqlite"


def upsert(s: Session, row: type[Base]) -> Any:
    """INSERT into a table, to be followed by `.on_conflict_do_nothing(...)` or `.on_conflict_do_update(...)`."""
    return sqlite.insert(row) if is_sqlite(s) else postgresql.insert(row)


def table(row: type[Base]) -> Table:
    """The table of a row class: statements on it skip the ORM, where speed counts."""
    return cast(Table, row.__table__)

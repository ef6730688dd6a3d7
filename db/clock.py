"""The database's own clock: leases must not depend on whose watch is right."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Double
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

SKEW_S = 60.0  # a clock may be set back by so much before what was leased under it counts as leased in the future


class Moment(TypeDecorator[datetime]):
    """A point in time: seconds since 1970 in the database, an aware UTC datetime in Python."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        """Accepts a datetime (naive means UTC) or seconds."""
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        return None if value is None else float(value)

    def process_result_value(self, value: float | None, dialect: Dialect) -> datetime | None:
        """Seconds become an aware datetime."""
        return None if value is None else datetime.fromtimestamp(value, UTC)


class now(FunctionElement[datetime]):
    """Seconds since 1970 by the database's clock; `now() + 30.0` is half a minute later."""

    name = "now"
    inherit_cache = True  # so that statements with it are compiled once
    type = Moment()


@compiles(now, "sqlite")
def _sqlite(element: now, compiler: SQLCompiler, **_: Any) -> str:
    return "(SELECT (julianday('now') - 2440587.5) * 86400.0)"  # a subquery is computed once per statement


@compiles(now, "postgresql")
def _postgresql(element: now, compiler: SQLCompiler, **_: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"

"""How far a log may be read without missing an event that commits late.

On SQLite one writer at a time commits in the order of ids. On PostgreSQL a transaction can take id 9, another take
10 and commit first; a reader that remembers "seen up to 10" would never see 9. So every row carries its transaction
id, and readers leave out rows that are as young as a transaction still running. Nobody waits for anybody.
Ids at or above the snapshot's upper end come from another server (a restored dump) and count as settled.
"""

from sqlalchemy import ColumnElement, text, true
from sqlalchemy.orm import InstrumentedAttribute, Session

_MINE = text("SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)")
_SETTLED = """({column} IS NULL
    OR {column} < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)
    OR {column} >= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)
    OR {column} = CAST(CAST(pg_current_xact_id_if_assigned() AS TEXT) AS BIGINT))"""


def transaction(s: Session) -> int | None:
    """This transaction's id, to be taken BEFORE a row of the log takes its own; None on SQLite. Asked for once."""
    if s.get_bind().dialect.name == "sqlite":
        return None
    known, xid = s.info.get("xid", (None, None))
    if known is not s.get_transaction() or xid is None:
        xid = s.scalar(_MINE)
        s.info["xid"] = (s.get_transaction(), xid)
    return xid  # type: ignore[no-any-return]


def settled(s: Session, xid: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """Condition: no transaction that could still commit an earlier row is running."""
    if s.get_bind().dialect.name == "sqlite":
        return true()
    return text(_SETTLED.format(column=f"{xid.class_.__tablename__}.xid"))  # type: ignore[return-value]

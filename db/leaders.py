"""One leader at a time for a name, such as the trainer of a criterion; its fencing token grows with every change."""

from sqlalchemy import ColumnElement, case, or_, select, text, update
from sqlalchemy.orm import Session

from db import checks
from db.clock import SKEW_S, now
from db.dialects import is_sqlite, upsert
from db.errors import StaleLease
from db.tables import LeaderRow

PAUSED_S = 15  # a leader that does nothing for so long in the middle of a write loses the write


def lead(s: Session, name: str, holder: str, lease_s: float = 30) -> int | None:
    """Become or stay the leader for `lease_s` seconds; returns the fencing token, None while somebody else leads.

    holder: unique to the process. Whoever let the lease run out gets a larger token, even if nobody came between.
    """
    checks.number(lease_s, "lease_s", 0, 86_400)
    _let_go(s)
    row = {"name": checks.text(name, "a leader's name", 200), "holder": checks.text(holder, "a holder", 200)}
    statement = upsert(s, LeaderRow).values(**row, token=1, expires_at=now() + lease_s)
    ours, over = LeaderRow.holder == statement.excluded.holder, _over(lease_s)
    changed = {
        "holder": statement.excluded.holder,
        "expires_at": statement.excluded.expires_at,
        "token": case((over, LeaderRow.token + 1), else_=LeaderRow.token),
    }
    statement = statement.on_conflict_do_update(index_elements=["name"], set_=changed, where=or_(ours, over))
    return s.scalar(statement.returning(LeaderRow.token))  # type: ignore[no-any-return]


def _let_go(s: Session) -> None:
    """A process paused in the middle of this transaction keeps the row from the next leader; PostgreSQL then ends it.
    On SQLite nobody but the server that started the process can (`app.children`)."""
    if not is_sqlite(s):
        s.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{PAUSED_S}s'"))


def _over(lease_s: float) -> ColumnElement[bool]:
    """Run out, or further ahead than any lease: then the clock was wrong when it was given."""
    return or_(LeaderRow.expires_at <= now(), LeaderRow.expires_at > now() + (10 * lease_s + SKEW_S))


def check_lead(s: Session, name: str, token: int) -> None:
    """Go on only as the leader: holds the row until this transaction ends. Raises StaleLease."""
    _let_go(s)
    query = select(LeaderRow.token).where(LeaderRow.name == name, LeaderRow.expires_at > now()).with_for_update()
    if s.scalar(query) != token:
        raise StaleLease(f"somebody else leads '{name}' by now. Nothing was changed; stop and ask to lead again.")


def resign(s: Session, name: str, token: int) -> None:
    """Stop leading at once, so that the next one need not wait. Does nothing if somebody else leads."""
    mine = (LeaderRow.name == name, LeaderRow.token == token)
    s.execute(update(LeaderRow).where(*mine).values(expires_at=0.0))

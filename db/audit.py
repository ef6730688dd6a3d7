"""Who did what to the installation: people, tokens, sign-ins, promotions. Rows are only added.

Answers are not in here: they have a log of their own, `db.feedback`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from db import checks
from db.clock import now
from db.tables import AuditRow

ACTIONS = (
    "sign in", "sign-in refused", "sign out", "add user", "change user", "new password", "issue token", "revoke token",
    "promote", "roll back", "add criterion", "import", "cancel job", "refresh", "backup", "export",
)  # fmt: skip


RECENT = 2000  # newest lines that `lately` looks at


@dataclass(frozen=True)
class Entry:
    """One line. actor: a user's name, or what was typed as one; target: what it was done to."""

    id: int
    actor: str
    action: str
    target: str
    detail: Mapping[str, Any]
    at: datetime


def note(s: Session, actor: str, action: str, target: str = "", **detail: Any) -> None:
    """Write a line, in the transaction of what it tells about. Never give it a secret. Raises BadInput."""
    row = {
        "actor": checks.storable(actor)[:200],
        "action": checks.one_of(action, "action", ACTIONS),
        "target": checks.storable(target)[:400],
        "detail": checks.plain(detail),
    }
    s.execute(insert(AuditRow), row)


def history(s: Session) -> Iterator[Entry]:
    """Every line, the oldest first."""
    for row in s.scalars(select(AuditRow).order_by(AuditRow.id).execution_options(yield_per=1000)):
        yield Entry(row.id, row.actor, row.action, row.target, row.detail, row.created_at)


def page(s: Session, *, before: int | None = None, actor: str | None = None, limit: int = 100) -> list[Entry]:
    """Newest first. before: only lines older than this id; actor: only this one's."""
    query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.id < before)
    if actor is not None:
        query = query.where(AuditRow.actor == actor)
    return [Entry(row.id, row.actor, row.action, row.target, row.detail, row.created_at) for row in s.scalars(query)]


def lately(s: Session, action: str, target: str, within_s: float) -> int:
    """How often this was done to this target in the last seconds, among the newest lines."""
    newest = select(AuditRow).order_by(AuditRow.id.desc()).limit(RECENT).subquery()
    mine = (newest.c.action == action, newest.c.target == target, newest.c.created_at > now() - within_s)
    return s.scalar(select(func.count()).select_from(newest).where(*mine)) or 0

"""Sessions of robots and of people who sort beside them: who streams what they see under which criterion.

    open  <->  paused,  both  ->  closed

Several may be open on one criterion; what they say goes into the same logs (`db.observations`, `db.placements`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import catalog, checks, events, kept
from db.errors import Conflict, NotFound
from db.tables import ObservationRow, PlacementRow, SessionRow

OPEN, PAUSED, CLOSED = "open", "paused", "closed"
MOVES = {"pause": (PAUSED, "paused"), "resume": (OPEN, "resumed"), "close": (CLOSED, "closed")}


@dataclass(frozen=True)
class RobotSession:
    """source: who opened it. settings: how it wants to be answered, as it was opened."""

    id: int
    criterion: int
    name: str
    state: str
    settings: Mapping[str, Any]
    source: str
    created_at: datetime


@dataclass(frozen=True)
class Tally:
    """How many rows a session has in the logs. statements: placements, corrections and abstentions."""

    observations: int = 0
    statements: int = 0


def begin(
    s: Session, criterion: int | str, name: str, settings: Mapping[str, Any], source: str, key: str
) -> tuple[RobotSession, bool]:
    """Open a session; (it, whether the same key had opened it before).

    Raises: NotFound for the criterion, BadInput for a bad name or a key used for another session.
    """
    about = catalog.criterion(s, criterion)
    given, told = checks.name(name, "session"), checks.plain(settings)
    row = {**kept.signed(source, key, about.id, given, told), "criterion_id": about.id, "name": given}
    if (there := kept.earlier(s, SessionRow, row)) is not None:
        return _noun(there), True
    made = kept.add(s, SessionRow, {**row, "state": OPEN, "settings": told})
    tell(s, made, about.id, "opened", source=row["source"])
    return session(s, made), False


def session(s: Session, id: int) -> RobotSession:
    """One session. Raises NotFound."""
    return _noun(_row(s, id))


def sessions(s: Session, criterion: int | None, before: int | None, limit: int) -> list[RobotSession]:
    """Sessions, newest first; those below the id `before`, of one criterion or of all."""
    query = select(SessionRow).order_by(SessionRow.id.desc()).limit(limit)
    if criterion is not None:
        query = query.where(SessionRow.criterion_id == criterion)
    if before is not None:
        query = query.where(SessionRow.id < before)
    return [_noun(row) for row in s.scalars(query)]


def move(s: Session, id: int, action: str, source: str) -> RobotSession:
    """Pause, resume or close a session; one that is there already stays as it is.

    Raises: NotFound, BadInput for another action, Conflict where the session is closed.
    """
    state, what = MOVES[checks.one_of(action, "action", MOVES)]
    row = _row(s, id, alone=True)
    if row.state == state:
        return _noun(row)
    if row.state == CLOSED:
        raise Conflict(f"session {id} is closed. Open a new one; it knows everything that this one was shown.")
    row.state = state
    s.flush()
    tell(s, id, row.criterion_id, what, source=source)
    return _noun(row)


def working(s: Session, id: int, *, alone: bool = False) -> RobotSession:
    """A session that takes observations now. alone: nobody else may write to it until this transaction ends.

    Raises: NotFound, Conflict where it is paused or closed.
    """
    row = _row(s, id, alone=alone)
    if row.state == PAUSED:
        raise Conflict(f"session {id} is paused. Resume it first.")
    if row.state == CLOSED:
        raise Conflict(f"session {id} is closed. Open a new one; it knows everything that this one was shown.")
    return _noun(row)


def tally(s: Session, id: int) -> Tally:
    """How much a session has said so far."""
    counted = (
        s.scalar(select(func.count(table.id)).where(table.session_id == id)) or 0
        for table in (ObservationRow, PlacementRow)
    )
    return Tally(*counted)


def tell(s: Session, id: int, criterion: int, what: str, **more: Any) -> None:
    """Let every screen hear of it."""
    events.publish(s, "session", {"session": id, "what": what, **more}, criterion)


def _row(s: Session, id: int, *, alone: bool = False) -> SessionRow:
    row = s.get(SessionRow, checks.row_id(id, "a session's id"), with_for_update=alone or None)
    if row is None:
        raise NotFound(f"no session with id {id}. List them to see their ids.")
    return row


def _noun(row: SessionRow) -> RobotSession:
    return RobotSession(
        row.id, row.criterion_id, row.name, row.state, row.settings, row.source, row.created_at
    )  # fmt: skip

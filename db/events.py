"""What happened, for every process that shows it: answers, training, promotions. Read by server-sent events.

An event is written with the change it tells of, in the same transaction. Kinds and payloads:
    answer {answer, question, source} · undo {answer, undone, source} · questions {open}
    training {run, step, of, loss} · version {version, metrics} · promotion {version, previous}
    job {job, state, progress, note} · conflict {...} · name {item, name, source}
    synthetic {picture, anchor, collection, state, source} · items {collection}: known items gained metadata
    session {session, what, ...}: opened, paused, resumed, closed, observation, placement, correction, abstention
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from db import checks, horizon
from db.tables import EventRow

KINDS = (
    "answer", "undo", "questions", "training", "version", "promotion", "job", "conflict", "name", "session",
    "synthetic", "items",
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """One line for the screens. `id` grows; a listener that saw it asks for what came after."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    criterion: int | None
    created_at: datetime


def publish(s: Session, kind: str, payload: Mapping[str, Any], criterion: int | None = None) -> None:
    """Tell every listener, once this transaction commits. Raises BadInput for an unknown kind."""
    checks.one_of(kind, "an event's kind", KINDS)
    row = {"kind": kind, "payload": checks.plain(payload), "criterion_id": criterion}
    s.info.setdefault("events", []).append(row)


def flush(s: Session) -> None:
    """Write what was published; `Database.write()` calls this just before it commits."""
    if waiting := s.info.pop("events", []):
        xid = horizon.transaction(s)
        s.execute(insert(EventRow), [{**row, "xid": xid} for row in waiting])


def since(s: Session, event_id: int, limit: int = 200) -> list[Event]:
    """Events after `event_id`, oldest first. None is ever skipped, also when transactions commit out of order."""
    query = select(EventRow).where(EventRow.id > event_id, horizon.settled(s, EventRow.xid))
    rows = s.scalars(query.order_by(EventRow.id).limit(limit))
    return [Event(row.id, row.kind, row.payload, row.criterion_id, row.created_at) for row in rows]


def latest(s: Session) -> int:
    """Id of the newest event a listener may start after; 0 if there is none."""
    return s.scalar(select(func.max(EventRow.id)).where(horizon.settled(s, EventRow.xid))) or 0


def newest(s: Session, kind: str) -> int:
    """Id of the newest event of a kind; 0 if there is none, or none any more."""
    return s.scalar(select(func.max(EventRow.id)).where(EventRow.kind == kind, horizon.settled(s, EventRow.xid))) or 0


def prune(s: Session, keep: int = 10_000) -> int:
    """Delete all but the newest `keep` events; returns how many went."""
    return s.execute(delete(EventRow).where(EventRow.id <= latest(s) - keep)).rowcount  # type: ignore[attr-defined]

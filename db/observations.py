"""What sessions saw: one row for each look at a thing, added once and never changed.

A thing is what a session calls by one `object`; without such a name every observation is a thing of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import catalog, checks, horizon, kept, sessions
from db.errors import NotFound
from db.tables import ObservationRow

Thing = tuple[int, str]  # session, and the object in it or "#" with the observation's id


@dataclass(frozen=True)
class Look:
    """A look on its way into the log. item: id of the picture. seen_at, place: as the robot tells them."""

    item: int
    object: str = ""
    seen_at: datetime | None = None
    place: str = ""


@dataclass(frozen=True)
class Observation:
    """One look that is in the log. reply: what the robot was told."""

    id: int
    session: int
    item: int
    object: str
    seen_at: datetime | None
    place: str
    reply: Mapping[str, Any]
    source: str
    created_at: datetime

    @property
    def thing(self) -> Thing:
        """What it is a look at."""
        return thing_of(self.session, self.object, self.id)


def thing_of(session: int, object: str, observation: int) -> Thing:
    """The thing behind an observation."""
    return session, object or f"#{observation}"


def earlier(s: Session, session: int, look: Look, source: str, key: str) -> Observation | None:
    """The observation that this source sent with this key; None if it is new. Raises BadInput where it was another."""
    found = kept.earlier(s, ObservationRow, _row(session, look, source, key))
    return None if found is None else _noun(found)


def add(
    s: Session, session: int, look: Look, reply: Mapping[str, Any], source: str, key: str
) -> tuple[Observation, bool]:
    """Write a look down; (it, whether it was there before). The reply of the first time stands.

    Raises: NotFound for an item of another collection, BadInput for what cannot be stored or a key used otherwise,
    Conflict where the session is not open.
    """
    if (known := earlier(s, session, look, source, key)) is not None:
        return known, True
    there = sessions.working(s, session, alone=True)
    catalog.require_items(s, catalog.criterion(s, there.criterion).collection, [look.item])
    row = _row(there.id, look, source, key)
    made = kept.add(s, ObservationRow, {**row, "criterion_id": there.criterion, "reply": checks.plain(reply)})
    sessions.tell(s, there.id, there.criterion, "observation", observation=made, item=look.item, source=source)
    return observation(s, made), False


def observation(s: Session, id: int) -> Observation:
    """One observation. Raises NotFound."""
    row = s.get(ObservationRow, checks.row_id(id, "an observation's id"))
    if row is None:
        raise NotFound(f"no observation with id {id}. List those of the session to see their ids.")
    return _noun(row)


def newest_of(s: Session, session: int, object: str) -> Observation:
    """The last look at an object. Raises NotFound where the session never saw it."""
    mine = (ObservationRow.session_id == session, ObservationRow.object == object)
    row = s.scalar(select(ObservationRow).where(*mine).order_by(ObservationRow.id.desc()).limit(1))
    if row is None or not object:
        raise NotFound(f"session {session} has seen no object '{object:.80}'. Send an observation of it first.")
    return _noun(row)


def page(s: Session, session: int, before: int | None, limit: int) -> list[Observation]:
    """Observations of a session, newest first; those below the id `before`."""
    query = select(ObservationRow).where(ObservationRow.session_id == session)
    if before is not None:
        query = query.where(ObservationRow.id < before)
    return [_noun(row) for row in s.scalars(query.order_by(ObservationRow.id.desc()).limit(limit))]


def since(s: Session, criterion: int, after: int) -> list[Observation]:
    """Observations of every session under a criterion after an id, oldest first. None is ever stepped over."""
    mine = (ObservationRow.criterion_id == criterion, ObservationRow.id > after)
    query = select(ObservationRow).where(*mine, horizon.settled(s, ObservationRow.xid))
    return [_noun(row) for row in s.scalars(query.order_by(ObservationRow.id))]


def _row(session: int, look: Look, source: str, key: str) -> dict[str, Any]:
    checks.row_id(look.item, "an item's id")
    named = {
        "object": checks.text(look.object, "an object", 200, shortest=0),
        "place": checks.text(look.place, "a place", 200, shortest=0),
    }
    said = (session, look.item, named, look.seen_at)
    return {
        **kept.signed(source, key, *said), **named,
        "session_id": session, "item_id": look.item, "seen_at": look.seen_at,
    }  # fmt: skip


def _noun(row: ObservationRow) -> Observation:
    return Observation(
        row.id, row.session_id, row.item_id, row.object, row.seen_at, row.place, row.reply, row.source, row.created_at
    )

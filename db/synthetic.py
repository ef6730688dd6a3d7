"""Synthetic pictures: made by a generator of one item, its anchor; proposed, then accepted or rejected by an oracle.

    add -> proposed -> decide -> accepted | rejected (-> proposed again) ...

They are no items and have tables of their own, so nothing that lists, searches, groups, counts or exports items can
meet one. They belong to the anchor, not to a criterion. Pictures and verdicts are added, never changed: the newest
verdict about a picture is its state.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from db import catalog, checks, events
from db.dialects import upsert
from db.errors import BadInput, NotFound
from db.tables import SyntheticRow, SyntheticVerdictRow


class State(StrEnum):
    """What the oracle says of a synthetic picture: may it stand for its anchor?"""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True)
class NewPicture:
    """One picture on its way in. anchor: the item it was made of. maker: SHA-256 of the generator's weights. settings:
    of the generator, plain values. path is relative to the workspace."""

    anchor: int
    sha256: str
    width: int
    height: int
    path: str
    method: str
    maker: str
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SyntheticPicture(NewPicture):
    """One that is stored. source, decided_at: who said so and when, "" and None while it is only proposed."""

    id: int = 0
    collection: int = 0
    state: State = State.PROPOSED
    source: str = ""
    decided_at: datetime | None = None

    @property
    def name(self) -> str:
        """What it is called in logs."""
        return f"synthetic picture {self.id} of item {self.anchor}"


@dataclass(frozen=True)
class Decided:
    """The receipt of a verdict. A retry gets the same, with `replayed` set."""

    id: int
    picture: int
    state: State
    replayed: bool = False


def add(s: Session, collection: int, new: Sequence[NewPicture]) -> int:
    """Propose pictures; the same bytes of the same anchor again are no change. Returns how many are new.

    Raises: BadInput for a field that cannot be stored, NotFound for an anchor outside the collection.
    """
    if not new:
        return 0
    catalog.require_items(s, collection, sorted({one.anchor for one in new}))
    rows = [_checked(one, collection) for one in new]
    statement = upsert(s, SyntheticRow).on_conflict_do_nothing(index_elements=["anchor_id", "sha256"])
    added = len(s.scalars(statement.returning(SyntheticRow.id), rows).all())
    if added:
        told = {"picture": None, "anchor": None, "collection": collection, "state": State.PROPOSED, "source": ""}
        events.publish(s, "synthetic", told)
    return added


def decide(s: Session, picture: int, state: State, source: str, key: str) -> Decided:
    """Accept or reject a picture, or take the verdict back with `proposed`. Once per (source, key).

    Raises: NotFound for the picture, BadInput for a key that was used for another verdict.
    """
    there = one(s, picture)
    row = {
        "picture_id": there.id,
        "state": checks.one_of(str(state), "state", [known.value for known in State]),
        "source": checks.text(source, "a source", 200),
        "key": checks.text(key, "an idempotency key", 200),
    }
    made = s.scalar(upsert(s, SyntheticVerdictRow).on_conflict_do_nothing().returning(SyntheticVerdictRow.id), row)
    if made is None:
        return _replay(s, row)
    told = {"picture": there.id, "anchor": there.anchor, "collection": there.collection, "state": row["state"]}
    events.publish(s, "synthetic", told | {"source": row["source"]})
    return Decided(made, there.id, State(str(row["state"])))


def one(s: Session, id: int) -> SyntheticPicture:
    """One picture. Raises NotFound."""
    found = s.execute(_with_state().where(SyntheticRow.id == checks.row_id(id, "a synthetic picture's id"))).first()
    if found is None:
        raise NotFound(f"no synthetic picture with id {id}. List those of the collection to see their ids.")
    return _picture(*found)


def pictures(
    s: Session, collection: int, states: Iterable[State] = tuple(State), after: int = 0, limit: int | None = None
) -> list[SyntheticPicture]:
    """Those of a collection that are in one of these states, by id, behind the id `after`."""
    query = _with_state().where(SyntheticRow.collection_id == collection, SyntheticRow.id > after)
    query = query.where(_STATE.in_([str(state) for state in states]))
    return [_picture(*found) for found in s.execute(query.order_by(SyntheticRow.id).limit(limit))]


def counts(s: Session, collection: int) -> dict[State, int]:
    """How many pictures of a collection are in each state."""
    inner = _with_state().where(SyntheticRow.collection_id == collection).subquery()
    rows = s.execute(select(inner.c.now, func.count()).group_by(inner.c.now))
    found = {State(state): int(count) for state, count in rows}
    return {state: found.get(state, 0) for state in State}


def made_by(s: Session, collection: int, maker: str, seed: int) -> set[int]:
    """Anchors that a generator with these weights has made pictures of with this seed."""
    mine = (SyntheticRow.collection_id == collection, SyntheticRow.maker == maker, SyntheticRow.seed == seed)
    return set(s.scalars(select(SyntheticRow.anchor_id).where(*mine).distinct()))


_STATE = func.coalesce(SyntheticVerdictRow.state, State.PROPOSED.value)


def _with_state() -> Any:
    """Every picture beside its newest verdict."""
    newest = (
        select(func.max(SyntheticVerdictRow.id))
        .where(SyntheticVerdictRow.picture_id == SyntheticRow.id)
        .correlate(SyntheticRow)
        .scalar_subquery()
    )
    last = and_(SyntheticVerdictRow.picture_id == SyntheticRow.id, SyntheticVerdictRow.id == newest)
    columns = (_STATE.label("now"), SyntheticVerdictRow.source, SyntheticVerdictRow.created_at.label("decided_at"))
    return select(SyntheticRow, *columns).outerjoin(SyntheticVerdictRow, last)


def _picture(row: SyntheticRow, state: str, source: str | None, at: datetime | None) -> SyntheticPicture:
    decided = state != State.PROPOSED
    return SyntheticPicture(
        row.anchor_id, row.sha256, row.width, row.height, row.path, row.method, row.maker, row.seed, row.settings,
        row.id, row.collection_id, State(state), (source or "") if decided else "", at if decided else None,
    )  # fmt: skip


def _checked(new: NewPicture, collection: int) -> dict[str, Any]:
    size = {side: int(checks.number(getattr(new, side), side, 1, 2**31)) for side in ("width", "height")}
    return {
        "collection_id": collection,
        "anchor_id": checks.row_id(new.anchor, "an anchor's id"),
        "sha256": checks.sha256(new.sha256),
        **size,
        "path": checks.relative_path(new.path, "a synthetic picture's path"),
        "method": checks.name(new.method, "method"),
        "maker": checks.sha256(new.maker),
        "seed": int(checks.number(new.seed, "seed", 0, 2**53)),
        "settings": checks.plain(new.settings),
    }


def _replay(s: Session, row: Mapping[str, Any]) -> Decided:
    mine = (SyntheticVerdictRow.source == row["source"], SyntheticVerdictRow.key == row["key"])
    earlier = s.scalars(select(SyntheticVerdictRow).where(*mine)).one()
    if (earlier.picture_id, earlier.state) != (row["picture_id"], row["state"]):
        raise BadInput(f"the idempotency key '{row['key']:.80}' was used for another verdict. Use a new key for each.")
    return Decided(earlier.id, earlier.picture_id, State(earlier.state), replayed=True)

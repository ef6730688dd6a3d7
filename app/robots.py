"""What happens when a session sees something: the picture is kept, looked at, answered, and written down, once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from app.importers.decode import Stored
from app.sorters import Sorters
from db import catalog, observations, sessions, versions
from db.catalog import NewItem
from db.observations import Look, Observation
from db.sessions import RobotSession
from oracle.sorting import Costs, Sorted

ENCODER = "lite0"  # until a version is served that has another one
RANKED = 10  # bins of a reply
By = tuple[str, str]  # source, idempotency key


@dataclass(frozen=True)
class Sight:
    """A look as it arrives: the bytes of a picture, or the id of an item of the collection."""

    encoded: bytes | None = None
    item: int | None = None
    object: str = ""
    seen_at: datetime | None = None
    place: str = ""


@dataclass(frozen=True)
class _Picture:
    """A picture that has just been stored."""

    sha: str
    stored: Stored


def begin(s: Session, criterion: int | str, name: str, costs: Costs, by: By) -> tuple[RobotSession, bool]:
    """Open a session that sees with the encoder of the served version; (it, whether it was open before).

    Raises as `db.sessions.begin`.
    """
    about = catalog.criterion(s, criterion).id
    served = versions.current(s, about)
    settings = {"encoder": served.encoder if served else ENCODER, "ask_s": costs.ask_s, "wrong_s": costs.wrong_s}
    return sessions.begin(s, about, name, settings, *by)


def observe(sorters: Sorters, session: int, sight: Sight, by: By) -> tuple[Observation, bool]:
    """The observation as it is in the log, and whether it was there before.

    Raises: BadInput for what is no picture or a key used otherwise, NotFound for the session or an item that the
    collection does not hold, Conflict where the session is not open.
    """
    with sorters.database.read() as s:
        there = sessions.session(s, session)
        collection = catalog.criterion(s, there.criterion).collection
        item = _known(s, collection, sight)
        if item is not None and (before := observations.earlier(s, session, _look(sight, item), *by)) is not None:
            return before, True
        sessions.working(s, session)
    vector, picture = _seen(sorters, there, item, sight)
    costs = Costs(float(there.settings["ask_s"]), float(there.settings["wrong_s"]))
    thing = observations.thing_of(session, sight.object, 0)
    answer = sorters.place(there.criterion, str(there.settings["encoder"]), thing, vector, costs)
    with sorters.database.write() as s:
        item = item or _added(s, collection, sight, picture)
        return observations.add(s, session, _look(sight, item), told(answer), *by)


def told(answer: Sorted) -> dict[str, Any]:
    """A reply as it is kept."""
    return {
        "action": answer.action, "bin": answer.bin, "confidence": round(answer.confidence, 4),
        "new": round(answer.new, 4), "known": answer.known,
        "ranking": [[name, round(chance, 4)] for name, chance in answer.ranking[:RANKED]],
    }  # fmt: skip


def _known(s: Session, collection: int, sight: Sight) -> int | None:
    """Id of the item that was seen, if the collection has it. Raises NotFound for an item it does not hold."""
    if sight.item is not None:
        catalog.require_items(s, collection, [sight.item])
        return sight.item
    there = catalog.item_by_sha(s, collection, hashlib.sha256(sight.encoded or b"").hexdigest())
    return None if there is None else there.id


def _seen(
    sorters: Sorters, there: RobotSession, item: int | None, sight: Sight
) -> tuple[np.ndarray, _Picture | None]:  # fmt: skip
    """(D,) raw features, and the picture where it was not there before."""
    encoder = str(there.settings["encoder"])
    if item is None:
        sha, stored, vector = sorters.keep(encoder, sight.encoded or b"")
        return vector, _Picture(sha, stored)
    with sorters.database.read() as s:
        known = catalog.item(s, item)
    return sorters.features(encoder, known), None


def _added(s: Session, collection: int, sight: Sight, picture: _Picture | None) -> int:
    """Id of the new item."""
    assert picture is not None
    new = NewItem(
        picture.sha, picture.stored.width, picture.stored.height, picture.stored.path, name=sight.object,
        taken_at=sight.seen_at, attributes={"place": sight.place} if sight.place else {},
    )  # fmt: skip
    catalog.add_items(s, collection, [new])
    made = catalog.item_by_sha(s, collection, picture.sha)
    assert made is not None
    return made.id


def _look(sight: Sight, item: int) -> Look:
    return Look(item, sight.object, sight.seen_at, sight.place)

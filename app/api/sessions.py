"""Sessions of robots: stream what is seen, hear where it goes, say where it was put. Never that it does not belong.

Every write keeps its idempotency key in its own row: sent again, it gets the reply of the first time.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app import robots
from app.api.context import Annotator, Context, Here, PathId, Viewer
from app.api.paging import Before, cut
from app.api.session_shapes import (
    BinOut,
    ObservationIn,
    ObservationOut,
    ObservationsOut,
    PlacementIn,
    PlacementOut,
    PlacementsOut,
    RankOut,
    SessionIn,
    SessionOut,
    SessionsOut,
)
from app.api.shapes import Which
from app.importers.decode import MAX_BYTES, TOO_MANY_BYTES
from app.robots import Sight
from db import catalog, observations, placements
from db import sessions as log
from db.errors import BadInput, NotFound
from db.observations import Observation
from db.placements import Placement
from db.sessions import RobotSession
from oracle.sorting import Costs

router = APIRouter(prefix="/sessions", tags=["sessions"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.post("", status_code=201)
def begin(here: Here, person: Annotator, given: SessionIn, reply: Response, key: Key = None) -> SessionOut:
    """Open a session on a criterion. Bins and what was learnt belong to the criterion: all its sessions share them."""
    with here.database.write() as s:
        by = (person.name, _needed(key))
        made, replayed = robots.begin(s, given.criterion, given.name, Costs(given.ask_s, given.wrong_s), by)
        found = _session(s, made)
    return _marked(reply, replayed, found)


@router.get("")
def page(
    here: Here, _: Viewer, criterion: Annotated[Which | None, Query()] = None, before: Before = None, limit: Limit = 50
) -> SessionsOut:
    """Sessions, newest first; of one criterion, or all."""
    with here.database.read() as s:
        about = None if criterion is None else catalog.criterion(s, criterion).id
        found, following = cut(log.sessions(s, about, before, limit + 1), limit)
        return SessionsOut(sessions=[_session(s, one) for one in found], next=following)


@router.get("/{id}")
def one(here: Here, _: Viewer, id: PathId) -> SessionOut:
    """One session, and the bins under its criterion."""
    with here.database.read() as s:
        return _session(s, log.session(s, id))


@router.post("/{id}/pause")
def pause(here: Here, person: Annotator, id: PathId) -> SessionOut:
    """Take no observations until it is resumed. A paused session stays paused."""
    return _moved(here, id, "pause", person.name)


@router.post("/{id}/resume")
def resume(here: Here, person: Annotator, id: PathId) -> SessionOut:
    """Go on where it was paused. An open session stays open."""
    return _moved(here, id, "resume", person.name)


@router.post("/{id}/close")
def close(here: Here, person: Annotator, id: PathId) -> SessionOut:
    """End it for good. What it has taught stays with the criterion."""
    return _moved(here, id, "close", person.name)


@router.post("/{id}/observations", status_code=201)
async def observe(
    here: Here, person: Annotator, id: PathId, request: Request, reply: Response, key: Key = None
) -> ObservationOut:
    """Show one look at a thing: JSON as documented, or a multipart form with the picture as `image`.

    The reply says where it goes: `sort` it into `bin`, `ask` a person, or `new`. The picture becomes an item of the
    criterion's collection.
    """
    given, encoded = await _read(request)
    sight = Sight(encoded, given.item, given.object, given.seen_at, given.place)
    by = (person.name, _needed(key))
    found, replayed = await run_in_threadpool(robots.observe, here.sorters, id, sight, by)
    return _marked(reply, replayed, _observation(found))


@router.get("/{id}/observations")
def looks(here: Here, _: Viewer, id: PathId, before: Before = None, limit: Limit = 50) -> ObservationsOut:
    """What a session saw and was told, newest first."""
    with here.database.read() as s:
        log.session(s, id)
        found, following = cut(observations.page(s, id, before, limit + 1), limit)
    return ObservationsOut(observations=[_observation(one) for one in found], next=following)


@router.post("/{id}/placements", status_code=201)
def place(
    here: Here, person: Annotator, id: PathId, given: PlacementIn, reply: Response, key: Key = None
) -> PlacementOut:
    """Say what was done with a thing. The newest statement about it stands; the older ones stay in the log."""
    if given.observation is None and not given.object:
        raise BadInput("observation or object says which thing is meant. Give one of them.")
    with here.database.write() as s:
        log.session(s, id)
        seen = (
            observations.newest_of(s, id, given.object)
            if given.observation is None
            else observations.observation(s, given.observation)
        )
        if seen.session != id or given.object not in ("", seen.object):
            raise NotFound(f"session {id} has no such observation {given.observation}. List those it has.")
        said, replayed = placements.add(s, seen, given.kind, given.bin, person.name, _needed(key))
    return _marked(reply, replayed, _placement(said))


@router.get("/{id}/placements")
def statements(here: Here, _: Viewer, id: PathId, before: Before = None, limit: Limit = 50) -> PlacementsOut:
    """What was said in a session, newest first."""
    with here.database.read() as s:
        log.session(s, id)
        found, following = cut(placements.page(s, id, before, limit + 1), limit)
    return PlacementsOut(placements=[_placement(one) for one in found], next=following)


# How an observation is read


async def _read(request: Request) -> tuple[ObservationIn, bytes | None]:
    """What was sent, and the picture's bytes unless it is an item. Raises BadInput."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _form(request)
    given = _valid(await request.body())
    if (given.image is None) is (given.item is None):
        raise BadInput("either image or item says what was seen. Give one of them.")
    if given.image is None:
        return given, None
    try:
        return given, _fits(base64.b64decode(given.image, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadInput("image = the bytes of a picture in base64 expected. Encode it anew.") from error


async def _form(request: Request) -> tuple[ObservationIn, bytes]:
    async with request.form(max_files=1, max_fields=10) as form:
        image = form.get("image")
        if not isinstance(image, UploadFile):
            raise BadInput("no picture came with this form. Send the file as `image`.")
        if image.size is not None and image.size > MAX_BYTES:
            raise BadInput(f"this picture cannot be used: {TOO_MANY_BYTES}.")
        fields = {name: value for name, value in form.items() if name != "image" and isinstance(value, str)}
        encoded = await image.read()
    try:
        return ObservationIn(**{name: value for name, value in fields.items() if value}), _fits(encoded)  # type: ignore[arg-type]
    except ValidationError as error:
        raise _misread(error) from error


def _valid(body: bytes) -> ObservationIn:
    try:
        return ObservationIn.model_validate_json(body)
    except ValidationError as error:
        raise _misread(error) from error


def _misread(error: ValidationError) -> BadInput:
    first = error.errors()[0]
    return BadInput(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}.")


def _fits(encoded: bytes) -> bytes:
    if not encoded or len(encoded) > MAX_BYTES:
        raise BadInput(f"this picture cannot be used: {TOO_MANY_BYTES if encoded else 'it is empty'}.")
    return encoded


# From the log to the shapes


def _moved(here: Context, id: int, action: str, source: str) -> SessionOut:
    with here.database.write() as s:
        return _session(s, log.move(s, id, action, source))


def _session(s: Any, one: RobotSession) -> SessionOut:
    tally, bins = log.tally(s, one.id), placements.bins(s, one.criterion)
    return SessionOut(
        id=one.id, criterion=one.criterion, name=one.name, state=one.state, source=one.source,  # type: ignore[arg-type]
        **one.settings, observations=tally.observations, statements=tally.statements, created_at=one.created_at,
        bins=[BinOut(bin=name, things=count) for name, count in bins.items()],
    )  # fmt: skip


def _observation(one: Observation) -> ObservationOut:
    told = dict(one.reply)
    ranking: Sequence[tuple[str, float]] = told.pop("ranking")
    return ObservationOut(
        id=one.id, session=one.session, item=one.item, object=one.object, **told,
        ranking=[RankOut(bin=name, confidence=chance) for name, chance in ranking],
        seen_at=one.seen_at, place=one.place, source=one.source, created_at=one.created_at,
    )  # fmt: skip


def _placement(one: Placement) -> PlacementOut:
    return PlacementOut(
        id=one.id, session=one.session, observation=one.observation, object=one.object, kind=one.kind,  # type: ignore[arg-type]
        bin=one.bin, supersedes=one.supersedes, source=one.source, created_at=one.created_at,
    )  # fmt: skip


def _marked(reply: Response, replayed: bool, found: Any) -> Any:
    reply.headers["Idempotency-Replayed"] = str(replayed).lower()
    return found


def _needed(key: str | None) -> str:
    if not key or not key.strip():
        raise BadInput("the header Idempotency-Key is missing. Send a new random one with everything new.")
    return key

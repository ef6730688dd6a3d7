"""Synthetic pictures: shown beside the item they were made of, accepted or rejected. They are never items."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from app.api import views
from app.api.context import Annotator, Here, PathId, Viewer
from app.api.items import served
from app.api.paging import After, cut
from app.api.shapes import Which
from app.api.synthetic_shapes import SyntheticIn, SyntheticOut, SyntheticsOut, SyntheticVerdictOut
from app.auth import Person, may
from db import catalog, synthetic
from db.errors import BadInput, Forbidden
from db.nouns import Item
from db.synthetic import State, SyntheticPicture

router = APIRouter(prefix="/synthetic", tags=["synthetic"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


@router.get("")
def page(
    here: Here,
    _: Viewer,
    collection: Which,
    state: State | None = None,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
) -> SyntheticsOut:
    """Synthetic pictures of a collection, by id; of one state, or all."""
    with here.database.read() as s:
        number = collection if isinstance(collection, int) else catalog.collection_id(s, collection)
        found, following = cut(synthetic.pictures(s, number, [state] if state else State, after, limit + 1), limit)
        return SyntheticsOut(
            collection=number, counts=synthetic.counts(s, number), pictures=_shown(s, found), next=following
        )


@router.get("/{id}")
def one(here: Here, _: Viewer, id: PathId) -> SyntheticOut:
    """One synthetic picture, with what was said of it."""
    with here.database.read() as s:
        return _shown(s, [synthetic.one(s, id)])[0]


@router.get("/{id}/picture", response_class=Response, responses={200: {"content": {"image/webp": {}}}})
def picture(here: Here, _: Viewer, request: Request, id: PathId, size: int = 512) -> Response:
    """The picture itself, re-encoded so that its longer side is at most `size`. It never changes."""
    with here.database.read() as s:
        found = synthetic.one(s, id)
    return served(here, request, found.sha256, found.path, size)


@router.post("/{id}/verdict", status_code=201)
def verdict(
    here: Here, person: Annotator, id: PathId, given: SyntheticIn, reply: Response, key: Key = None
) -> SyntheticVerdictOut:
    """Accept or reject a picture, or take the verdict back: own verdicts; curators also those of others. 201 means:
    stored for good. The same key again gets the same 201 and changes nothing."""
    if not key or not key.strip():
        raise BadInput("the header Idempotency-Key is missing. Send a new random one with every new verdict.")
    with here.database.write() as s:
        _mine(synthetic.one(s, id), given.state, person)
        made = synthetic.decide(s, id, given.state, person.name, key)
    reply.headers["Idempotency-Replayed"] = str(made.replayed).lower()
    return SyntheticVerdictOut(id=made.id, picture=made.picture, state=made.state)


def _mine(there: SyntheticPicture, state: State, person: Person) -> None:
    """Raises Forbidden where somebody takes back what another said."""
    others = there.state is not State.PROPOSED and there.source != person.name
    if state is State.PROPOSED and others and not may(person, "curator"):
        raise Forbidden(f"the verdict on synthetic picture {there.id} is not yours. Ask a curator to take it back.")


def _shown(s: Any, found: Any) -> list[SyntheticOut]:
    """With their anchors, fetched at once."""
    anchors = catalog.items_by_id(s, sorted({one.anchor for one in found}))
    return [_out(one, anchors[one.anchor]) for one in found]


def _out(one: SyntheticPicture, anchor: Item) -> SyntheticOut:
    return SyntheticOut(
        id=one.id, synthetic=True, media=f"/api/v1/synthetic/{one.id}/picture", anchor=views.media(anchor),
        method=one.method, maker=one.maker[:12], seed=one.seed, state=one.state, source=one.source,
        decided_at=one.decided_at,
    )  # fmt: skip

"""Items and their pictures. A picture leaves only re-encoded, by opaque id, to somebody who is signed in."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from PIL import Image

from app.api import views
from app.api.context import Context, Here, PathId, Viewer
from app.api.models import snapshot_of
from app.api.shapes import ItemOut, ItemsOut, NeighbourOut, NeighboursOut, Which
from db import catalog
from db.errors import BadInput

router = APIRouter(tags=["items"])
SIZES = (128, 256, 512, 1024)
Image.init()  # every decoder, now: the first pictures are asked for by several threads at once


@router.get("/items")
def page(
    here: Here,
    _: Viewer,
    collection: Which,
    after: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ItemsOut:
    """Items of a collection by id. next: pass it as `after` for the following page; none on the last."""
    with here.database.read() as s:
        found = catalog.page_items(s, _collection(s, collection), after, limit)
    return ItemsOut(items=[views.full_item(one) for one in found], next=found[-1].id if len(found) == limit else None)


def _collection(s: Any, name_or_id: int | str) -> int:
    return name_or_id if isinstance(name_or_id, int) else catalog.collection_id(s, name_or_id)


@router.get("/items/{id}")
def one(here: Here, _: Viewer, id: PathId) -> ItemOut:
    """One item with its attributes."""
    with here.database.read() as s:
        return views.full_item(catalog.item(s, id))


@router.get("/items/{id}/neighbours")
def neighbours(
    here: Here, _: Viewer, id: PathId, criterion: Which, limit: Annotated[int, Query(ge=1, le=20)] = 10
) -> NeighboursOut:
    """What the serving model version finds most alike, nearest first."""
    snapshot = snapshot_of(here, criterion)
    row = snapshot.position.get(id)
    if row is None:
        raise BadInput(f"the model has not seen item {id} yet. Try again when the trainer has looked at it.")
    near = [
        (int(snapshot.ids[at]), float(cosine))
        for at, cosine in zip(snapshot.neighbours[row], snapshot.cosines[row], strict=True)
    ]
    with here.database.read() as s:
        items = catalog.items_by_id(s, [item for item, _ in near[:limit]])
    found = [
        NeighbourOut(item=views.media(items[item]), cosine=cosine) for item, cosine in near[:limit] if item in items
    ]
    return NeighboursOut(version=snapshot.version, neighbours=found)


@router.get("/media/{id}", response_class=Response, responses={200: {"content": {"image/webp": {}}}})
def media(here: Here, _: Viewer, request: Request, id: PathId, size: int = 512) -> Response:
    """The picture of an item, re-encoded so that its longer side is at most `size`. It never changes."""
    with here.database.read() as s:
        item = catalog.item(s, id)
    return served(here, request, item.sha256, item.path, size)


def served(here: Context, request: Request, sha256: str, path: str, size: int) -> Response:
    """A picture of the media store, re-encoded. Raises BadInput for an odd size."""
    if size not in SIZES:
        raise BadInput(f"size must be one of {', '.join(map(str, SIZES))}, got {size}.")
    tag = f'"{sha256[:24]}-{size}"'
    headers = {"etag": tag, "cache-control": "private, max-age=31536000, immutable"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    from app.importers.media import media_bytes

    picture, kind = media_bytes(here.settings.folder, sha256, path, size)
    return Response(picture, media_type=kind, headers=headers)

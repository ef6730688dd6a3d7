"""Search: what looks like an item or a picture of one's own, steered by what is liked and what is not."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from app.api import colours, sentences, views
from app.api.context import Context, Here, Viewer
from app.api.models import current, index_of, snapshot_of_version
from app.api.search_shapes import FoundOut, SearchAboutOut, SearchIn, SearchOut, SeenOut
from app.api.shapes import Which
from app.eye import Read
from app.importers.decode import MAX_BYTES, TOO_MANY_BYTES
from db import catalog, versions
from db.errors import BadInput, Conflict
from db.nouns import Snapshot
from db.versions import Version

if TYPE_CHECKING:
    from trainer.searching import Searchable

router = APIRouter(prefix="/search", tags=["search"])
MOST = 2000  # results one can page through


@router.get("")
def about(here: Here, _: Viewer, criterion: Which) -> SearchAboutOut:
    """What can be searched, and with what."""
    with here.database.read() as s:
        found = catalog.criterion(s, criterion)
        version = versions.current(s, found.id)
        why = sentences.unable(s, found)
        size = next(one.items for one in catalog.collections(s) if one.id == found.collection)
    name = version.encoder if version else "lite0"
    return SearchAboutOut(
        version=version.id if version else None, encoder=name, items=size,
        sentence=why,
    )  # fmt: skip


@router.post("/picture")
async def picture(here: Here, _: Viewer, request: Request, criterion: Which) -> SeenOut:
    """See a picture (the whole body is the file) as the serving version does. It is kept nowhere."""
    encoded = await request.body()
    if not encoded:
        raise BadInput("no picture came with this request. Send the file as its body.")
    if len(encoded) > MAX_BYTES:
        raise BadInput(f"this picture cannot be searched with: {TOO_MANY_BYTES}.")
    version = await run_in_threadpool(current, here, criterion)
    vector = await run_in_threadpool(here.eye.see, version.encoder, version.artifact, encoded)
    return SeenOut(version=version.id, vector=base64.b64encode(vector.astype("<f4").tobytes()).decode())


@router.post("")
def search(here: Here, _: Viewer, given: SearchIn) -> SearchOut:
    """Items by cosine to what is looked for. What was asked with, liked or disliked is not among the results."""
    version = current(here, given.criterion)
    snapshot = snapshot_of_version(here, version)
    shown = {*given.items, *given.liked, *given.disliked}
    with here.database.read() as s:
        collection = catalog.criterion(s, given.criterion).collection
    rows = _rows_among(here, snapshot, collection, given)
    among = len(snapshot.ids) if rows is None else len(rows)
    most = min(MOST, among)
    wanted = min(given.after + given.limit + len(shown), most)
    index = index_of(here, version)
    read = _read(here, snapshot, version, given)
    scored = read is not None and read.scores is not None
    near, cosines = _ranked(index, snapshot, version, given, read, max(wanted, 1), rows)
    hits = [
        (int(snapshot.ids[at]), float(cosine))
        for at, cosine in zip(near.tolist(), cosines.tolist(), strict=True)
        if at >= 0 and int(snapshot.ids[at]) not in shown
    ]
    page = hits[given.after : given.after + given.limit]
    with here.database.read() as s:
        items = catalog.items_by_id(s, [item for item, _ in page])
    results = [FoundOut(item=views.full_item(items[item]), cosine=cosine) for item, cosine in page if item in items]
    left = most - sum(_is_among(snapshot, rows, one) for one in shown)
    return SearchOut(
        version=version.id, total=max(left, 0), among=among, engine="exact" if scored else index.kind,
        recall=1.0 if scored or rows is not None else index.recall, results=results,
    )  # fmt: skip


def _ranked(
    index: "Searchable", snapshot: Snapshot, version: Version, given: SearchIn, read: Read | None, wanted: int,
    rows: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """(k,) rows, nearest first, and their cosines: by the index, or as a network that read the sentence scores them."""
    if read is None or read.scores is None:
        sought = _sought(snapshot, version, given, None if read is None else read.vector)
        near, cosines = index.search(sought[None], wanted, rows)
        return near[0], cosines[0]
    among = np.arange(len(snapshot.ids)) if rows is None else rows
    order = among[np.argsort(-read.scores[among], kind="stable")[:wanted]]
    return order, read.scores[order]


def _read(here: Context, snapshot: Snapshot, version: Version, given: SearchIn) -> Read | None:
    """What was made of the sentence; None without one."""
    if not given.text.strip():
        return None
    _vectors(snapshot, [*given.liked, *given.disliked])
    with here.database.read() as s:
        about = catalog.criterion(s, given.criterion)
    return sentences.placed(here, about, version, given.text.strip(), given.liked, given.disliked)


def _is_among(snapshot: Snapshot, rows: np.ndarray | None, item: int) -> bool:
    row = snapshot.position.get(item)
    return row is not None and (rows is None or bool(np.isin(row, rows)))


def _rows_among(here: Context, snapshot: Snapshot, collection: int, given: SearchIn) -> np.ndarray | None:
    """Rows that the filters leave, None for all."""
    if not given.where:
        return None
    return np.flatnonzero(colours.members(here, collection, snapshot.ids, given.where))


def _sought(snapshot: Snapshot, version: Version, given: SearchIn, read: np.ndarray | None) -> np.ndarray:
    """(D,) unit vector. read: of the sentence. Raises BadInput where nothing is left to look for."""
    from trainer.steering import steered

    query = _query(snapshot, version, given) if read is None else read
    width = snapshot.vectors.shape[1]
    liked, disliked = (_stacked(_vectors(snapshot, ids), width) for ids in (given.liked, given.disliked))
    if query is None and not len(liked):
        raise BadInput("nothing to look for: give an item, a picture, a sentence, or something that is liked.")
    found = steered(query, liked, disliked)
    if not found.any():
        raise BadInput("what is liked and what is not cancel each other out. Take one of them back.")
    return found


def _query(snapshot: Snapshot, version: Version, given: SearchIn) -> np.ndarray | None:
    """What is searched with, before anything steers: a picture of one's own, or items."""
    from trainer.steering import queries

    return queries(_vectors(snapshot, given.items)) if given.vector is None else _seen(snapshot, version, given)


def _vectors(snapshot: Snapshot, ids: list[int]) -> list[np.ndarray]:
    rows = [(item, snapshot.position.get(item)) for item in ids]
    unseen = [item for item, row in rows if row is None]
    if unseen:
        raise BadInput(f"the model has not seen item {unseen[0]} yet. Try again when the trainer has looked at it.")
    return [snapshot.vectors[row] for _, row in rows]


def _stacked(rows: list[np.ndarray], width: int) -> np.ndarray:
    return np.stack(rows) if rows else np.zeros((0, width), np.float32)


def _seen(snapshot: Snapshot, version: Version, given: Any) -> np.ndarray:
    """The vector that came with the request. Raises Conflict where another version saw it."""
    if given.version != version.id:
        raise Conflict("another model version is served by now, which sees pictures otherwise. Send the picture again.")
    try:
        vector = np.frombuffer(base64.b64decode(given.vector, validate=True), "<f4")
    except (binascii.Error, ValueError) as error:
        raise BadInput("vector = what /search/picture replied expected.") from error
    if vector.shape != (snapshot.vectors.shape[1],) or not np.isfinite(vector).all() or not vector.any():
        raise BadInput(f"vector = {snapshot.vectors.shape[1]} finite numbers expected. Send the picture again.")
    return np.asarray(vector / np.linalg.norm(vector), np.float32)

"""The map: where the items lie, as binary; what colours them; and the making of what takes longer."""

from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from app import columns as tables
from app import maps
from app.api import binary, colours, views
from app.api.context import Annotator, Context, Here, Viewer
from app.api.map_shapes import (
    ChartedOut,
    ColumnOut,
    ColumnsOut,
    MapCancelIn,
    MapIn,
    MapOut,
    ValueOut,
)
from app.api.models import snapshot_of_version
from app.api.shapes import JobOut, Which
from db import catalog, feedback, jobs, versions
from db.errors import BadInput, Broken, NotFound, Refused
from db.versions import Version

router = APIRouter(prefix="/map", tags=["map"])
WAITING = ("queued", "running")
SHOWN = 40  # newest versions that are offered
VALUES = 200  # of a column that are listed
GRID = 65_535  # steps of a coordinate


@router.get("")
def about(here: Here, _: Viewer, criterion: Which) -> MapOut:
    """The versions that can be drawn, the maps that are kept, and what is being made."""
    store = maps.store_of(here.settings)
    with here.database.read() as s:
        found = catalog.criterion(s, criterion)
        known = versions.versions(s, found.id)[-SHOWN:]
        current = versions.current(s, found.id)
        size = next(one.items for one in catalog.collections(s) if one.id == found.collection)
        newest = feedback.last_event(s, found.id)
        making = [views.job(one) for one in under_way(s, found.id)]
    return MapOut(
        criterion=found.id, collection=found.collection, items=size, current=current.id if current else None,
        newest=newest, versions=[_charted(store, found.id, one) for one in reversed(known)], jobs=making,
    )  # fmt: skip


def under_way(s: Any, criterion: int) -> list[jobs.Job]:
    """What is being made for a criterion, or waits to be, the newest first."""
    return [one for one in jobs.jobs(s, 100) if _is_ours(one, criterion)]


def _is_ours(job: jobs.Job, criterion: int) -> bool:
    return job.kind in maps.JOBS and job.criterion == criterion and job.state in WAITING


def _charted(store: Any, criterion: int, version: Version) -> ChartedOut:
    there = [what for what in maps.WHATS if store.exists(maps.name(criterion, version.id, what))]
    said = version.metrics.get("answers")
    return ChartedOut(
        id=version.id, status=version.status, created_at=version.created_at,
        answers=said if isinstance(said, int) else 0, maps=there,  # type: ignore[arg-type]
    )  # fmt: skip


@router.get("/columns")
def columns(here: Here, _: Viewer, criterion: Which) -> ColumnsOut:
    """The metadata columns of the pictures, with their most frequent values."""
    with here.database.read() as s:
        collection = catalog.criterion(s, criterion).collection
    return ColumnsOut(columns=[_column(one) for one in tables.columns(here.database, collection).all.values()])


@lru_cache(maxsize=64)
def _column(one: tables.Column) -> ColumnOut:
    codes, names = one.kinds
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    values = [ValueOut(value=name, items=int(n)) for name, n in zip(names[:VALUES], counts, strict=False)]
    numbers = one.numbers
    if numbers is None:
        return ColumnOut(name=one.name, kinds=len(names), values=values)
    return ColumnOut(
        name=one.name, kinds=len(names), low=float(np.nanmin(numbers)), high=float(np.nanmax(numbers))
    )  # fmt: skip


@router.get("/points", response_class=Response, responses={200: {"content": {binary.MIME: {}}}})
def points(
    here: Here,
    _: Viewer,
    request: Request,
    criterion: Which,
    version: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None,
    kind: Annotated[str, Query(pattern="^(pca|umap)$")] = "pca",
    onto: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None,
) -> Response:
    """Where the items lie: `ids`, and `x` and `y` as sixteenbit steps of a square `box` (left, bottom, side).

    onto: another version over whose map this one is laid (turned, mirrored, scaled), so that they can be compared.
    404 while a map is not made yet: ask for it by POST.
    """
    about, drawn = chosen(here, criterion, version)
    chart = chart_of(here, about.id, drawn, kind)
    other = chart_of(here, about.id, chosen(here, about.id, onto)[1], kind) if onto is not None else None
    tag = chart.checksum[:24] + (f"-{other.checksum[:24]}" if other else "")
    known = binary.unless_known(request, tag)
    if known is not None:
        return known
    flat = _laid(chart, other)
    box, steps = boxed(flat)
    header = {"version": drawn.id, "kind": kind, "count": len(flat), "box": box}
    return binary.reply(
        tag, header, {"ids": binary.numbered(chart.ids), "x": steps[:, 0].copy(), "y": steps[:, 1].copy()}
    )


def _laid(chart: maps.Chart, other: maps.Chart | None) -> np.ndarray:
    if other is None:
        return chart.arrays["points"]
    from trainer.planar import laid_over

    return laid_over(chart.ids, chart.arrays["points"], other.ids, other.arrays["points"])


def boxed(flat: np.ndarray) -> tuple[list[float], np.ndarray]:
    """([left, bottom, side] of the smallest square round the points, (N, 2) uint16 steps within it)."""
    if len(flat) == 0:
        return [0.0, 0.0, 1.0], np.zeros((0, 2), np.uint16)
    low, high = flat.min(axis=0).astype(np.float64), flat.max(axis=0).astype(np.float64)
    side = float((high - low).max()) or 1.0
    corner = (low + high) / 2 - side / 2
    steps = np.rint((flat - corner) / side * GRID).clip(0, GRID).astype(np.uint16)
    return [float(corner[0]), float(corner[1]), side], steps


@router.get("/colours", response_class=Response, responses={200: {"content": {binary.MIME: {}}}})
def coloured(
    here: Here,
    _: Viewer,
    request: Request,
    criterion: Which,
    version: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None,
    by: Annotated[str, Query(pattern="^(group|answered|uncertainty|annotator|column)$")] = "group",
    column: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """What colours the items, in the order of `points`: `codes` of a legend, or `scale` from 0 to 255 (0: unknown)."""
    about, drawn = chosen(here, criterion, version)
    ids = chart_of(here, about.id, drawn, "pca").ids
    made = colours.colouring(here, about, drawn, ids, by, column)
    known = binary.unless_known(request, made.tag)
    return known if known is not None else binary.reply(made.tag, made.header, made.arrays)


@router.post("", status_code=202)
def start(here: Here, _: Annotator, given: MapIn) -> JobOut:
    """Make a map, or sort the items by the answers of now, in the background. What waits already is handed back."""
    about, drawn = chosen(here, given.criterion, given.version)
    kind, payload = f"map_{given.what}", {"version": drawn.id}
    with here.database.write() as s:
        waiting = [one for one in under_way(s, about.id) if one.kind == kind]
        there = next((one for one in waiting if dict(one.payload) == payload and not one.cancelling), None)
        job = there or jobs.job(s, jobs.enqueue(s, kind, payload, criterion=about.id))
    here.mapper.wake()
    return views.job(job)


@router.post("/cancel")
def cancel(here: Here, _: Annotator, given: MapCancelIn) -> JobOut:
    """Stop making a map; those that are kept stay."""
    with here.database.write() as s:
        about = catalog.criterion(s, given.criterion).id
        if not _is_ours(jobs.job(s, given.job), about):
            raise NotFound(f"job {given.job} makes no map of this criterion now. There is nothing to cancel.")
        jobs.cancel(s, given.job)
        return views.job(jobs.job(s, given.job))


def chosen(here: Context, criterion: int | str, version: int | None) -> tuple[catalog.Criterion, Version]:
    """The criterion and one of its versions, by default the one that asks. Raises NotFound."""
    with here.database.read() as s:
        about = catalog.criterion(s, criterion)
        found = versions.current(s, about.id) if version is None else versions.version(s, version)
    if found is None:
        raise NotFound(f"'{about.name}' has no model version yet. It appears once every picture has been looked at.")
    if found.criterion != about.id:
        raise BadInput(f"version {version} is not of the criterion '{about.name}'. Choose one of its own.")
    return about, found


def chart_of(here: Context, criterion: int, version: Version, kind: str) -> maps.Chart:
    """A kept map; PCA is made at once where the version's snapshot is at hand. Raises NotFound."""
    store = maps.store_of(here.settings)
    there = maps.kept(store, criterion, version.id, kind)
    if there is None and kind == "pca":
        try:
            return maps.pca_of(store, criterion, snapshot_of_version(here, version))
        except (Broken, NotFound, Refused):
            there = None
    if there is None:
        raise NotFound(f"the {kind.upper()} map of version {version.id} is not made yet. Ask for it: POST /api/v1/map.")
    return there

"""Model versions and training runs: what asks the questions now, where it comes from, and the way back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.api import views
from app.api.context import Curator, Here, PathId, Viewer
from app.api.paging import Before, cut
from app.api.shapes import RunOut, RunsOut, StepOut, VersionOut, VersionsOut, Which
from db import audit, catalog, runs, versions
from db.errors import Conflict

router = APIRouter(tags=["training"])


@router.get("/versions")
def page(
    here: Here,
    _: Viewer,
    criterion: Which,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> VersionsOut:
    """Versions of a criterion, newest first. next: pass it as `before` for the following page."""
    with here.database.read() as s:
        known = versions.versions(s, catalog.criterion(s, criterion).id)
    older = [one for one in reversed(known) if before is None or one.id < before]
    found = [views.version(one) for one in older[:limit]]
    return VersionsOut(versions=found, next=found[-1].id if len(older) > limit else None)


@router.get("/versions/{id}")
def one(here: Here, _: Viewer, id: PathId) -> VersionOut:
    """One version with its metrics."""
    with here.database.read() as s:
        return views.version(versions.version(s, id))


@router.post("/versions/{id}/promote")
def promote(here: Here, person: Curator, id: PathId) -> VersionOut:
    """Let this version ask the questions. The one before it can come back by a rollback."""
    with here.database.write() as s:
        versions.promote(s, id)
        audit.note(s, person.name, "promote", f"version {id}")
        return views.version(versions.version(s, id))


@router.post("/versions/{id}/rollback")
def rollback(here: Here, person: Curator, id: PathId) -> VersionOut:
    """Go back from this version to the one that was served before it; replies with that one."""
    with here.database.write() as s:
        version = versions.version(s, id)
        if version.status != "promoted":
            raise Conflict(f"version {id} is not the one being served. Reload the list of versions.")
        audit.note(s, person.name, "roll back", f"version {id}")
        return views.version(versions.version(s, versions.rollback(s, version.criterion)))


@router.get("/runs")
def recent(
    here: Here, _: Viewer, criterion: Which, before: Before = None, limit: Annotated[int, Query(ge=1, le=50)] = 10
) -> RunsOut:
    """The newest training runs first, the newest of them with its losses."""
    with here.database.read() as s:
        found, following = cut(runs.recent(s, catalog.criterion(s, criterion).id, limit + 1, before), limit)
        newest = runs.steps(s, found[0].id) if found and before is None else []
    shown = [_run(one, newest if place == 0 else []) for place, one in enumerate(found)]
    return RunsOut(runs=shown, next=following)


def _run(one: runs.Run, steps: list[tuple[int, dict[str, Any]]]) -> RunOut:
    said = {
        name: getattr(one, name) for name in ("id", "trigger", "status", "version", "note", "started_at", "ended_at")
    }
    return RunOut(**said, steps=[_step(step, losses) for step, losses in steps])


def _step(step: int, losses: dict[str, Any]) -> StepOut:
    plain = {name: value for name, value in losses.items() if name != "negatives"}
    return StepOut(step=step, loss=total(plain), losses=plain, negatives=losses.get("negatives"))


def total(losses: dict[str, Any]) -> float | None:
    """The number worth drawing: `loss` or `total` where the trainer names one, else the sum of the parts."""
    for name in ("loss", "total"):
        if isinstance(losses.get(name), int | float):
            return float(losses[name])
    parts = [float(value) for value in losses.values() if isinstance(value, int | float)]
    return sum(parts) if parts else None

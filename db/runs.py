"""Training runs: what started them, how the losses went, how they ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from db import catalog, checks
from db.clock import now
from db.dialects import upsert
from db.errors import NotFound
from db.tables import RunRow, RunStepRow

ENDINGS = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Run:
    """One training run. status: running, done, failed or cancelled. version: what came out of it."""

    id: int
    criterion: int
    trigger: str
    settings: Mapping[str, Any]
    status: str
    version: int | None
    note: str
    started_at: datetime
    ended_at: datetime | None


def start(s: Session, criterion: int, trigger: str, settings: Mapping[str, Any]) -> int:
    """Id of a new run. trigger: why it began, for example "answers". Raises NotFound for the criterion."""
    catalog.criterion(s, criterion)
    row = {"trigger": checks.text(trigger, "a trigger", 200), "settings": checks.plain(settings), "note": ""}
    statement = insert(RunRow).returning(RunRow.id)
    return int(s.scalar(statement, {"criterion_id": criterion, "status": "running", **row}) or 0)


def step(s: Session, run: int, step: int, losses: Mapping[str, Any]) -> None:
    """Note the losses of one step, and what pushed as "negatives"; the same step again replaces them."""
    statement = upsert(s, RunStepRow).values(run_id=run, step=int(step), losses=checks.plain(losses))
    changed = {"losses": statement.excluded.losses}
    s.execute(statement.on_conflict_do_update(index_elements=["run_id", "step"], set_=changed))


def end(s: Session, run: int, status: str, version: int | None = None, note: str = "") -> None:
    """Close a run as done, failed or cancelled. Raises BadInput for another status, NotFound for the run."""
    ended = {"status": checks.one_of(status, "status", ENDINGS), "version_id": version, "note": checks.storable(note)}
    changed = s.execute(update(RunRow).where(RunRow.id == run).values(**ended, ended_at=now()))
    if changed.rowcount == 0:  # type: ignore[attr-defined]
        raise NotFound(f"no training run with id {run}. List the recent runs to see their ids.")


def close_left(s: Session, criterion: int, ours: Callable[[Run], bool]) -> None:
    """Close what a kill left open: running ones of which `ours` says that they can only be of a dead process."""
    for one in recent(s, criterion):
        if one.status == "running" and ours(one):
            end(s, one.id, "cancelled", note="stopped; a later run goes on with it")


def recent(s: Session, criterion: int, limit: int = 20, before: int | None = None) -> list[Run]:
    """The newest runs first; those older than the one with the id `before`."""
    older = () if before is None else (RunRow.id < before,)
    query = select(RunRow).where(RunRow.criterion_id == criterion, *older).order_by(RunRow.id.desc()).limit(limit)
    return [_run(row) for row in s.scalars(query)]


def steps(s: Session, run: int) -> list[tuple[int, dict[str, Any]]]:
    """(step, losses) of a run, in order."""
    rows = s.scalars(select(RunStepRow).where(RunStepRow.run_id == run).order_by(RunStepRow.step))
    return [(row.step, row.losses) for row in rows]


def _run(row: RunRow) -> Run:
    return Run(
        id=row.id,
        criterion=row.criterion_id,
        trigger=row.trigger,
        settings=row.settings,
        status=row.status,
        version=row.version_id,
        note=row.note,
        started_at=row.created_at,
        ended_at=row.ended_at,
    )

"""Backups over REST, for admins: which there are, make one now, read one through. Restoring needs a new workspace."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path

from app import backup
from app.api import views
from app.api.context import Admin, Context, Here
from app.api.shapes import JobOut, Shape
from db import audit, jobs

router = APIRouter(prefix="/backups", tags=["backups"])
Which = Annotated[str, Path(max_length=40)]
KINDS = (backup.KIND, backup.VERIFY)


class BackupOut(Shape):
    """answers: events in its log. checked: ok, damaged, or none if nobody has read it through lately."""

    name: str
    made_at: datetime
    answers: int
    files: int
    size: int
    checked: str | None


class BackupsOut(Shape):
    """Newest first. job: what is under way; last: how the last one ended. every: hours between two; 0: never."""

    backups: list[BackupOut]
    folder: str
    every: float
    keep: int
    job: JobOut | None
    last: JobOut | None


@router.get("")
def all_(here: Here, _: Admin) -> BackupsOut:
    """The backups there are, and the work on them."""
    with here.database.read() as s:
        ours = [one for one in jobs.jobs(s, 500) if one.kind in KINDS]
    under = next((one for one in ours if one.state in ("queued", "running")), None)
    last = next((one for one in ours if one.state in ("done", "failed", "cancelled")), None)
    found = [
        BackupOut(**{name: getattr(one, name) for name in BackupOut.model_fields if name != "checked"},
                  checked=_checked(one.name, ours))
        for one in backup.backups(here.settings.backups)
    ]  # fmt: skip
    return BackupsOut(
        backups=found, folder=str(here.settings.backups), every=float(here.settings.backup_every or 0),
        keep=int(here.settings.backup_keep or 0), job=views.job(under) if under else None,
        last=views.job(last) if last else None,
    )  # fmt: skip


@router.post("", status_code=202)
def create(here: Here, person: Admin) -> JobOut:
    """Make one in the background; the one under way is handed back instead of a second."""
    return _asked(here, person.name, backup.KIND, {"keep": here.settings.backup_keep or 0}, "")


@router.post("/{id}/verify", status_code=202)
def verify(here: Here, person: Admin, id: Which) -> JobOut:
    """Read every file of one and its database, in the background. 404 when there is none of this name."""
    backup.manifest_of(backup.named(here.settings, id))
    return _asked(here, person.name, backup.VERIFY, {"name": id}, id)


def _asked(here: Context, actor: str, kind: str, payload: dict[str, object], target: str) -> JobOut:
    with here.database.write() as s:
        waiting = [one for one in jobs.jobs(s) if one.kind == kind and one.state in ("queued", "running")]
        there = next((one for one in waiting if dict(one.payload) == payload), None)
        job = there or jobs.job(s, jobs.enqueue(s, kind, payload))
        if there is None:
            audit.note(s, actor, "backup", target, what="check" if kind == backup.VERIFY else "make")
    here.keeper.wake()
    return views.job(job)


def _checked(name: str, ours: list[jobs.Job]) -> str | None:
    """What the newest check of this backup said."""
    for one in ours:
        if one.kind == backup.VERIFY and one.payload.get("name") == name and one.state in ("done", "failed"):
            return "ok" if one.state == "done" else "damaged"
    return None

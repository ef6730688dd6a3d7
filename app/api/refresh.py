"""Deep refresh: ask for one, see how it goes, stop it, read how the last one ended.

Training takes minutes, so it happens in a process of its own (`app.refresh_job`).
"""

from functools import lru_cache
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from app.api import views
from app.api.context import Curator, Here, Viewer
from app.api.shapes import Id, JobOut, Name, Shape, Which
from app.refreshing import ENDED, KIND, WAITING, refusal
from db import audit, catalog, feedback, jobs, runs
from db.errors import NotFound
from trainer.systems import DEFAULT, systems

router = APIRouter(prefix="/refresh", tags=["training"])


class RefreshIn(Shape):
    """What to refresh (a criterion's name or id) and how. options: KEY -> value, of the method or of training. share:
    of the time it may work."""

    criterion: Id | Name
    method: Name = DEFAULT
    options: dict[Name, str] = Field(default={}, max_length=40)
    epochs: int | None = Field(default=None, ge=1, le=1000)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    share: float = Field(default=1.0, gt=0, le=1)


class CancelRefreshIn(Shape):
    criterion: Id | Name


class SystemOut(Shape):
    """A named system that can refresh."""

    name: str
    idea: str


class RefreshOut(Shape):
    """job: the one that waits or runs. last: the newest that ended. answers: of now; run: the training run under way.
    default: the method of who names none; every: answers after which the trainer asks by itself, 0 for never."""

    criterion: int
    answers: int
    job: JobOut | None
    last: JobOut | None
    run: int | None
    default: str
    every: int
    methods: list[SystemOut]


@router.get("")
def look(here: Here, _: Viewer, criterion: Which) -> RefreshOut:
    """The refresh under way, the last one, and the methods to choose from."""
    with here.database.read() as s:
        about = catalog.criterion(s, criterion).id
        waiting, last = jobs.newest(s, [KIND], about, WAITING), jobs.newest(s, [KIND], about, ENDED)
        answers = len({one.answer for one in feedback.statements(s, about)})
        running = [one.id for one in runs.recent(s, about) if one.status == "running" and one.trigger.startswith(KIND)]
    return RefreshOut(
        criterion=about, answers=answers, job=views.job(waiting) if waiting else None,
        last=views.job(last) if last else None, run=running[0] if running else None, default=DEFAULT,
        every=here.settings.refresh_every or 0, methods=_methods(),
    )  # fmt: skip


@router.post("", status_code=202)
def start(here: Here, person: Curator, given: RefreshIn) -> JobOut:
    """Refresh in the background. One that waits or runs already is handed back."""
    payload: dict[str, Any] = given.model_dump(exclude={"criterion"})
    refusal(payload)
    with here.database.write() as s:
        about = catalog.criterion(s, given.criterion).id
        there = jobs.newest(s, [KIND], about, WAITING)
        if there is None:
            payload["answers"] = len({one.answer for one in feedback.statements(s, about)})
            there = jobs.job(s, jobs.enqueue(s, KIND, payload, criterion=about))
            audit.note(s, person.name, "refresh", catalog.criterion(s, about).name, method=given.method)
    here.refresher.wake()
    return views.job(there)


@router.post("/cancel")
def cancel(here: Here, person: Curator, given: CancelRefreshIn) -> JobOut:
    """Stop the refresh under way; what is served stays. What was trained is kept: the same refresh goes on from it."""
    with here.database.write() as s:
        about = catalog.criterion(s, given.criterion).id
        there = jobs.newest(s, [KIND], about, WAITING)
        if there is None:
            raise NotFound("no refresh is under way. There is nothing to cancel.")
        jobs.cancel(s, there.id)
        audit.note(s, person.name, "cancel job", f"job {there.id}")
        return views.job(jobs.job(s, there.id))


@lru_cache(maxsize=1)
def _methods() -> list[SystemOut]:
    """Read from the files once: they do not change while the server runs."""
    return [SystemOut(name=one.name, idea=one.title.partition(": ")[2]) for one in systems()]

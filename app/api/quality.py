"""How good a criterion is, what that rests on, and what more answers would bring.

Measuring takes seconds, so it happens in a process of its own (`app.quality_job`); these routes read what it kept, and
ask for more.
"""

from typing import Any, TypeVar

from fastapi import APIRouter
from pydantic import ValidationError

from app.api import views
from app.api.context import Annotator, Context, Here, Viewer
from app.api.quality_shapes import ForecastIn, ForecastOut, HeldOutOut, MeasuredOut, MeasureIn, QualityOut
from app.api.shapes import JobOut, Which
from db import catalog, feedback, jobs, versions
from db.versions import Version

router = APIRouter(prefix="/quality", tags=["quality"])
Kept = TypeVar("Kept", MeasuredOut, ForecastOut)
DONE, WAITING = ["done"], ["queued", "running"]


@router.get("")
def quality(here: Here, _: Viewer, criterion: Which) -> QualityOut:
    """The last measurement and forecast of a criterion, and whether they are still of today."""
    with here.database.read() as s:
        about = catalog.criterion(s, criterion).id
        said = feedback.statements(s, about)
        last, served, known = feedback.last_event(s, about), versions.current(s, about), versions.versions(s, about)
        done = {kind: jobs.newest(s, [kind], about, DONE) for kind in ("quality", "forecast")}
        waiting = jobs.newest(s, ["quality", "forecast"], about, WAITING)
    stand = (served.id if served else None, last)
    answers = sorted({one.answer for one in said})
    return QualityOut(
        criterion=about,
        answers=len(answers),
        audits=len({one.answer for one in said if one.audit}),
        ready=served is not None,
        measured=_result(done["quality"], MeasuredOut, stand),
        forecast=_result(done["forecast"], ForecastOut, stand),
        versions=_held_out(known, answers),
        job=views.job(waiting) if waiting else None,
    )


@router.post("/measure", status_code=202)
def measure(here: Here, _: Annotator, given: MeasureIn) -> JobOut:
    """Measure anew, in the background; a measurement that waits already is handed back instead of a second one."""
    return _enqueue(here, "quality", given.criterion, {})


@router.post("/forecast", status_code=202)
def forecast(here: Here, _: Annotator, given: ForecastIn) -> JobOut:
    """Play more answers through, in the background; a forecast that waits already is handed back."""
    return _enqueue(here, "forecast", given.criterion, {"screens": given.screens, "target": given.target})


def _enqueue(here: Context, kind: str, criterion: int | str, payload: dict[str, Any]) -> JobOut:
    with here.database.write() as s:
        about = catalog.criterion(s, criterion).id
        there = jobs.newest(s, [kind], about, WAITING)
        job = there or jobs.job(s, jobs.enqueue(s, kind, payload, criterion=about))
    here.measurer.wake()
    return views.job(job)


def _result(job: jobs.Job | None, shape: type[Kept], stand: tuple[int | None, int]) -> Kept | None:
    """What a job found, and whether the criterion still stands where it did; None where an older release wrote it."""
    if job is None or job.result is None:
        return None
    found = dict(job.result)
    at = (found.get("version"), found.pop("last_event", None))
    try:
        return shape(**found, stale=at != stand)
    except ValidationError:
        return None


def _held_out(known: list[Version], answers: list[int]) -> list[HeldOutOut]:
    """Held-out F1 of the versions that have one, by the number of answers they have learnt from."""
    found = []
    for one in known:
        f1 = one.metrics.get("heldout_f1_after")
        if isinstance(f1, int | float):
            learnt = sum(answer <= one.last_event for answer in answers)
            found.append(HeldOutOut(version=one.id, answers=learnt, f1=float(f1)))
    return found

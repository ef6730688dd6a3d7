"""Durable work: rows with a lease, a heartbeat and a fencing token, so that a killed worker's job is done by another.

A worker leases a job, tells its progress by heartbeats and ends it with `finish` or `fail`. When it falls silent the
lease runs out, another worker leases the job under a larger token, and the first one is refused with StaleLease.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from db import checks, events
from db.clock import SKEW_S, now
from db.errors import NotFound, Refused, StaleLease
from db.leaders import check_lead, lead, resign
from db.tables import JobRow

__all__ = [
    "Job",
    "abandon",
    "asked_at",
    "cancel",
    "check_lead",
    "enqueue",
    "fail",
    "finish",
    "forget",
    "heartbeat",
    "job",
    "jobs",
    "keep_result",
    "lead",
    "lease",
    "newest",
    "release",
    "resign",
    "waits",
]

MOST_STARTS = 5  # a job that took this many workers down is given up


@dataclass(frozen=True)
class Job:
    """One piece of work. state: queued, running, done, failed or cancelled. progress: in [0, 1]."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    collection: int | None
    criterion: int | None
    state: str
    worker: str | None
    token: int
    progress: float
    note: str
    result: Mapping[str, Any] | None
    error: str | None
    cancelling: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def enqueue(
    s: Session, kind: str, payload: Mapping[str, Any], *, collection: int | None = None, criterion: int | None = None
) -> int:
    """Id of a new job, to be done by any worker that knows its kind."""
    row = {
        "kind": checks.name(kind, "job"),
        "payload": checks.plain(payload),
        "collection_id": collection,
        "criterion_id": criterion,
        "state": "queued",
        "token": 0,
        "cancelling": False,
        "progress": 0.0,
        "note": "",
    }
    return int(s.scalar(insert(JobRow).returning(JobRow.id), row) or 0)


def lease(s: Session, kinds: Sequence[str], worker: str, lease_s: float = 60) -> Job | None:
    """Take the oldest job of these kinds that is queued or whose worker fell silent; None if there is none."""
    checks.number(lease_s, "lease_s", 0, 86_400)
    _give_up(s)
    free = select(JobRow.id).where(JobRow.kind.in_(list(kinds)), or_(JobRow.state == "queued", _silent()))
    first = free.order_by(JobRow.id).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    taken = {"state": "running", "worker": worker, "token": JobRow.token + 1, "lease_s": lease_s}
    times = {"expires_at": now() + lease_s, "started_at": func.coalesce(JobRow.started_at, now())}
    statement = update(JobRow).where(JobRow.id == first).values(taken | times).returning(JobRow.id)
    found = s.scalar(statement, execution_options={"synchronize_session": False})
    return None if found is None else job(s, found)


def heartbeat(s: Session, job_id: int, token: int, progress: float, note: str = "") -> bool:
    """Say "still at it", for another lease time; returns whether the job is to be cancelled. Raises StaleLease."""
    values = {
        "progress": checks.number(progress, "progress", 0, 1),
        "note": checks.text(note, "a note", 2000, shortest=0),
        "expires_at": now() + JobRow.lease_s,
    }
    row = _change(s, job_id, token, values)
    told = {"job": job_id, "kind": row.kind, "state": "running", "progress": row.progress, "note": row.note}
    events.publish(s, "job", told, row.criterion_id)
    return row.cancelling


def finish(s: Session, job_id: int, token: int, result: Mapping[str, Any] | None = None) -> None:
    """The job is done. Raises StaleLease if it became another worker's meanwhile."""
    values = {"state": "done", "progress": 1.0, "result": checks.plain(result or {}), "ended_at": now()}
    _tell_end(s, _change(s, job_id, token, values))


def fail(s: Session, job_id: int, token: int, error: str) -> None:
    """The job cannot be done, with a sentence why; "cancelled" if that is what was asked for. Raises StaleLease."""
    ended = case((JobRow.cancelling, "cancelled"), else_="failed")
    said = checks.storable(error)[:2000]
    _tell_end(s, _change(s, job_id, token, {"state": ended, "error": said, "ended_at": now()}))


def release(s: Session, job_id: int, token: int) -> None:
    """Hand a job back unfinished: another worker may take it at once. Raises StaleLease."""
    _change(s, job_id, token, {"state": "queued", "worker": None})


def cancel(s: Session, job_id: int) -> None:
    """Ask for a job to stop: at once if it has not begun, else at its next heartbeat. Raises NotFound, Refused."""
    there = job(s, job_id)
    if there.state not in ("queued", "running"):
        raise Refused(f"job {job_id} is {there.state} already. There is nothing to cancel.")
    ended = {"state": case((JobRow.state == "queued", "cancelled"), else_=JobRow.state)}
    s.execute(update(JobRow).where(JobRow.id == job_id).values(cancelling=True, **ended))
    events.publish(s, "job", {"job": job_id, "kind": there.kind, "state": "cancelling"}, there.criterion)


def jobs(s: Session, limit: int = 100, before: int | None = None) -> list[Job]:
    """The newest jobs first; those older than the one with the id `before`."""
    older = () if before is None else (JobRow.id < before,)
    return [_job(row) for row in s.scalars(select(JobRow).where(*older).order_by(JobRow.id.desc()).limit(limit))]


def waits(s: Session, kinds: Sequence[str]) -> bool:
    """Whether a job of these kinds could be leased now: queued, or left by a worker that fell silent."""
    free = or_(JobRow.state == "queued", _silent())
    return s.scalar(select(JobRow.id).where(JobRow.kind.in_(list(kinds)), free).limit(1)) is not None


def abandon(s: Session, worker: str) -> None:
    """This worker is known to be dead: nobody needs to wait until the leases of its jobs run out."""
    left = update(JobRow).where(JobRow.worker == worker, JobRow.state == "running")
    s.execute(left.values(expires_at=now()), execution_options={"synchronize_session": False})


def newest(s: Session, kinds: Sequence[str], criterion: int, states: Sequence[str]) -> Job | None:
    """The newest job of these kinds about a criterion that is in one of these states; None if there is none."""
    mine = (JobRow.kind.in_(list(kinds)), JobRow.criterion_id == criterion, JobRow.state.in_(list(states)))
    row = s.scalars(select(JobRow).where(*mine).order_by(JobRow.id.desc()).limit(1)).first()
    return None if row is None else _job(row)


def asked_at(s: Session, kind: str) -> float:
    """When a job of this kind was last asked for, in seconds since 1970; 0 if never."""
    newest = s.scalar(select(JobRow.created_at).where(JobRow.kind == kind).order_by(JobRow.id.desc()).limit(1))
    return newest.timestamp() if newest else 0.0


def keep_result(
    s: Session, kind: str, payload: Mapping[str, Any], result: Mapping[str, Any], *, criterion: int, keep: int = 5
) -> int:
    """Id of a job that is done already: work somebody did by hand. Only the newest `keep` results stay."""
    new = enqueue(s, kind, payload, criterion=criterion)
    done = {"state": "done", "progress": 1.0, "result": checks.plain(result), "started_at": now(), "ended_at": now()}
    s.execute(update(JobRow).where(JobRow.id == new).values(done))
    _tell_end(s, s.scalars(select(JobRow).where(JobRow.id == new)).one())
    forget(s, kind, criterion, keep)
    return new


def forget(s: Session, kind: str, criterion: int, keep: int = 5) -> int:
    """Delete all but the newest `keep` finished jobs of a kind about a criterion; returns how many went."""
    mine = (JobRow.kind == kind, JobRow.criterion_id == criterion, JobRow.state == "done")
    kept = select(JobRow.id).where(*mine).order_by(JobRow.id.desc()).limit(keep)
    gone = s.execute(delete(JobRow).where(*mine, JobRow.id.not_in(list(s.scalars(kept)))))
    return gone.rowcount  # type: ignore[attr-defined,no-any-return]


def job(s: Session, id: int) -> Job:
    """One job. Raises NotFound."""
    query = select(JobRow).where(JobRow.id == checks.row_id(id, "a job's id"))
    row = s.scalar(query, execution_options={"populate_existing": True})
    if row is None:
        raise NotFound(f"no job with id {id}. List the jobs to see their ids.")
    return _job(row)


def _silent() -> ColumnElement[bool]:
    """Not heard of in time, or leased by a clock that was ahead and has been set right since."""
    ahead = JobRow.expires_at > now() + JobRow.lease_s + SKEW_S
    return and_(JobRow.state == "running", or_(JobRow.expires_at <= now(), ahead))


def _give_up(s: Session) -> None:
    """Silent jobs that were to be cancelled are; those that took too many workers down fail."""
    ended = {"ended_at": now()}
    cancelled = update(JobRow).where(_silent(), JobRow.cancelling).values(state="cancelled", **ended)
    why = f"{MOST_STARTS} workers died at it. Look at their logs before asking for it again."
    failed = update(JobRow).where(_silent(), JobRow.token >= MOST_STARTS).values(state="failed", error=why, **ended)
    for statement in (cancelled, failed):
        s.execute(statement, execution_options={"synchronize_session": False})


def _change(s: Session, job_id: int, token: int, values: dict[str, Any]) -> JobRow:
    mine = (JobRow.id == job_id, JobRow.token == token, JobRow.state == "running")
    statement = update(JobRow).where(*mine).values(values).returning(JobRow)
    options = {"synchronize_session": False, "populate_existing": True}
    row = s.scalars(statement, execution_options=options).first()
    if row is None:
        raise StaleLease(f"job {job_id} is not this worker's any more. Stop working at it.")
    return row


def _tell_end(s: Session, row: JobRow) -> None:
    told = {"job": row.id, "kind": row.kind, "state": row.state, "progress": row.progress, "note": row.error or ""}
    events.publish(s, "job", told, row.criterion_id)


def _job(row: JobRow) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        payload=row.payload,
        collection=row.collection_id,
        criterion=row.criterion_id,
        state=row.state,
        worker=row.worker,
        token=row.token,
        progress=row.progress,
        note=row.note,
        result=row.result,
        error=row.error,
        cancelling=row.cancelling,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )

"""How one installation is doing, in numbers a monitor can watch: a few counts that are cheap on a long log."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import jobs, versions
from db.clock import now
from db.jobs import Job
from db.tables import AnswerRow, ItemRow, JobRow, LeaseRow, QuestionRow

EMBED = "embed"


@dataclass(frozen=True)
class Vitals:
    """Of one criterion.

    held: questions in somebody's hands. lapsed: given out, neither answered nor given back in time, and not taken by
    anybody else since. late: answers that came after their lease had run out; they count all the same. behind: events
    of the log that the serving version has not learnt, all of them where none serves. behind_s: age of the oldest.
    """

    held: int
    lapsed: int
    late: int
    behind: int
    behind_s: float


def vitals(s: Session, criterion: int) -> Vitals:
    """What is in people's hands, and how far the trainer is behind the log."""
    mine = (QuestionRow.id == LeaseRow.question_id, QuestionRow.criterion_id == criterion, LeaseRow.answer_id.is_(None))
    leased = select(func.count(LeaseRow.id)).where(*mine)
    late = select(func.count(AnswerRow.id)).where(AnswerRow.criterion_id == criterion, AnswerRow.late)
    serving = versions.current(s, criterion)
    unlearnt = (AnswerRow.criterion_id == criterion, AnswerRow.id > (serving.last_event if serving else 0))
    behind, oldest, clock = s.execute(
        select(func.count(AnswerRow.id), func.min(AnswerRow.created_at), now()).where(*unlearnt)
    ).one()
    return Vitals(
        held=s.scalar(leased.where(LeaseRow.expires_at > now())) or 0,
        lapsed=s.scalar(leased.where(LeaseRow.expires_at <= now(), QuestionRow.state == "open")) or 0,
        late=s.scalar(late) or 0,
        behind=behind,
        behind_s=max((clock - oldest).total_seconds(), 0.0) if oldest else 0.0,
    )


def jobs_by_state(s: Session) -> Mapping[tuple[str, str], int]:
    """(kind, state) -> how many jobs."""
    rows = s.execute(select(JobRow.kind, JobRow.state, func.count(JobRow.id)).group_by(JobRow.kind, JobRow.state))
    return {(kind, state): count for kind, state, count in rows}


def newest_jobs(s: Session) -> list[Job]:
    """The newest job of every kind that ended."""
    last = select(func.max(JobRow.id)).where(JobRow.state.in_(("done", "failed"))).group_by(JobRow.kind)
    return [jobs.job(s, one) for one in s.scalars(last)]


def items(s: Session) -> int:
    """Pictures of all collections."""
    return s.scalar(select(func.count(ItemRow.id))) or 0


def embedding_pace(s: Session) -> float:
    """Pictures a second of the newest embedding job that computed any; 0 before there is one."""
    done = (JobRow.kind == EMBED, JobRow.state == "done")
    for row in s.scalars(select(JobRow).where(*done).order_by(JobRow.id.desc()).limit(20)):
        computed = (row.result or {}).get("computed", 0)
        if computed and row.started_at and row.ended_at and row.ended_at > row.started_at:
            return float(computed / (row.ended_at - row.started_at).total_seconds())
    return 0.0

"""From the nouns of the database to the shapes REST sends."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from app.api.shapes import ItemOut, JobOut, LoggedOut, MediaOut, QuestionOut, VerdictIn, VersionOut
from db import catalog, jobs
from db.nouns import Item, Question, Verdict
from db.queue import Leased
from db.standing import LoggedAnswer


def media_address(item: int) -> str:
    """Where the re-encoded picture of an item is."""
    return f"/api/v1/media/{item}"


def media(item: Item) -> MediaOut:
    """An item as a question shows it."""
    return MediaOut(
        id=item.id,
        media=media_address(item.id),
        name=item.name,
        caption=item.caption,
        width=item.width,
        height=item.height,
    )


def full_item(item: Item) -> ItemOut:
    """An item with everything known about it, except where its bytes are."""
    return ItemOut(
        **media(item).model_dump(),
        collection=item.collection,
        sha256=item.sha256,
        taken_at=item.taken_at,
        latitude=item.latitude,
        longitude=item.longitude,
        attributes=dict(item.attributes),
    )


def shown(questions: Iterable[Question]) -> set[int]:
    """Ids of every item these questions show."""
    return {item for one in questions for item in (one.anchor, *one.candidates, *one.context)}


def question(one: Question, items: Mapping[int, Item], token: str | None, expires_at: datetime | None) -> QuestionOut:
    """A question with its pictures. token: of the lease; None when it is only looked at."""
    return QuestionOut(
        id=int(one.id or 0),
        criterion=one.criterion,
        kind=one.kind,
        anchor=media(items[one.anchor]),
        candidates=[media(items[item]) for item in one.candidates],
        context=[media(items[item]) for item in one.context],
        reason=one.reason,
        proposer=one.proposer,
        version=one.version,
        expected=list(one.expected),
        text=one.text,
        token=token,
        expires_at=expires_at,
    )


def questions(s: Any, leased: Iterable[Leased]) -> list[QuestionOut]:
    """Leased questions with their pictures, fetched at once. s: a database session."""
    held = list(leased)
    items = catalog.items_by_id(s, sorted(shown(one.question for one in held)))
    return [question(one.question, items, one.token, one.expires_at) for one in held]


def logged(one: LoggedAnswer) -> LoggedOut:
    """One answer of the log."""
    return LoggedOut(
        id=one.id,
        question=int(one.question.id or 0),
        source=one.source,
        late=one.late,
        undone=one.undone,
        created_at=one.created_at,
        verdicts=[VerdictIn(**{**asdict(said), "verdict": Verdict(said.verdict)}) for said in one.verdicts],
    )


def version(one: Any) -> VersionOut:
    """A model version, without where its bytes are. one: db.versions.Version."""
    return VersionOut(
        id=one.id,
        criterion=one.criterion,
        parent=one.parent,
        last_event=one.last_event,
        metrics=dict(one.metrics),
        status=one.status,
        created_at=one.created_at,
        promoted_at=one.promoted_at,
    )


def job(one: jobs.Job) -> JobOut:
    """Work in the background, as the screens show it."""
    return JobOut(
        id=one.id,
        kind=one.kind,
        status=one.state,
        progress=one.progress,
        note=one.note,
        result=dict(one.result or {}),
        error=one.error,
        created_at=one.created_at,
    )

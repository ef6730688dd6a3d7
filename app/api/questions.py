"""Questions: claim some, keep them, give them back."""

from typing import Any

from fastapi import APIRouter, Response

from app.api import views
from app.api.context import Annotator, Here, PathId, Viewer
from app.api.shapes import ClaimIn, LeaseIn, LeaseOut, QuestionOut, QuestionsOut, ReleaseIn
from app.auth import Person
from db import catalog, queue
from db.nouns import Kind
from db.queue import Leased

router = APIRouter(prefix="/questions", tags=["questions"])


@router.post("/claim")
def claim(here: Here, person: Annotator, wanted: ClaimIn) -> QuestionsOut:
    """Lease up to `count` questions, oldest first, with the addresses of their pictures; nobody else gets them now."""
    with here.database.write() as s:
        criterion = catalog.criterion(s, wanted.criterion).id
        got = _held(s, criterion, person, wanted) if wanted.resume else []
        got += _fresh(s, criterion, person, wanted, wanted.count - len(got))
        return QuestionsOut(questions=views.questions(s, got))


def _holder(person: Person, wanted: ClaimIn) -> str:
    return f"{person.name}/{wanted.tab}" if wanted.tab else person.name


def _kinds(wanted: ClaimIn) -> set[Kind]:
    """The kinds the caller can show; all of them when nothing was said."""
    return {wanted.kind} if wanted.kind else set(wanted.kinds) or set(Kind)


def _held(s: Any, criterion: int, person: Person, wanted: ClaimIn) -> list[Leased]:
    """What this tab has in hand since before a reload; its time starts anew."""
    kept = queue.held(s, criterion, _holder(person, wanted))[: wanted.count]
    return [
        Leased(one.question, one.token, queue.renew(s, int(one.question.id or 0), one.token, wanted.lease_s))
        for one in kept
    ]


def _fresh(s: Any, criterion: int, person: Person, wanted: ClaimIn, count: int) -> list[Leased]:
    """Claim in queue order; what the caller cannot show is skipped and given back."""
    if count < 1:
        return []
    kinds = _kinds(wanted)
    if len(kinds) in (1, len(Kind)):
        return _claim(s, criterion, person, wanted, count, next(iter(kinds)) if len(kinds) == 1 else None)
    first = _claim(s, criterion, person, wanted, count, None)
    got = [one for one in first if one.question.kind in kinds]
    for kind in sorted(kinds) if len(got) < len(first) else []:
        got += _claim(s, criterion, person, wanted, count - len(got), kind)
    for one in first:
        if one.question.kind not in kinds:
            queue.release(s, int(one.question.id or 0), one.token)
    return sorted(got, key=lambda one: int(one.question.id or 0))


def _claim(s: Any, criterion: int, person: Person, wanted: ClaimIn, count: int, kind: Kind | None) -> list[Leased]:
    if count < 1:
        return []
    terms: dict[str, Any] = {"lease_s": wanted.lease_s, "overlap": wanted.overlap, "source": person.name}
    return queue.claim(s, criterion, _holder(person, wanted), count, kind=kind, **terms)


@router.get("/{id}")
def look(here: Here, _: Viewer, id: PathId) -> QuestionOut:
    """One question with its pictures, without leasing it: for the history and for undo."""
    with here.database.read() as s:
        asked = queue.question(s, id)
        return views.question(asked, catalog.items_by_id(s, sorted(views.shown([asked]))), None, None)


@router.post("/{id}/renew")
def renew(here: Here, _: Annotator, id: PathId, lease: LeaseIn) -> LeaseOut:
    """Keep a question longer; 409 when somebody else has it by now."""
    with here.database.write() as s:
        return LeaseOut(expires_at=queue.renew(s, id, lease.token, lease.lease_s))


@router.post("/{id}/release", status_code=204)
def release(here: Here, _: Annotator, id: PathId, lease: ReleaseIn) -> Response:
    """Give a question back unanswered, so that others need not wait for the lease to end. Harmless when repeated."""
    with here.database.write() as s:
        queue.release(s, id, lease.token)
    return Response(status_code=204)

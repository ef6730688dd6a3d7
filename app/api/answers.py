"""Answers: into the log once, however often they are sent; and back out of effect again."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from app.api import views
from app.api.context import Annotator, Here, PathId, Viewer
from app.api.shapes import AnswerIn, AnswerOut, LogOut, UndoOut, Which
from app.auth import may
from db import catalog, feedback
from db.errors import BadInput, Forbidden, NotFound
from db.nouns import Answer, PairVerdict
from db.standing import LoggedAnswer
from db.tables import AnswerRow

router = APIRouter(prefix="/answers", tags=["answers"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
PAGE = 200


@router.post("", status_code=201)
def answer(here: Here, person: Annotator, given: AnswerIn, reply: Response, key: Key = None) -> AnswerOut:
    """Add one answer. 201 means: stored for good. The same key again gets the same 201 and changes nothing."""
    if not key or not key.strip():
        raise BadInput("the header Idempotency-Key is missing. Send a new random one with every new answer.")
    verdicts = tuple(PairVerdict(**one.model_dump()) for one in given.verdicts)
    said = Answer(given.question, verdicts, person.name, key, given.seconds, given.lease)
    with here.database.write() as s:
        stored = feedback.record(s, said)
    here.counters.answered(stored)
    reply.headers["Idempotency-Replayed"] = str(stored.replayed).lower()
    return AnswerOut(id=stored.id, question=given.question, late=stored.late)


@router.post("/{id}/undo", status_code=201)
def undo(here: Here, person: Annotator, id: PathId, reply: Response, key: Key = None) -> UndoOut:
    """Take an answer back, as if it had never been given. Own answers; curators also those of others."""
    with here.database.write() as s:
        said = s.get(AnswerRow, id)
        if said is None:
            raise NotFound(f"no answer with id {id}. Look it up in the log.")
        if said.source != person.name and not may(person, "curator"):
            raise Forbidden(f"answer {id} is not yours. Ask a curator to undo it.")
        stored = feedback.undo(s, id, key or f"undo-{id}", person.name)
    reply.headers["Idempotency-Replayed"] = str(stored.replayed).lower()
    return UndoOut(id=stored.id, undone=id)


@router.get("")
def log(
    here: Here,
    person: Viewer,
    criterion: Which,
    mine: bool = False,
    before: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> LogOut:
    """Standing answers, newest first. next: pass it as `before` for the following page."""
    with here.database.read() as s:
        standing = _standing(s, catalog.criterion(s, criterion).id, before, person.name if mine else None)
        page = list(islice(standing, limit))
    return LogOut(answers=[views.logged(one) for one in page], next=page[-1].id if len(page) == limit else None)


def _standing(s: Any, criterion: int, before: int | None, source: str | None) -> Iterator[LoggedAnswer]:
    """Answers that count, newest first, page by page."""
    while page := feedback.log(s, criterion, PAGE, before):
        yield from (one for one in page if one.kind == "answer" and not one.undone and source in (None, one.source))
        before = page[-1].id

"""Answering while looking at groups: ordinary answers in the log, each one event, undone as any other; and names."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from app.api.context import Annotator, Context, Here
from app.api.group_shapes import GroupAnswerIn, GroupNameOut, MergeIn, NameIn
from app.api.shapes import AnswerOut
from db import catalog, feedback, group_names, queue
from db.errors import BadInput
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict

router = APIRouter(prefix="/groups", tags=["groups"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
PROPOSER = "groups"
By = tuple[str, str, float | None]  # source, key, seconds


@router.post("/answer", status_code=201)
def answer(here: Here, person: Annotator, given: GroupAnswerIn, reply: Response, key: Key = None) -> AnswerOut:
    """Say which items of a group belong with its anchor and which do not: one answer, one verdict an item.

    A star from the anchor is as few links as a chain, and no chain is longer than two.
    """
    candidates = (*given.same, *given.different)
    if not candidates or len({given.anchor, *candidates}) != 1 + len(candidates):
        raise BadInput("choose at least one picture besides the anchor, each once: it belongs or it does not.")
    verdicts = [PairVerdict(given.anchor, item, Verdict.SAME) for item in given.same]
    verdicts += [PairVerdict(given.anchor, item, Verdict.DIFFERENT) for item in given.different]
    with here.database.read() as s:
        about = catalog.criterion(s, given.criterion).id
    asked = Question(about, Kind.ODD, given.anchor, candidates, PROPOSER, reason="You looked at a whole group.")
    return _recorded(here, asked, tuple(verdicts), (person.name, needed(key), given.seconds), reply)


@router.post("/merge", status_code=201)
def merge(here: Here, person: Annotator, given: MergeIn, reply: Response, key: Key = None) -> AnswerOut:
    """Say whether two groups are one: one verdict about the items that stand for them."""
    if set(given.a) & set(given.b) or len({*given.a, *given.b}) != len(given.a) + len(given.b):
        raise BadInput("a picture cannot be in both groups. Choose two different groups.")
    with here.database.read() as s:
        about = catalog.criterion(s, given.criterion).id
    asked = Question(
        about, Kind.MERGE, given.a[0], tuple(given.b), PROPOSER, context=tuple(given.a[1:]),
        reason="You asked whether two groups are one.",
    )  # fmt: skip
    verdict = PairVerdict(given.a[0], given.b[0], Verdict(given.verdict))
    return _recorded(here, asked, (verdict,), (person.name, needed(key), given.seconds), reply)


@router.post("/names", status_code=201)
def name(here: Here, person: Annotator, given: NameIn, key: Key = None) -> GroupNameOut:
    """Name the group that holds an item. The name stays with the item through every clustering; "" takes it away."""
    with here.database.write() as s:
        about = catalog.criterion(s, given.criterion).id
        made = group_names.give(s, about, given.item, given.name, person.name, needed(key))
    return GroupNameOut(id=made.id, item=made.item, name=made.name, source=made.source)


def needed(key: str | None) -> str:
    """The idempotency key. Raises BadInput without one."""
    if not key or not key.strip():
        raise BadInput("the header Idempotency-Key is missing. Send a new random one with every new answer.")
    return key


def _recorded(
    here: Context,
    asked: Question,
    verdicts: tuple[PairVerdict, ...],
    by: tuple[str, str, float | None],
    reply: Response,
) -> AnswerOut:
    """Put the question and its answer into the log, in one transaction.

    A retry finds the question of the first try; one that raced it is tried once more.
    """
    try:
        return _once(here, asked, verdicts, by, reply)
    except BadInput:
        with here.database.read() as s:
            if feedback.question_of(s, by[0], by[1]) is None:
                raise
        return _once(here, asked, verdicts, by, reply)


def _once(
    here: Context,
    asked: Question,
    verdicts: tuple[PairVerdict, ...],
    by: tuple[str, str, float | None],
    reply: Response,
) -> AnswerOut:
    source, key, seconds = by
    with here.database.write() as s:
        earlier = feedback.question_of(s, source, key)
        question = earlier or queue.put(s, asked.criterion, [asked], retire=False)[0]
        stored = feedback.record(s, Answer(question, verdicts, source, key, seconds))
    here.counters.answered(stored)
    reply.headers["Idempotency-Replayed"] = str(stored.replayed).lower()
    return AnswerOut(id=stored.id, question=question, late=stored.late)

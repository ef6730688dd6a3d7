"""Items that a person picked on the map or in a search: shown, answered about, or put on the Label screen.

What is said here are ordinary answers to ordinary questions, undone like any other; only who proposed them differs.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from app.api import views
from app.api.context import Annotator, Here, Viewer
from app.api.shapes import AnswerOut, Id, ItemsOut, Name, Shape, Which
from db import catalog, feedback, queue
from db.errors import BadInput
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict

router = APIRouter(tags=["chosen"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=180)]
MOST = 240  # items said something about at once
MOST_ASKED = 96
MOST_SHOWN = 200
SCREEN = 12  # candidates of one question: what the Label screen can show if it is undone and asked again
PATTERN = r"^\d{1,16}(,\d{1,16})*$"
WORDS = {"map": "You chose these on the map.", "search": "You found these by a search."}
Proposer = Literal["map", "search"]


class SayIn(Shape):
    """What is said about each of `items` and the anchor. proposer: the screen it was said on."""

    criterion: Id | Name
    anchor: Id
    items: list[Id] = Field(min_length=1, max_length=MOST)
    verdict: Literal["same", "different"]
    proposer: Proposer = "map"
    seconds: float | None = Field(default=None, ge=0, le=86_400)


class SaidOut(Shape):
    """One receipt for every dozen of items. pairs: how many were said something about."""

    answers: list[AnswerOut]
    pairs: int


class AskIn(Shape):
    """Items to be asked about with the anchor, by whoever asks for it here. tab: the browser tab that will answer."""

    criterion: Id | Name
    anchor: Id
    items: list[Id] = Field(min_length=1, max_length=MOST_ASKED)
    tab: str = Field(default="", max_length=64, pattern=r"^[\w-]*$")
    proposer: Proposer = "map"


class AskedOut(Shape):
    questions: list[int]


@router.get("/items/some")
def some(here: Here, _: Viewer, ids: Annotated[str, Query(pattern=PATTERN, max_length=17 * MOST_SHOWN)]) -> ItemsOut:
    """Up to 200 items by id (`ids=3,1,2`), in the order they are asked for; ids that do not exist are left out."""
    wanted = [int(one) for one in ids.split(",")]
    if len(wanted) > MOST_SHOWN or any(not 1 <= one <= 2**53 - 1 for one in wanted):
        raise BadInput(f"ids = up to {MOST_SHOWN} ids of items expected. Ask for the others in the next request.")
    with here.database.read() as s:
        found = catalog.items_by_id(s, wanted)
    return ItemsOut(items=[views.full_item(found[one]) for one in wanted if one in found], next=None)


@router.get("/items/named")
def named(
    here: Here, _: Viewer, criterion: Which, text: Annotated[str, Query(min_length=1, max_length=200)]
) -> ItemsOut:
    """The first items of a criterion's collection whose name holds this text, or whose id it is."""
    with here.database.read() as s:
        found = catalog.named_items(s, catalog.criterion(s, criterion).collection, text)
    return ItemsOut(items=[views.full_item(one) for one in found], next=None)


@router.post("/answers/about", status_code=201)
def say(here: Here, person: Annotator, given: SayIn, reply: Response, key: Key = None) -> SaidOut:
    """Say of each item that it is the same as the anchor, or different. All of it is stored, or none.

    The same key again gets the same receipts and changes nothing.
    """
    if not key or not key.strip():
        raise BadInput("the header Idempotency-Key is missing. Send a new random one with every new answer.")
    others = _others(given.anchor, given.items)
    stored = []
    with here.database.write() as s:
        about = catalog.criterion(s, given.criterion).id
        for place, screen in enumerate(_screens(others)):
            asked = queue.about(s, _question(about, given.anchor, screen, given.proposer))
            verdicts = tuple(PairVerdict(given.anchor, one, Verdict(given.verdict)) for one in screen)
            seconds = None if given.seconds is None else given.seconds * len(screen) / len(others)
            said = Answer(asked, verdicts, person.name, f"{key}/{place}", seconds)
            stored.append((asked, feedback.record(s, said)))
    for _, one in stored:
        here.counters.answered(one)
    reply.headers["Idempotency-Replayed"] = str(all(one.replayed for _, one in stored)).lower()
    receipts = [AnswerOut(id=one.id, question=asked, late=one.late) for asked, one in stored]
    return SaidOut(answers=receipts, pairs=len(others))


@router.post("/questions/about", status_code=201)
def ask(here: Here, person: Annotator, given: AskIn) -> AskedOut:
    """Questions "which of these belong with the anchor?", held by the caller's tab for half an hour."""
    others = _others(given.anchor, given.items)
    with here.database.write() as s:
        about = catalog.criterion(s, given.criterion).id
        asked = [
            Question(about, Kind.TICK, given.anchor, screen, given.proposer, reason=WORDS[given.proposer])
            for screen in _screens(others)
        ]
        holder = f"{person.name}/{given.tab}" if given.tab else person.name
        return AskedOut(questions=queue.put_for(s, about, asked, holder))


def _others(anchor: int, items: Sequence[int]) -> list[int]:
    """Each once, in their order, without the anchor. Raises BadInput if nothing is left."""
    others = [one for one in dict.fromkeys(items) if one != anchor]
    if not others:
        raise BadInput("items = at least one besides the anchor expected. Choose another picture too.")
    return others


def _screens(items: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for at in range(0, len(items), SCREEN):
        yield tuple(items[at : at + SCREEN])


def _question(criterion: int, anchor: int, screen: tuple[int, ...], proposer: str) -> Question:
    kind = Kind.PAIR if len(screen) == 1 else Kind.TICK
    return Question(criterion, kind, anchor, screen, proposer, reason=WORDS[proposer])

"""Contradictions: the smallest sets of pairs to ask again, who said what, and an answer right there."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from app.api import views
from app.api.asked import answered
from app.api.context import Annotator, Here, Viewer
from app.api.shapes import AnswerOut, Id, MediaOut, Name, Shape, Which
from app.auth import Person, may
from app.contradictions import Contradiction, contradictions, said_about
from db import catalog, feedback
from db.nouns import PairVerdict, Statement, Verdict
from oracle.evidence import Pair

router = APIRouter(prefix="/conflicts", tags=["conflicts"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
PROPOSER = "conflicts"


class VoiceOut(Shape):
    """One verdict of the log. mine: whether the caller may take the answer back; others: pairs that go with it."""

    answer: int
    source: str
    verdict: Verdict
    at: datetime
    mine: bool
    others: int


class PairSaidOut(Shape):
    """Two pictures and everything that stands about them."""

    a: MediaOut
    b: MediaOut
    said: list[VoiceOut]


class ConflictOut(Shape):
    """pair: said to be different; chain: what joins it all the same. against, support: weight of either side, in nats.
    again: pairs worth asking again, the most doubtful first."""

    pair: PairSaidOut
    against: float
    support: float
    settled: bool
    again: list[PairSaidOut]
    chain: list[PairSaidOut]


class ConflictsOut(Shape):
    """criterion: id. open: contradictions that wait; conflicts: the heaviest of them. answers: that stand."""

    criterion: int
    answers: int
    open: int
    conflicts: list[ConflictOut]


class AgainIn(Shape):
    """An answer about a pair that was asked again."""

    criterion: Id | Name
    a: Id
    b: Id
    verdict: Literal["same", "different", "not_comparable", "unsure"]
    background: bool = False
    seconds: float | None = Field(default=None, ge=0, le=86_400)


@router.get("")
def conflicts(
    here: Here, person: Viewer, criterion: Which, settled: bool = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ConflictsOut:  # fmt: skip
    """Open contradictions, the heaviest first; with `settled` also those that later answers outvoted."""
    with here.database.read() as s:
        about = catalog.criterion(s, criterion).id
        said = list(feedback.statements(s, about))
    found = contradictions(said, settled)
    shown = found[:limit]
    with here.database.read() as s:
        items = catalog.items_by_id(s, sorted({item for one in shown for item in one.items}))
        times = feedback.times(s, sorted({one.answer for one in said if {one.a, one.b} <= items.keys()}))
    sight = _Sight(person, said, {item.id: views.media(item) for item in items.values()}, times)
    return ConflictsOut(
        criterion=about,
        answers=len({one.answer for one in said}),
        open=sum(not one.settled for one in found),
        conflicts=[sight.conflict(one) for one in shown],
    )


@router.post("/answer", status_code=201)
def again(here: Here, person: Annotator, given: AgainIn, reply: Response, key: Key = None) -> AnswerOut:
    """Answer about one of these pairs again: one more voice in the log, which is never overwritten."""
    said = PairVerdict(given.a, given.b, Verdict(given.verdict), background=given.background)
    reason = "Answers contradict each other here."
    receipt, stored = answered(
        here, person, given.criterion, said, key, proposer=PROPOSER, reason=reason, seconds=given.seconds
    )
    reply.headers["Idempotency-Replayed"] = str(stored.replayed).lower()
    return receipt


class _Sight:
    """What contradictions are shown with."""

    def __init__(
        self, person: Person, said: list[Statement], items: dict[int, MediaOut], times: dict[int, datetime]
    ) -> None:
        self.person, self.items, self.times, self.curator = person, items, times, may(person, "curator")
        self.by_pair = said_about(said)
        self.pairs_of: dict[int, int] = {}
        for one in said:
            self.pairs_of[one.answer] = self.pairs_of.get(one.answer, 0) + 1

    def conflict(self, one: Contradiction) -> ConflictOut:
        return ConflictOut(
            pair=self.pair(one.pair), against=round(one.against, 3), support=round(one.support, 3),
            settled=one.settled, again=[self.pair(pair) for pair in one.again],
            chain=[self.pair(pair) for pair in one.chain],
        )  # fmt: skip

    def pair(self, pair: Pair) -> PairSaidOut:
        said = [self.said(one) for one in self.by_pair.get(pair, [])]
        return PairSaidOut(a=self.items[pair[0]], b=self.items[pair[1]], said=said)

    def said(self, one: Statement) -> VoiceOut:
        return VoiceOut(
            answer=one.answer, source=one.source, verdict=one.verdict, at=self.times[one.answer],
            mine=self.curator or one.source == self.person.name, others=self.pairs_of[one.answer] - 1,
        )  # fmt: skip

"""A state machine against the queue and the log: whatever annotators, clocks, networks and kills do, in any order, what
is stored is what a simple model in memory says.

    propose -> claim -> answer -> replay -> undo ...      and: leases lapse, replies get lost, transactions die, the
    database is closed and opened, a trainer follows the log and is killed before it has stored what it learnt.
"""

import os
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import update

from db import feedback, queue
from db.engine import Database, open_database
from db.errors import BadInput, Conflict, StaleLease
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from db.queue import Leased
from db.tables import LeaseRow
from tests.db.factories import new_item

SOURCES = ("ann", "bob", "cleo")
EXAMPLES = int(os.environ.get("PAIRWRIGHT_MACHINES", "10"))  # 500 for a long look
_numbers = count()


class Died(Exception):
    """The process was killed here: nothing of its transaction may remain."""


@dataclass
class Said:
    """An event as the model knows it."""

    answer: Answer
    asked: Question
    late: bool
    undone_by: int | None = None


@dataclass
class Undo:
    """The other kind of event."""

    key: str
    target: int
    undone_by: int | None = None


@dataclass
class Hand:
    """A question in somebody's hands. lapsed: its time is over, though nobody else may have it yet."""

    source: str
    leased: Leased
    overlap: int
    lapsed: bool = False


@dataclass
class Student:
    """A trainer that follows the log. stored: what it had learnt, and up to which event, when it last stored."""

    known: set[int] = field(default_factory=set)
    seen: int = 0
    stored: tuple[frozenset[int], int] = (frozenset(), 0)


class Machine(RuleBasedStateMachine):
    """The rules. `address` is of a database that other machines have used before: each makes a world of its own."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address, self.database = address, open_database(address)
        self.criterion, self.items = _world(self.database)
        self.events: dict[int, Said | Undo] = {}
        self.asked: dict[int, Question] = {}
        self.hands: list[Hand] = []
        self.unsure_of_receipt: list[Answer] = []
        self.student = Student()
        for start in range(4):
            self.propose_one(start, 2, Kind.PAIR)
        self.claim_some(SOURCES[0], 2, 2)

    def teardown(self) -> None:
        self.database.close()

    # What people and programs do

    @rule(start=st.integers(0, 9), width=st.integers(1, 3), kind=st.sampled_from([Kind.PAIR, Kind.TICK, Kind.ODD]))
    def propose(self, start: int, width: int, kind: Kind) -> None:
        self.propose_one(start, width, kind)

    def propose_one(self, start: int, width: int, kind: Kind) -> None:
        ring = [self.items[(start + step) % len(self.items)] for step in range(2 if kind is Kind.PAIR else width + 1)]
        asked = Question(self.criterion, kind, ring[0], tuple(ring[1:]), "machine")
        with self.database.write() as s:
            (number,) = queue.put(s, self.criterion, [asked], retire=False)
            self.asked[number] = queue.question(s, number)

    @rule(source=st.sampled_from(SOURCES), wanted=st.integers(1, 3), overlap=st.integers(1, 2))
    def claim(self, source: str, wanted: int, overlap: int) -> None:
        self.claim_some(source, wanted, overlap)

    def claim_some(self, source: str, wanted: int, overlap: int) -> None:
        with self.database.write() as s:
            got = queue.claim(s, self.criterion, source, wanted, overlap=overlap)
        for one in got:
            number = int(one.question.id or 0)
            mine = [hand for hand in self.hands if hand.leased.question.id == number]
            assert not any(hand.source == source and not hand.lapsed for hand in mine), "one holder, twice"
            assert not any(said.answer.source == source for said in self._standing(number)), "answered by them before"
            self.hands.append(Hand(source, one, overlap))
        self._forget_taken(got)

    @precondition(lambda self: self.hands)
    @rule(pick=st.integers(0, 99), verdict=st.sampled_from(Verdict), lost=st.booleans())
    def answer(self, pick: int, verdict: Verdict, lost: bool) -> None:
        """lost: the reply does not arrive, so the same is sent again some time later."""
        hand = self.hands.pop(pick % len(self.hands))
        said = _answer(hand, verdict)
        receipt = self._record(said)
        assert receipt.late == hand.lapsed
        self.events[receipt.id] = Said(said, hand.leased.question, receipt.late)
        if lost:
            self.unsure_of_receipt.append(said)

    @precondition(lambda self: self.unsure_of_receipt)
    @rule(pick=st.integers(0, 99))
    def send_again(self, pick: int) -> None:
        said = self.unsure_of_receipt[pick % len(self.unsure_of_receipt)]
        receipt = self._record(said)
        first = next(key for key, one in self.events.items() if isinstance(one, Said) and one.answer == said)
        assert (receipt.id, receipt.replayed, receipt.late) == (first, True, self.events[first].late)

    @precondition(lambda self: self._answers())
    @rule(pick=st.integers(0, 99))
    def reuse_a_key_for_something_else(self, pick: int) -> None:
        said = self._answers()[pick % len(self._answers())]
        flipped = Verdict.SAME if said.answer.verdicts[0].verdict != Verdict.SAME else Verdict.DIFFERENT
        other = tuple(PairVerdict(one.a, one.b, flipped) for one in said.answer.verdicts)
        with pytest.raises(BadInput, match="used for another answer"):
            self._record(Answer(said.answer.question, other, said.answer.source, said.answer.key))

    @precondition(lambda self: self.events)
    @rule(pick=st.integers(0, 99))
    def undo(self, pick: int) -> None:
        """Of an answer, or of an undo."""
        target = list(self.events)[pick % len(self.events)]
        key = f"undo-{target}"
        with self.database.write() as s:
            if self.events[target].undone_by is None:
                event = feedback.undo(s, target, key, "curator").id
                self.events[target].undone_by = event
                self.events[event] = Undo(key, target)
            else:
                again = feedback.undo(s, target, key, "curator")
                assert (again.id, again.replayed) == (self.events[target].undone_by, True)
        with pytest.raises(Conflict, match="undone already"), self.database.write() as s:
            feedback.undo(s, target, f"another {next(_numbers)}", "curator")

    @precondition(lambda self: self.hands)
    @rule(pick=st.integers(0, 99))
    def give_back(self, pick: int) -> None:
        hand = self.hands.pop(pick % len(self.hands))
        with self.database.write() as s:
            assert queue.release(s, int(hand.leased.question.id or 0), hand.leased.token)
            assert not queue.release(s, int(hand.leased.question.id or 0), hand.leased.token), "given back twice"

    @precondition(lambda self: self.hands)
    @rule(pick=st.integers(0, 99))
    def keep_longer(self, pick: int) -> None:
        hand = self.hands[pick % len(self.hands)]
        with self.database.write() as s:
            queue.renew(s, int(hand.leased.question.id or 0), hand.leased.token)
        hand.lapsed = False

    # What goes wrong

    @precondition(lambda self: self.hands)
    @rule(pick=st.integers(0, 99))
    def time_passes(self, pick: int) -> None:
        """One lease runs out."""
        hand = self.hands[pick % len(self.hands)]
        mine = (LeaseRow.question_id == hand.leased.question.id, LeaseRow.token == hand.leased.token)
        with self.database.write() as s:
            s.execute(update(LeaseRow).where(*mine).values(expires_at=0.0))
        hand.lapsed = True

    @precondition(lambda self: self.hands)
    @rule(pick=st.integers(0, 99), verdict=st.sampled_from(Verdict))
    def die_before_the_commit(self, pick: int, verdict: Verdict) -> None:
        hand = self.hands[pick % len(self.hands)]
        with pytest.raises(Died), self.database.write() as s:
            feedback.record(s, _answer(hand, verdict))
            raise Died

    @rule()
    def restart(self) -> None:
        self.database.close()
        self.database = open_database(self.address)

    # A trainer

    @rule()
    def follow_the_log(self) -> None:
        with self.database.read() as s:
            news = feedback.changes(s, self.criterion, self.student.seen)
        added = {one.answer for one in news.added}
        assert not added & self.student.known, "learnt twice"
        assert set(news.removed) <= self.student.known, "unlearnt what was never learnt"
        self.student.known = (self.student.known | added) - set(news.removed)
        self.student.seen = news.last_event

    @rule()
    def store_a_version(self) -> None:
        self.student.stored = (frozenset(self.student.known), self.student.seen)

    @rule()
    def kill_the_trainer(self) -> None:
        known, self.student.seen = self.student.stored
        self.student.known = set(known)

    # What must hold at any moment

    @invariant()
    def what_stands_is_what_was_said_and_not_taken_back(self) -> None:
        with self.database.read() as s:
            stored = {(one.answer, one.a, one.b, one.verdict) for one in feedback.statements(s, self.criterion)}
            rows = feedback.log(s, self.criterion, limit=1000)
        standing = {key: one for key, one in self._answers_by_id().items() if self._stands(key)}
        assert stored == {
            (key, one.a, one.b, one.verdict) for key, said in standing.items() for one in said.answer.verdicts
        }
        assert sorted(row.id for row in rows) == sorted(self.events), "an event is missing, or there twice"

    @invariant()
    def a_trainer_that_catches_up_knows_exactly_what_stands(self) -> None:
        with self.database.read() as s:
            news = feedback.changes(s, self.criterion, self.student.seen)
        known = (self.student.known | {one.answer for one in news.added}) - set(news.removed)
        assert known == {key for key in self._answers_by_id() if self._stands(key)}

    @invariant()
    def nobody_holds_more_slots_than_there_are(self) -> None:
        for number in self.asked:
            hands = [hand for hand in self.hands if hand.leased.question.id == number and not hand.lapsed]
            assert (
                len({hand.source for hand in hands}) == len(hands) <= max([hand.overlap for hand in hands], default=0)
            )

    @invariant()
    def leases_that_lapsed_and_were_taken_over_are_stale(self) -> None:
        """Only what is in the model's hands can be renewed: checked against the rows."""
        with self.database.read() as s:
            held = {(one.question.id, one.token) for source in SOURCES for one in queue.held(s, self.criterion, source)}
        assert held == {(hand.leased.question.id, hand.leased.token) for hand in self.hands if not hand.lapsed}

    # The model

    def _record(self, said: Answer) -> feedback.Recorded:
        with self.database.write() as s:
            return feedback.record(s, said)

    def _answers(self) -> list[Said]:
        return [one for one in self.events.values() if isinstance(one, Said)]

    def _answers_by_id(self) -> dict[int, Said]:
        return {key: one for key, one in self.events.items() if isinstance(one, Said)}

    def _standing(self, number: int) -> list[Said]:
        return [
            one for key, one in self._answers_by_id().items() if one.answer.question == number and self._stands(key)
        ]

    def _stands(self, event: int) -> bool:
        """An event counts unless a counting event took it back."""
        by = self.events[event].undone_by
        return by is None or not self._stands(by)

    def _forget_taken(self, got: list[Leased]) -> None:
        """A lapsed lease whose slot went to somebody else is gone: its token renews and uses up nothing."""
        taken = {int(one.question.id or 0) for one in got}
        for hand in [one for one in self.hands if one.lapsed and one.leased.question.id in taken]:
            with self.database.read() as s:
                there = (
                    s.query(LeaseRow).filter_by(token=hand.leased.token, question_id=hand.leased.question.id).count()
                )
            if not there:
                self.hands.remove(hand)
                with pytest.raises(StaleLease), self.database.write() as s:
                    queue.renew(s, int(hand.leased.question.id or 0), hand.leased.token)


def _answer(hand: Hand, verdict: Verdict) -> Answer:
    verdicts = tuple(PairVerdict(a, b, verdict) for a, b in hand.leased.question.pairs())
    key = f"{hand.leased.token}-{hand.leased.question.id}-{verdict}"
    return Answer(int(hand.leased.question.id or 0), verdicts, hand.source, key, 1.0, hand.leased.token)


def _world(database: Database) -> tuple[int, tuple[int, ...]]:
    """A collection and a criterion that no other machine has."""
    from db import catalog

    name = f"machine {next(_numbers)}"
    with database.write() as s:
        collection = catalog.add_collection(s, name)
        catalog.add_items(s, collection, [new_item(number) for number in range(10)])
        criterion = catalog.add_criterion(s, name, collection, "Same?")
        return criterion, tuple(item.id for item in catalog.items(s, collection))


@pytest.mark.timeout(1800)  # a failure is made small before it is shown
def test_the_queue_and_the_log_do_what_the_model_says(url: str, database: Database) -> None:
    run_state_machine_as_test(
        lambda: Machine(url),
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=50, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip

"""Ask, answer, record: against a real database."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from db import catalog, feedback, queue
from db.engine import Database, open_database
from db.nouns import Answer, Item, Kind, PairVerdict, Question, Verdict
from oracle.answerers import from_spec
from oracle.answerers.human import Answerer as Human
from oracle.session import Session


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Six items of two kinds, and three open questions."""
    opened = open_database(f"sqlite:///{tmp_path}/db.sqlite")
    with opened.write() as s:
        collection = catalog.add_collection(s, "pets")
        new = [catalog.NewItem(f"{n:064x}", 8, 8, f"{n}.png", f"{n}.png", attributes={"kind": n % 2}) for n in range(6)]
        catalog.add_items(s, collection, new)
        catalog.add_criterion(s, "kind", collection, "Same kind?")
        ids = [one.id for one in catalog.items(s, collection)]
        shapes = [(ids[0], ids[1:4]), (ids[1], ids[2:5]), (ids[2], ids[3:4])]
        queue.put(s, 1, [Question(1, Kind.TICK, anchor, tuple(shown), "test") for anchor, shown in shapes])
    yield opened
    opened.close()


def pets(database: Database) -> list[Item]:
    with database.read() as s:
        return catalog.items(s, 1)


def stated(database: Database) -> list[tuple[int, int, str]]:
    with database.read() as s:
        return [(one.a, one.b, one.verdict.value) for one in feedback.statements(s, 1)]


def test_a_session_answers_all_that_waits_and_the_log_holds_it(database: Database) -> None:
    steps = list(Session(database, 1, from_spec("labels:kind", pets(database))).run())
    assert [len(step.answer.verdicts) for step in steps if step.answer] == [3, 3, 1]
    assert len(stated(database)) == 7
    assert all(step.seconds > 1 for step in steps)


def test_a_session_stops_after_the_screens_it_was_given(database: Database) -> None:
    session = Session(database, 1, from_spec("labels:kind", pets(database)))
    assert len(list(session.run(2))) == 2
    with database.read() as s:
        assert queue.open_count(s, 1) == 1


def test_a_silent_answerer_gives_its_question_back(database: Database) -> None:
    steps = list(Session(database, 1, from_spec("labels:kind", pets(database), budget=1)).run())
    assert [step.recorded is None for step in steps] == [False, True]
    with database.read() as s:
        assert queue.open_count(s, 1) == 2


class Failing:
    def answer(self, question: Question) -> Answer | None:
        raise ValueError("the camera fell off")


def test_a_failing_answerer_gives_its_question_back(database: Database) -> None:
    with pytest.raises(ValueError, match="camera"):
        Session(database, 1, Failing()).step()
    with database.read() as s:
        assert queue.open_count(s, 1) == 3


def test_undo_takes_an_answer_back_and_the_question_can_be_answered_again(database: Database) -> None:
    session = Session(database, 1, from_spec("labels:kind", pets(database)))
    step = session.step()
    assert step is not None
    assert step.recorded is not None
    before = stated(database)
    session.undo(step.recorded.id)
    assert stated(database) == []
    again = list(session.run())
    assert len(again) == 3
    assert set(before) <= set(stated(database))


def test_whoever_proposes_is_called_before_each_question(database: Database) -> None:
    calls: list[int] = []
    session = Session(database, 1, from_spec("labels:kind", pets(database)), refresh=lambda: calls.append(1))
    list(session.run(2))
    assert len(calls) == 2


def test_only_questions_of_the_wanted_layout_are_claimed(database: Database) -> None:
    assert Session(database, 1, from_spec("labels:kind", pets(database)), kind=Kind.ODD).step() is None


def test_a_person_answers_elsewhere_and_the_session_records_nothing_twice(database: Database) -> None:
    def person() -> None:
        with database.write() as s:
            leased = queue.claim(s, 1, "browser", 1, source="ann")[0]
            said = tuple(PairVerdict(a, b, Verdict.SAME) for a, b in leased.question.pairs())
            feedback.record(s, Answer(leased.question.id or 0, said, "ann", "click-1", 2.5, leased.token))

    thread = threading.Timer(0.2, person)
    thread.start()
    step = Session(database, 1, Human(database, wait_s=30, poll_s=0.02)).step()
    thread.join()
    assert step is not None
    assert step.answer is not None
    assert (step.answer.source, step.seconds) == ("ann", 2.5)
    assert len(stated(database)) == 3


def test_nobody_there_counts_as_no_answer(database: Database) -> None:
    step = Session(database, 1, Human(database, wait_s=0.0)).step()
    assert step is not None
    assert step.recorded is None

"""The log: whole answers, once each, and what stands after undos."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from db import events, feedback, queue
from db.errors import BadInput, Conflict, NotFound
from db.nouns import Answer, Kind, Origin, PairVerdict, Verdict
from db.tables import AnswerRow, VerdictRow
from tests.db.factories import World, answer, make_world


def say(world: World, question: int, verdict: Verdict = Verdict.SAME, **more: object) -> feedback.Recorded:
    with world.database.write() as s:
        return feedback.record(s, answer(queue.question(s, question), verdict, **{"key": f"k{question}", **more}))


def take_back(world: World, event: int, key: str = "", source: str = "ann") -> feedback.Recorded:
    with world.database.write() as s:
        return feedback.undo(s, event, key or f"undo {event}", source)


def standing(world: World, after: int = 0) -> list[int]:
    with world.database.read() as s:
        return [one.answer for one in feedback.statements(s, world.criterion, after=after)]


def test_an_answer_stands_with_all_it_said(world):
    [this] = world.ask(1, kind=Kind.TICK, width=2)
    with world.database.write() as s:
        asked = queue.question(s, this)
        (a, b), (_, c) = asked.pairs()
        said = (
            PairVerdict(c, a, Verdict.DIFFERENT, confidence=0.25),
            PairVerdict(a, b, Verdict.SAME, background=True),
        )
        receipt = feedback.record(s, Answer(this, said, "ann", "k", seconds=2.5))
    with world.database.read() as s:
        one, two = feedback.statements(s, world.criterion)
    assert (one.a, one.b, one.verdict, one.confidence, one.background) == (a, c, Verdict.DIFFERENT, 0.25, False)
    assert (two.a, two.b, two.verdict, two.confidence, two.background) == (a, b, Verdict.SAME, None, True)
    assert (one.answer, one.source, one.audit, one.probability) == (receipt.id, "ann", True, 0.5)


def test_a_replayed_answer_gets_the_same_reply_and_is_stored_once(world):
    [this] = world.ask(1)
    first, again = say(world, this), say(world, this, seconds=99.0)
    assert first == again
    assert (first.replayed, again.replayed) == (False, True)
    assert standing(world) == [first.id]
    with world.database.read() as s:
        assert len(events.since(s, 0)) == 1


def test_a_key_used_for_another_answer_is_refused(world):
    one, two = world.ask(2)
    say(world, one, key="k")
    with pytest.raises(BadInput, match="used for another answer"):
        say(world, two, key="k")
    with pytest.raises(BadInput, match="used for another answer"):
        say(world, one, Verdict.DIFFERENT, key="k")
    say(world, two, key="k", source="ben")  # somebody else's keys are their own


def test_a_replayed_late_answer_is_late_again(world):
    [this] = world.ask(1)
    receipts = [say(world, this, lease="gone") for _ in range(2)]
    assert [receipt.late for receipt in receipts] == [True, True]


def test_an_answer_that_is_not_whole_is_refused(world):
    [this] = world.ask(1, kind=Kind.TICK, width=3)
    with world.database.read() as s:
        good = answer(queue.question(s, this), key="k")
    first, second, _ = good.verdicts
    stranger = replace(first, b=world.items[-1])
    for verdicts, sentence in [
        ((first, second), "asks 3 pairs, got 2 verdicts"),
        ((), "got 0 verdicts"),
        ((*good.verdicts, stranger), "is not a pair of question"),
        ((*good.verdicts, first), "has two verdicts"),
        ((replace(first, verdict="maybe"), *good.verdicts[1:]), "verdict must be one of"),
        ((replace(first, confidence=0.0), *good.verdicts[1:]), r"confidence must be a number in \(0, 1\]"),
    ]:
        with pytest.raises(BadInput, match=sentence), world.database.write() as s:
            feedback.record(s, replace(good, verdicts=verdicts))
    for broken, sentence in [
        (replace(good, question=10**6), "no question with id"),
        (replace(good, question=2**70), "positive whole number"),
        (replace(good, key=""), "idempotency key must be text of 1 to 200"),
        (replace(good, source="x" * 201), "a source must be text of 1 to 200"),
        (replace(good, seconds=-1.0), "seconds must be a number"),
    ]:
        with pytest.raises((BadInput, NotFound), match=sentence), world.database.write() as s:
            feedback.record(s, broken)
    assert standing(world) == []


def test_a_merge_is_one_verdict_for_both_groups(world):
    [this] = world.ask(1, kind=Kind.MERGE, width=4)
    say(world, this)
    assert len(standing(world)) == 1


def test_an_undone_answer_was_never_given(world):
    one, two = world.ask(2)
    kept, gone = say(world, one), say(world, two)
    undone = take_back(world, gone.id)
    assert standing(world) == [kept.id]
    with world.database.read() as s:
        assert feedback.last_event(s, world.criterion) == undone.id
        assert [(e.kind, e.undone) for e in feedback.log(s, world.criterion)] == [
            ("undo", False),
            ("answer", True),
            ("answer", False),
        ]
    with world.database.write() as s:
        [leased] = queue.claim(s, world.criterion, "ben", 5)
        assert leased.question.id == two


def test_an_undone_answer_gives_its_slot_back(world):
    [this] = world.ask(1)
    with world.database.write() as s:
        [leased] = queue.claim(s, world.criterion, "tab", 1)
        receipt = feedback.record(s, answer(leased.question, key="k", lease=leased.token))
        assert queue.claim(s, world.criterion, "other tab", 1) == []
    take_back(world, receipt.id)
    with world.database.write() as s:
        assert [one.question.id for one in queue.claim(s, world.criterion, "tab", 1, source="ann")] == [this]


def test_undoing_twice_is_a_conflict_and_a_retry_is_not(world):
    [this] = world.ask(1)
    event = say(world, this).id
    first = take_back(world, event, "u")
    again = take_back(world, event, "u")
    assert first == again
    assert again.replayed
    with pytest.raises(Conflict, match="is undone already"):
        take_back(world, event, "another key")
    with pytest.raises(NotFound, match="no answer with id"):
        take_back(world, 10**6)


def test_undoing_an_undo_brings_the_answer_back(world):
    [this] = world.ask(1)
    event = say(world, this).id
    undone = take_back(world, event)
    take_back(world, undone.id)
    assert standing(world) == [event]


def test_a_question_can_be_answered_again_after_an_undo(world):
    [this] = world.ask(1)
    take_back(world, say(world, this).id)
    second = say(world, this, Verdict.DIFFERENT, key="second")
    assert standing(world) == [second.id]


def test_counts_are_of_what_stands(world):
    ids = world.ask(3, kind=Kind.TICK, width=2)
    say(world, ids[0])
    say(world, ids[1], Verdict.UNSURE, lease="gone")
    take_back(world, say(world, ids[2], Verdict.DIFFERENT).id)
    with world.database.read() as s:
        counts = feedback.counts(s, world.criterion)
    assert counts == feedback.Counts(screens=2, verdicts=4, same=2, unsure=2, undone=1, late=1, seconds=3.0)


def test_the_log_is_paged_newest_first(world):
    receipts = [say(world, this).id for this in world.ask(5)]
    with world.database.read() as s:
        page = feedback.log(s, world.criterion, 2)
        rest = feedback.log(s, world.criterion, 9, before=page[-1].id)
    assert [one.id for one in page + rest] == receipts[::-1]
    assert page[0].question.id
    assert page[0].verdicts[0].verdict is Verdict.SAME


def test_nothing_in_the_log_ever_changes(world):
    one, two = world.ask(2)
    say(world, one)

    def rows() -> list[tuple[object, ...]]:
        with world.database.read() as s:
            log = s.execute(select(*AnswerRow.__table__.columns).order_by(AnswerRow.id))
            return [tuple(row) for row in log] + [
                tuple(row) for row in s.execute(select(*VerdictRow.__table__.columns))
            ]

    before = rows()
    take_back(world, say(world, two).id)
    assert set(before) <= set(rows())


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=25), st.integers(0, 25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_said_and_undone_what_stands_follows_from_the_events(sqlite_database, moves, cut):
    """An answer stands if the chain of undos upon it is even; `changes` leads from any past to now."""
    world = make_world(sqlite_database)
    start = last(world)
    model: dict[int, int | None] = {}  # event -> what superseded it
    answers: list[int] = []
    past: tuple[int, set[int]] = (start, set())
    for number, (undoing, pick) in enumerate(moves):
        free = [event for event, superseded in model.items() if superseded is None]
        if undoing and free:
            target = free[pick % len(free)]
            model[target] = take_back(world, target, f"{start} {number}").id
            model[model[target]] = None
        else:
            answers.append(say(world, world.ask(1)[0], key=f"{start} {number}").id)
            model[answers[-1]] = None
        if number + 1 == cut:
            past = (last(world), {event for event in answers if stands(model, event)})
    today = {event for event in answers if stands(model, event)}
    assert set(standing(world, after=start)) == today
    with sqlite_database.read() as s:
        changes = feedback.changes(s, world.criterion, past[0])
    assert (past[1] | {one.answer for one in changes.added}) - set(changes.removed) == today
    assert not past[1] & {one.answer for one in changes.added}
    assert set(changes.removed) <= past[1]


def stands(model: dict[int, int | None], event: int) -> bool:
    superseded = model[event]
    return superseded is None or not stands(model, superseded)


def last(world: World) -> int:
    with world.database.read() as s:
        return s.scalar(select(func.max(AnswerRow.id))) or 0


def test_an_answer_from_elsewhere_keeps_its_time_and_is_found_by_its_key(world: World) -> None:
    at = datetime(2025, 3, 4, 5, 6, 7, 250_000, UTC)
    (number,) = world.ask(1)
    with world.database.write() as s:
        asked = queue.question(s, number)
        came = feedback.record(s, replace(answer(asked, key="k"), origin=Origin(at, late=True)))
        gone = feedback.undo(s, came.id, "u", "ann", Origin(at + timedelta(hours=1)))
    with world.database.read() as s:
        assert feedback.event_of(s, "ann", "k") == (came.id, world.criterion)
        assert feedback.event_of(s, "ann", "other") is None
        events = list(feedback.history(s, world.criterion))
    assert [(one.id, one.created_at, one.late, one.undone) for one in events] == [
        (came.id, at, True, True),
        (gone.id, at + timedelta(hours=1), False, False),
    ]


def test_the_history_is_the_log_the_other_way_round(world: World) -> None:
    for number in world.ask(5):
        say(world, number)
    with world.database.write() as s:
        feedback.undo(s, feedback.log(s, world.criterion)[0].id, "u", "ann")
    with world.database.read() as s:
        assert list(feedback.history(s, world.criterion)) == feedback.log(s, world.criterion)[::-1]

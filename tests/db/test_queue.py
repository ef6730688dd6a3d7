"""The queue: nobody gets what somebody else holds, nothing is handed out too often, nothing is forgotten."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from db import feedback, queue
from db.errors import BadInput, NotFound, StaleLease
from db.nouns import Kind, Verdict
from db.tables import LeaseRow, QuestionRow
from tests.db.factories import World, answer
from tests.measured import tell, times


def claim(world: World, holder: str, count: int = 1, **more: object) -> list[queue.Leased]:
    with world.database.write() as s:
        return queue.claim(s, world.criterion, holder, count, **more)


def say(world: World, leased: queue.Leased, verdict: Verdict = Verdict.SAME, source: str = "ann") -> feedback.Recorded:
    given = answer(leased.question, verdict, key=f"{source} {leased.token}", source=source, lease=leased.token)
    with world.database.write() as s:
        return feedback.record(s, given)


def expire_all(world: World) -> None:
    with world.database.write() as s:
        s.execute(update(LeaseRow).values(expires_at=0.0))


def state(world: World, id: int) -> str:
    with world.database.read() as s:
        return s.scalar(select(QuestionRow.state).where(QuestionRow.id == id))


def test_a_question_comes_back_as_it_was_put(world):
    asked = replace(world.question(3, kind=Kind.MERGE, width=3), expected=(0.1, 0.5, 1.0), reason="why", version=7)
    asked = replace(asked, context=(world.items[20],))
    with world.database.write() as s:
        [this] = queue.put(s, world.criterion, [asked])
        assert queue.question(s, this) == replace(asked, id=this)
        assert queue.questions(s, [this, this + 1]) == {this: replace(asked, id=this)}


def test_questions_are_handed_out_in_the_order_they_were_put(world):
    ids = world.ask(5)
    assert [leased.question.id for leased in claim(world, "ann", 3)] == ids[:3]
    assert [leased.question.id for leased in claim(world, "ben", 9)] == ids[3:]
    assert claim(world, "cat") == []


def test_only_the_wanted_kind_is_handed_out(world):
    world.ask(3)
    [tick] = world.ask(1, kind=Kind.TICK, width=4)
    assert [leased.question.id for leased in claim(world, "ann", 5, kind="tick_positives")] == [tick]
    with pytest.raises(BadInput, match="kind must be one of"):
        claim(world, "ann", kind="essay")


def test_new_questions_replace_the_ones_nobody_holds(world):
    ids = world.ask(4)
    claim(world, "ann", 1)
    fresh = world.ask(2, retire=True)
    assert [state(world, this) for this in ids] == ["open", "retired", "retired", "retired"]
    assert [leased.question.id for leased in claim(world, "ben", 9)] == fresh


def test_waiting_questions_are_those_nobody_holds_or_answered(world):
    world.ask(5)
    first, second = claim(world, "ann", 2)
    say(world, first)
    with world.database.read() as s:
        assert queue.open_count(s, world.criterion) == 3
    expire_all(world)
    with world.database.read() as s:
        assert queue.open_count(s, world.criterion) == 4, second


def test_an_expired_lease_gives_the_question_to_somebody_else(world):
    [this] = world.ask(1)
    [mine] = claim(world, "ann")
    assert claim(world, "ben") == []
    expire_all(world)
    [theirs] = claim(world, "ben")
    assert theirs.question.id == this
    assert theirs.token != mine.token
    with world.database.write() as s, pytest.raises(StaleLease, match="Claim another"):
        queue.renew(s, this, mine.token)


def test_a_late_answer_is_kept_and_flagged_and_takes_nothing_from_the_new_holder(world):
    world.ask(1)
    [mine] = claim(world, "ann")
    expire_all(world)
    [theirs] = claim(world, "ben")
    assert say(world, mine).late
    assert not say(world, theirs, source="ben").late
    with world.database.read() as s:
        assert [(one.source, one.late) for one in feedback.log(s, world.criterion)] == [("ben", False), ("ann", True)]
        assert len(feedback.statements(s, world.criterion)) == 2


def test_a_late_answer_nobody_forestalled_uses_its_slot_up(world):
    [this] = world.ask(1)
    [mine] = claim(world, "ann")
    expire_all(world)
    assert say(world, mine).late
    assert claim(world, "ben") == []
    assert state(world, this) == "answered"


def test_renewing_keeps_a_question_and_releasing_gives_it_back(world):
    [this] = world.ask(1)
    [mine] = claim(world, "ann", lease_s=0)
    with world.database.write() as s:
        assert queue.renew(s, this, mine.token, 300) > mine.expires_at
        assert [leased.token for leased in queue.held(s, world.criterion, "ann")] == [mine.token]
    assert claim(world, "ben") == []
    with world.database.write() as s:
        assert not queue.release(s, this, "another token")
        assert queue.release(s, this, mine.token)
        assert not queue.release(s, this, mine.token)
    assert len(claim(world, "ben")) == 1


def test_an_answered_question_is_not_handed_out_again(world):
    world.ask(1)
    [mine] = claim(world, "ann")
    say(world, mine)
    expire_all(world)
    assert claim(world, "ben") == []
    assert claim(world, "ann") == []


def test_overlap_hands_a_question_to_so_many_and_never_twice_to_one(world):
    [this] = world.ask(1)
    first, second = (claim(world, holder, overlap=2) for holder in ("ann", "ben"))
    assert [leased.question.id for leased in first + second] == [this, this]
    assert claim(world, "ann", overlap=2) == claim(world, "cat", overlap=2) == []
    say(world, first[0], source="ann")
    assert state(world, this) == "open"
    say(world, second[0], source="ben")
    assert state(world, this) == "answered"


def test_unsure_goes_to_somebody_else_but_not_for_ever(world):
    [this] = world.ask(1)
    for source in ("ann", "ben", "cat"):
        [leased] = claim(world, source)
        say(world, leased, Verdict.UNSURE, source)
        assert claim(world, source) == []
    assert claim(world, "dan") == []
    assert state(world, this) == "answered"


def test_what_a_source_answered_is_not_offered_to_it_in_another_tab(world):
    world.ask(1)
    [leased] = claim(world, "tab 1", source="ann", overlap=2)
    say(world, leased, source="ann")
    assert claim(world, "tab 2", source="ann", overlap=2) == []
    assert len(claim(world, "tab 2", source="ben", overlap=2)) == 1


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_eight_clients_at_once_never_get_one_slot_twice_and_leave_nothing(world, overlap):
    ids = world.ask(times(60, 1000))
    got: list[tuple[str, int]] = []

    def work(name: str) -> None:
        while mine := claim(world, name, 3, overlap=overlap):
            got.extend((name, leased.question.id) for leased in mine)

    threads = [threading.Thread(target=work, args=(f"client {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == len(got)
    starved = overlap * len(ids) - len(got)  # a client that hears "nothing" while there is work leaves too early
    assert starved == 0
    assert sorted(this for _, this in got) == sorted(ids * overlap)
    with world.database.read() as s:
        slots = select(func.count(), func.max(LeaseRow.slot)).group_by(LeaseRow.question_id)
        assert {tuple(row) for row in s.execute(slots)} == {(overlap, overlap - 1)}
    tell(
        2,
        clients=8,
        questions=len(ids),
        overlap=overlap,
        over_assigned=0,
        starved=starved,
        database=world.database.dialect,
    )


def test_old_retired_questions_are_swept_and_answered_ones_stay(world):
    ids = world.ask(3)
    [mine] = claim(world, "ann")
    say(world, mine)
    world.ask(1, retire=True)
    with world.database.write() as s:
        assert queue.sweep(s, older_than_s=3600) == 0
        assert queue.sweep(s, older_than_s=-1) == 2
        assert queue.question(s, ids[0])
        with pytest.raises(NotFound, match=f"no question with id {ids[1]}"):
            queue.question(s, ids[1])


def bad_questions(world: World) -> list[tuple[object, str]]:
    good = world.question(0, width=2, kind=Kind.TICK)
    return [
        (replace(good, candidates=()), "needs 1 to 12 different candidates"),
        (replace(good, candidates=good.candidates[:1] * 2), "different candidates"),
        (replace(good, candidates=(good.anchor,)), "different candidates"),
        (replace(good, candidates=world.items[1:14]), "needs 1 to 12"),
        (replace(good, kind=Kind.PAIR), "needs 1 to 1"),
        (replace(good, candidates=(10**6,)), "no item with id 1000000 in this collection"),
        (replace(good, anchor=-1), "positive whole number"),
        (replace(good, probability=0.0), r"probability must be a number in \(0, 1\]"),
        (replace(good, expected=(0.5,)), "one value per candidate"),
        (replace(good, expected=(0.5, float("nan"))), r"expected must be a number in \[0, 1\]"),
    ]


def test_a_question_that_makes_no_sense_is_refused(world):
    for question, sentence in bad_questions(world):
        with pytest.raises((BadInput, NotFound), match=sentence), world.database.write() as s:
            queue.put(s, world.criterion, [question])
    with world.database.read() as s:
        assert queue.open_count(s, world.criterion) == 0

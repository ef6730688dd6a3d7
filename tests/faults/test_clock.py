"""The database's clock jumps by a day, ahead and back: nothing is lost or doubled, and nothing waits for a day."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from db import feedback, jobs, leaders, queue
from db.engine import Database, open_database
from db.tables import AnswerRow
from tests.db.factories import World, answer, make_world
from tests.measured import tell

DAY_S = 86_400.0


class Clock:
    """What SQLite takes for the time: ours, `ahead` seconds early."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def install(self, connection: object, _: object) -> None:
        plain = open_plain()
        connection.create_function(  # type: ignore[attr-defined]
            "julianday", 1, lambda _now: plain.execute("SELECT julianday('now')").fetchone()[0] + self.ahead / DAY_S
        )


def open_plain() -> object:
    """A connection whose clock is right."""
    from db.sqlite import MODULE

    return MODULE.connect(":memory:", check_same_thread=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[World]:
    opened = open_database(f"sqlite:///{tmp_path / 'clock.sqlite'}")
    opened.engine.dispose()
    event.listen(opened.engine, "connect", clock.install)
    yield make_world(opened)
    opened.close()


def claim(database: Database, criterion: int, holder: str) -> list[queue.Leased]:
    with database.write() as s:
        return queue.claim(s, criterion, holder, 1)


@pytest.mark.parametrize("jumps", [(DAY_S, 0.0), (-DAY_S, 0.0), (DAY_S, -DAY_S), (3600.0, 0.0), (0.0, -3600.0)])
def test_questions_are_answered_once_and_none_is_held_for_a_day(
    world: World, clock: Clock, jumps: tuple[float, float]
) -> None:
    asked = world.ask(3)
    before = claim(world.database, world.criterion, "before")
    for number, ahead in enumerate(jumps):
        clock.ahead = ahead
        held = claim(world.database, world.criterion, f"holder {number}")
        for one in held:  # a lease of the other time
            with world.database.write() as s:
                queue.renew(s, one.question.id, one.token)
    clock.ahead = 0.0
    late = []
    for one in before:  # who held it all the time: kept
        with world.database.write() as s:
            late.append(feedback.record(s, answer(one.question, key="late", lease=one.token)))
    clock.ahead = jumps[-1] - 2 * DAY_S  # the clock is set right: everything leased so far was leased in the future
    left = [one for number in range(4) for one in claim(world.database, world.criterion, f"after {number}")]
    assert {one.question.id for one in left} == set(asked) - {one.question.id for one in before}
    for one in left:
        with world.database.write() as s:
            feedback.record(s, answer(one.question, key=str(one.question.id), lease=one.token))
    with world.database.read() as s:
        assert s.scalar(select(func.count(AnswerRow.id))) == len(asked) and len(late) == 1
    tell(9, fault="clock", jumps=" then ".join(f"{jump / 3600:+.0f} h" for jump in jumps), lost=0, doubled=0)


def test_a_job_and_a_lead_of_a_clock_ahead_are_free_when_it_is_set_right(world: World, clock: Clock) -> None:
    clock.ahead = DAY_S
    with world.database.write() as s:
        jobs.enqueue(s, "embed", {})
        dead = jobs.lease(s, ["embed"], "killed")
        assert dead is not None and leaders.lead(s, "trainer:1", "killed", 12) == 1
    clock.ahead = 0.0
    with world.database.write() as s:
        again = jobs.lease(s, ["embed"], "new")
        assert again is not None and again.id == dead.id and again.token > dead.token
        assert leaders.lead(s, "trainer:1", "new", 12) == 2


def test_a_clock_a_little_behind_takes_nothing_away(world: World, clock: Clock) -> None:
    world.ask(1)
    (mine,) = claim(world.database, world.criterion, "me")
    with world.database.write() as s:
        jobs.enqueue(s, "embed", {})
        assert jobs.lease(s, ["embed"], "me") and leaders.lead(s, "trainer:1", "me", 12) == 1
    clock.ahead = -30.0
    assert claim(world.database, world.criterion, "you") == []
    with world.database.write() as s:
        assert jobs.lease(s, ["embed"], "you") is None and leaders.lead(s, "trainer:1", "you", 12) is None
        queue.renew(s, mine.question.id, mine.token)

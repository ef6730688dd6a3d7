"""PostgreSQL commits out of order; whoever reads on from the last id seen must miss nothing all the same."""

import pytest

from db import events, feedback, queue
from db.engine import open_database
from tests.db.factories import answer, make_world

pytestmark = pytest.mark.postgres


@pytest.fixture
def world(postgres_url):
    opened = open_database(postgres_url)
    yield make_world(opened)
    opened.close()


def test_an_answer_that_commits_late_is_not_stepped_over(world):
    slow, fast = world.ask(2)
    with world.database.write() as s:
        early = feedback.record(s, answer(queue.question(s, slow), key="slow"))
        with world.database.write() as other:
            late = feedback.record(other, answer(queue.question(other, fast), key="fast"))
        assert early.id < late.id
        with world.database.read() as reader:
            seen = feedback.last_event(reader, world.criterion)
            assert seen < early.id, "a reader who had seen the younger one would never look for the older"
            assert feedback.statements(reader, world.criterion) == []
            assert events.since(reader, 0) == []
    with world.database.read() as reader:
        answers = [one.answer for one in feedback.statements(reader, world.criterion, after=seen)]
        assert answers == [early.id, late.id]
        assert feedback.last_event(reader, world.criterion) == late.id
        assert len(events.since(reader, 0)) == 2


def test_a_writer_reads_its_own_answer(world):
    [this] = world.ask(1)
    with world.database.write() as s:
        receipt = feedback.record(s, answer(queue.question(s, this), key="k"))
        assert feedback.last_event(s, world.criterion) == receipt.id


def test_a_log_from_another_server_is_read_as_a_whole(world):
    """A restored dump carries transaction ids this server has not reached."""
    from sqlalchemy import text

    [this] = world.ask(1)
    with world.database.write() as s:
        receipt = feedback.record(s, answer(queue.question(s, this), key="k"))
        s.execute(text("UPDATE answers SET xid = xid + 1000000000"))
    with world.database.read() as s:
        assert feedback.last_event(s, world.criterion) == receipt.id

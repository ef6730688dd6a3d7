"""Numbers for a monitor: what people hold, what lapsed, how far the trainer is behind, how fast it embeds."""

from sqlalchemy import update

from db import feedback, jobs, queue, versions, vitals
from db.tables import JobRow, LeaseRow
from tests.db.factories import World, answer


def look(world: World) -> vitals.Vitals:
    with world.database.read() as s:
        return vitals.vitals(s, world.criterion)


def test_what_is_held_lapses_and_comes_late(world: World) -> None:
    world.ask(5)
    assert look(world) == vitals.Vitals(0, 0, 0, 0, 0.0)
    with world.database.write() as s:
        first, *_ = queue.claim(s, world.criterion, "ann", 3)
    assert (look(world).held, look(world).lapsed) == (3, 0)
    with world.database.write() as s:
        s.execute(update(LeaseRow).values(expires_at=0.0))
    assert (look(world).held, look(world).lapsed) == (0, 3)
    with world.database.write() as s:
        feedback.record(s, answer(first.question, key="1", lease=first.token))
    assert (look(world).lapsed, look(world).late) == (2, 1)
    with world.database.write() as s:
        queue.claim(s, world.criterion, "bob", 5)
    assert (look(world).held, look(world).lapsed) == (4, 0)


def test_the_trainer_is_behind_by_what_its_version_has_not_learnt(world: World) -> None:
    asked = world.ask(4)
    with world.database.write() as s:
        events = [feedback.record(s, answer(queue.question(s, one), key=str(one))).id for one in asked]
    assert look(world).behind == 4 and look(world).behind_s >= 0
    with world.database.write() as s:
        version = versions.add(
            s, world.criterion, parent=None, artifact="x", last_event=events[2], metrics={}, encoder="lite0"
        )
        versions.promote(s, version)
    assert look(world).behind == 1
    with world.database.write() as s:
        feedback.undo(s, events[0], "undo", "ann")
    assert look(world).behind == 2


def test_the_pace_is_that_of_the_newest_embedding_that_computed_any(world: World) -> None:
    with world.database.read() as s:
        assert vitals.embedding_pace(s) == 0 and vitals.items(s) == 40 and not vitals.jobs_by_state(s)
    for began, computed in ((0.0, 100), (50.0, 30), (90.0, 0)):
        with world.database.write() as s:
            jobs.enqueue(s, "embed", {"at": began}, collection=world.collection)
            job = jobs.lease(s, ["embed"], "me")
            assert job is not None
            jobs.finish(s, job.id, job.token, {"computed": computed})
            s.execute(update(JobRow).where(JobRow.id == job.id).values(started_at=began, ended_at=began + 10))
    with world.database.read() as s:
        assert vitals.embedding_pace(s) == 3.0
        assert vitals.jobs_by_state(s) == {("embed", "done"): 3}

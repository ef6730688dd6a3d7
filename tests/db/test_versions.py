"""Model versions, training runs and jobs."""

import pytest
from sqlalchemy import update

from db import events, feedback, jobs, runs, versions
from db.errors import BadInput, NotFound, Refused, StaleLease
from db.tables import JobRow, LeaderRow


def add(world, s, parent=None, **metrics):
    return versions.add(
        s, world.criterion, parent=parent, artifact="heads/1", last_event=5, metrics=metrics, encoder="lite0"
    )


def statuses(world, s):
    return [version.status for version in versions.versions(s, world.criterion)]


def test_at_most_one_version_is_served(world):
    with world.database.write() as s:
        assert versions.current(s, world.criterion) is None
        one = add(world, s, f1=0.5)
        two = add(world, s, parent=one, f1=float("nan"))
        assert statuses(world, s) == ["candidate", "candidate"]
        versions.promote(s, one)
        versions.promote(s, two)
        versions.promote(s, two)
        assert statuses(world, s) == ["retired", "promoted"]
        served = versions.current(s, world.criterion)
    assert (served.id, served.parent, served.last_event, served.encoder) == (two, one, 5, "lite0")
    assert served.metrics == {"f1": None}
    assert served.promoted_at is not None
    with world.database.read() as s:
        told = [event.payload for event in events.since(s, 0) if event.kind == "promotion"]
    assert told == [{"version": one, "previous": None}, {"version": two, "previous": one}]


def test_rolling_back_goes_through_what_was_served_before(world):
    with world.database.write() as s:
        ids = [add(world, s) for _ in range(4)]
        for this in (ids[0], ids[2], ids[1]):
            versions.promote(s, this)
        versions.keep(s, ids[3])
        assert versions.rollback(s, world.criterion) == ids[2]
        assert versions.rollback(s, world.criterion) == ids[0]
        assert statuses(world, s) == ["promoted", "kept", "kept", "kept"]
        with pytest.raises(Refused, match="no earlier version was promoted"):
            versions.rollback(s, world.criterion)
        versions.promote(s, ids[3])
        assert versions.rollback(s, world.criterion) == ids[0]
        with pytest.raises(Refused, match="is being served"):
            versions.keep(s, ids[0])


def test_versions_that_cannot_be_are_refused(world):
    with world.database.write() as s:
        with pytest.raises(NotFound, match="no model version with id 77"):
            add(world, s, parent=77)
        with pytest.raises(NotFound, match="no model version with id 77"):
            versions.promote(s, 77)
        with pytest.raises(NotFound, match="no criterion named '77'"):
            versions.add(s, 77, parent=None, artifact="a", last_event=0, metrics={}, encoder="e")


def test_the_newest_snapshot_of_a_version_is_found(world):
    with world.database.write() as s:
        this = add(world, s)
        assert versions.snapshot(s, this) is None
        versions.add_snapshot(s, this, artifact="snapshots/1", checksum="a" * 64, items=40)
        versions.add_snapshot(s, this, artifact="snapshots/2", checksum="b" * 64, items=41)
        found = versions.snapshot(s, this)
    assert (found.artifact, found.items) == ("snapshots/2", 41)


def test_a_run_tells_its_losses_and_how_it_ended(world):
    with world.database.write() as s:
        run = runs.start(s, world.criterion, "answers", {"steps": 2})
        runs.step(s, run, 2, {"loss": 0.5})
        runs.step(s, run, 1, {"loss": 1.0})
        runs.step(s, run, 2, {"loss": 0.25})
        assert runs.recent(s, world.criterion)[0].status == "running"
        runs.end(s, run, "done", add(world, s))
        with pytest.raises(BadInput, match="status must be one of cancelled, done, failed"):
            runs.end(s, run, "tired", None)
        with pytest.raises(NotFound, match="no training run"):
            runs.end(s, run + 1, "done", None)
        [found] = runs.recent(s, world.criterion)
        assert runs.steps(s, run) == [(1, {"loss": 1.0}), (2, {"loss": 0.25})]
    assert (found.status, found.trigger, found.settings) == ("done", "answers", {"steps": 2})
    assert found.version
    assert found.ended_at >= found.started_at


def expire(world, row):
    with world.database.write() as s:
        s.execute(update(row).values(expires_at=0.0))


def lease(world, worker, *kinds):
    with world.database.write() as s:
        return jobs.lease(s, kinds or ("import",), worker, 60)


def test_a_job_goes_from_queue_to_done(world):
    with world.database.write() as s:
        this = jobs.enqueue(s, "import", {"source": "x"}, collection=world.collection)
        other = jobs.enqueue(s, "embed", {})
    job = lease(world, "w1")
    assert (job.id, job.state, job.payload, job.worker) == (this, "running", {"source": "x"}, "w1")
    assert lease(world, "w2") is None
    assert lease(world, "w2", "import", "embed").id == other
    with world.database.write() as s:
        assert jobs.heartbeat(s, this, job.token, 0.5, "half way") is False
        assert (jobs.job(s, this).progress, jobs.job(s, this).note) == (0.5, "half way")
        jobs.finish(s, this, job.token, {"added": 3})
        assert [(one.id, one.state) for one in jobs.jobs(s, 9)] == [(other, "running"), (this, "done")]
        assert jobs.job(s, this).result == {"added": 3}
        with pytest.raises(Refused, match="is done already"):
            jobs.cancel(s, this)


def test_a_silent_workers_job_is_done_by_another_and_the_first_is_refused(world):
    with world.database.write() as s:
        this = jobs.enqueue(s, "import", {})
    first = lease(world, "w1")
    expire(world, JobRow)
    second = lease(world, "w2")
    assert second.id == this
    assert second.token > first.token
    for stale in (
        lambda s: jobs.heartbeat(s, this, first.token, 0.9),
        lambda s: jobs.finish(s, this, first.token),
        lambda s: jobs.fail(s, this, first.token, "x"),
    ):
        with pytest.raises(StaleLease, match="not this worker's any more"), world.database.write() as s:
            stale(s)
    with world.database.write() as s:
        jobs.finish(s, this, second.token)


def test_a_job_that_kills_its_workers_is_given_up(world):
    with world.database.write() as s:
        this = jobs.enqueue(s, "import", {})
    for _ in range(jobs.MOST_STARTS):
        assert lease(world, "w")
        expire(world, JobRow)
    assert lease(world, "w") is None
    with world.database.read() as s:
        assert (jobs.job(s, this).state, jobs.job(s, this).error[:14]) == ("failed", "5 workers died")


def test_cancelling_is_at_once_or_at_the_next_heartbeat(world):
    with world.database.write() as s:
        running, waiting, silent = (jobs.enqueue(s, kind, {}) for kind in ("import", "other", "silent"))
    job = lease(world, "w")
    lease(world, "w", "silent")
    with world.database.write() as s:
        for this in (running, waiting, silent):
            jobs.cancel(s, this)
        assert jobs.job(s, waiting).state == "cancelled"
        assert jobs.heartbeat(s, running, job.token, 0.1) is True
        jobs.fail(s, running, job.token, "stopped as asked")
        assert jobs.job(s, running).state == "cancelled"
    expire(world, JobRow)
    assert lease(world, "w", "silent", "other") is None
    with world.database.read() as s:
        assert jobs.job(s, silent).state == "cancelled"
        with pytest.raises(NotFound, match="no job with id"):
            jobs.job(s, 10**6)


def lead(world, holder, lease_s=30.0):
    with world.database.write() as s:
        return jobs.lead(s, "trainer 1", holder, lease_s)


def test_one_leader_at_a_time_and_a_larger_token_for_the_next(world):
    first = lead(world, "a")
    assert lead(world, "b") is None
    assert lead(world, "a") == first
    with world.database.write() as s:
        jobs.check_lead(s, "trainer 1", first)
    expire(world, LeaderRow)
    with pytest.raises(StaleLease, match="somebody else leads"), world.database.write() as s:
        jobs.check_lead(s, "trainer 1", first)
    second = lead(world, "b")
    assert second > first
    assert lead(world, "a") is None
    with pytest.raises(StaleLease), world.database.write() as s:
        jobs.check_lead(s, "trainer 1", first)


def test_who_let_the_lease_run_out_leads_again_under_a_new_token(world):
    first = lead(world, "a")
    expire(world, LeaderRow)
    assert lead(world, "a") > first


def test_who_resigns_makes_way_at_once(world):
    token = lead(world, "a")
    with world.database.write() as s:
        jobs.resign(s, "trainer 1", token + 1)
    assert lead(world, "b") is None
    with world.database.write() as s:
        jobs.resign(s, "trainer 1", token)
    assert lead(world, "b") == token + 1


def test_events_are_read_on_from_where_one_was(world):
    with world.database.write() as s:
        for number in range(5):
            events.publish(s, "training", {"step": number}, world.criterion)
        with pytest.raises(BadInput, match="an event's kind must be one of"):
            events.publish(s, "gossip", {})
    with world.database.read() as s:
        first = events.since(s, 0, limit=2)
        rest = events.since(s, first[-1].id)
        assert [event.payload["step"] for event in first + rest] == [0, 1, 2, 3, 4]
        assert events.latest(s) == rest[-1].id
        assert rest[0].criterion == world.criterion
    with world.database.write() as s:
        assert events.prune(s, keep=2) == 3
        assert [event.payload["step"] for event in events.since(s, 0)] == [3, 4]


def test_events_of_a_change_that_failed_are_never_heard(world):
    with pytest.raises(ZeroDivisionError), world.database.write() as s:
        events.publish(s, "questions", {})
        raise ZeroDivisionError
    with world.database.read() as s:
        assert events.latest(s) == 0
        assert feedback.last_event(s, world.criterion) == 0

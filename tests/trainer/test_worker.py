"""The trainer process from the inside: one round after another, by hand."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from db import events, jobs, queue, runs, versions
from db.artifacts import ArtifactStore
from db.errors import Broken, StaleLease
from db.versions import Version
from tests.small_world import FakeEncoder, World, grow, make_world
from trainer.checkpoint import open_version
from trainer.choices import chosen
from trainer.desk import Room
from trainer.embedding import Embedder
from trainer.features import feature_store
from trainer.learner import Settings
from trainer.snapshot import CACHE, load
from trainer.worker import Worker


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    yield made
    made.database.close()


LONG_S = 3600.0  # nobody renews the lead while a round is played by hand, however slow the machine is
SHORT = Settings(update=chosen(["steps=20", "negatives=uniform", "negatives.weight=0.5"]))  # enough to see what happens


def worker_of(world: World, holder: str = "me", load: Callable[[str], object] = lambda name: FakeEncoder()) -> Worker:
    stopping = Event()
    embedder = Embedder(world.database, world.workspace, holder, stopping, load=load)
    store = ArtifactStore(world.workspace / "artifacts")
    room = Room(
        world.database, world.workspace, store, holder, stopping, embedder, "pairwright", lease_s=LONG_S, teaching=SHORT
    )
    return Worker(room)


def round_of(worker: Worker) -> None:
    """What the tickers do, once each."""
    worker.room.embedder.tick()
    worker.ask()
    worker.learn()
    worker.ask()


def known(world: World) -> list[Version]:
    with world.database.read() as s:
        return versions.versions(s, world.criterion)


def current(world: World) -> Version:
    with world.database.read() as s:
        found = versions.current(s, world.criterion)
    assert found is not None
    return found


def test_pictures_become_features_a_first_version_and_questions_without_anybody_asking(tmp_path: Path) -> None:
    world = make_world(tmp_path, embedded=False)
    round_of(worker_of(world))
    assert [(v.status, v.last_event, v.parent) for v in known(world)] == [("promoted", 0, None)]
    with world.database.read() as s:
        assert queue.open_count(s, world.criterion) > 0
        assert [(job.kind, job.state) for job in jobs.jobs(s)] == [("embed", "done")]
    world.database.close()


def test_eight_answers_make_one_version_and_nothing_new_makes_none(world: World) -> None:
    worker = worker_of(world)
    round_of(worker)
    world.say(world.random_pairs(7))
    round_of(worker)
    assert len(known(world)) == 1
    last = world.say(world.random_pairs(1, seed=9))[-1]
    for _ in range(3):
        round_of(worker)
    assert [(v.parent, v.last_event) for v in known(world)] == [(None, 0), (known(world)[0].id, last)]
    with world.database.read() as s:
        kinds = {event.kind for event in events.since(s, 0)}
        assert [(run.status, run.version) for run in runs.recent(s, world.criterion)] == [("done", current(world).id)]
    assert {"version", "promotion", "training", "questions"} <= kinds


def test_a_version_and_its_run_say_how_they_were_trained_and_what_pushed(world: World) -> None:
    worker = worker_of(world)
    round_of(worker)
    for start in (0, 20):
        world.say(world.random_pairs(20, seed=start), key=str(start), audit=True)
        round_of(worker)
    metrics = current(world).metrics
    how = metrics["settings"]
    assert (how["negatives"], how["negative_settings"], how["steps"]) == ("uniform", {"weight": 0.5}, 20)
    assert metrics["calibration"]["answers"] > 0
    assert set(metrics["let_go"]) == {"count", "pairs"}
    with world.database.read() as s:
        run = runs.recent(s, world.criterion)[0]
        (*_, (step, last)) = runs.steps(s, run.id)
        told = [event.payload for event in events.since(s, 0) if event.kind == "training"]
    assert run.settings["training"] == how
    assert step == 20 and last["negatives"] == metrics["negatives"] == told[-1]["negatives"]
    shares = [last["negatives"][name] for name in ("confirmed", "unlabelled", "removed", "synthetic")]
    assert sum(shares) == pytest.approx(1, abs=1e-5) and last["loss"] == told[-1]["loss"]


def test_the_next_questions_come_from_the_new_version(world: World) -> None:
    worker = worker_of(world)
    round_of(worker)
    world.say(world.random_pairs(8))
    round_of(worker)
    with world.database.write() as s:
        asked = queue.claim(s, world.criterion, "person", 1)[0].question
    assert asked.version == current(world).id == known(world)[-1].id


def test_a_worse_candidate_is_kept_but_not_served(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer import learner
    from trainer.promotion import Gate

    monkeypatch.setattr(learner, "gate", lambda *args: Gate(False, 0.9, 0.5, 40, "it fell"))
    worker = worker_of(world)
    round_of(worker)
    world.say(world.random_pairs(8))
    for _ in range(2):
        round_of(worker)
    assert [v.status for v in known(world)] == ["promoted", "kept"], "and it is not tried again on the same answers"
    world.say(world.random_pairs(8, seed=3))
    round_of(worker)
    assert known(world)[-1].parent == known(world)[0].id


def test_after_a_rollback_the_old_version_asks_and_is_taught_on(world: World) -> None:
    worker = worker_of(world)
    round_of(worker)
    world.say(world.random_pairs(8))
    round_of(worker)
    with world.database.write() as s:
        first = versions.rollback(s, world.criterion)
    round_of(worker)
    assert current(world).id == first and len(known(world)) == 2
    world.say(world.random_pairs(8, seed=4))
    round_of(worker)
    assert known(world)[-1].parent == first and current(world).id == known(world)[-1].id


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_lost_snapshot_is_rebuilt_from_the_head(world: World, harm: str) -> None:
    round_of(worker_of(world))
    version = current(world)
    store = ArtifactStore(world.workspace / "artifacts")
    before = load(store, version.artifact)
    folder = world.workspace / "artifacts" / (version.artifact + CACHE)
    if harm == "missing":
        shutil.rmtree(folder)
    else:
        (folder / "snapshot.safetensors").write_bytes(b"garbage")
    with pytest.raises(Broken):
        load(store, version.artifact)
    again = worker_of(world)
    for _ in range(2):
        round_of(again)
    assert np.array_equal(load(store, version.artifact).vectors, before.vectors) and len(known(world)) == 1


def test_new_items_enter_the_model_without_new_answers(world: World) -> None:
    worker = worker_of(world)
    round_of(worker)
    world.say(world.random_pairs(8))
    round_of(worker)
    grow(world, 12, seed=8, embedded=False)
    for _ in range(3):
        round_of(worker)
    newest = current(world)
    assert len(known(world)) == 3 and newest.last_event == known(world)[1].last_event
    assert len(load(ArtifactStore(world.workspace / "artifacts"), newest.artifact).ids) == 72


def test_a_picture_that_cannot_be_read_does_not_stop_the_rest(tmp_path: Path) -> None:
    world = make_world(tmp_path, embedded=False)
    next((tmp_path / "media").iterdir()).unlink()
    worker = worker_of(world)
    for _ in range(2):
        round_of(worker)
    assert len(known(world)) == 1
    with world.database.read() as s:
        assert len(jobs.jobs(s)) == 1
    world.database.close()


def test_a_failing_encoder_is_told_in_the_job_and_not_tried_for_ever(tmp_path: Path) -> None:
    world = make_world(tmp_path, embedded=False)

    def broken(name: str) -> object:
        raise Broken("the weights cannot be fetched. Check the network.")

    worker = worker_of(world, load=broken)
    for _ in range(3):
        round_of(worker)
    with world.database.read() as s:
        (job,) = jobs.jobs(s)
    assert (job.state, job.error) == ("failed", "the weights cannot be fetched. Check the network.")
    assert known(world) == []
    world.database.close()


def test_only_the_leader_asks_and_learns(world: World) -> None:
    leader, other = worker_of(world, "leader"), worker_of(world, "other")
    round_of(leader)
    world.say(world.random_pairs(8))
    round_of(other)
    assert len(known(world)) == 1
    leader.resign()
    other.desks[world.criterion].lead.asked_at = float("-inf")
    round_of(other)
    assert len(known(world)) == 2


def test_a_leader_that_lost_its_lease_while_training_stores_nothing(world: World) -> None:
    slow = worker_of(world, "slow")
    round_of(slow)
    world.say(world.random_pairs(8))
    desk = slow.desks[world.criterion]
    with world.database.write() as s:
        jobs.resign(s, desk.lead.name, desk.lead.token or 0)
    quick = worker_of(world, "quick")
    round_of(quick)
    with pytest.raises(StaleLease):
        desk.learn()
        desk.newest = None
        desk._train(known(world)[0])
    assert [v.last_event for v in known(world)].count(known(world)[-1].last_event) == 1


def test_a_run_that_a_kill_left_open_is_closed_by_the_next_leader(world: World) -> None:
    with world.database.write() as s:
        runs.start(s, world.criterion, "answers", {})
    round_of(worker_of(world))
    with world.database.read() as s:
        assert [run.status for run in runs.recent(s, world.criterion)] == ["failed"]


def test_tidying_removes_orphans_and_old_caches_but_nothing_that_is_served(world: World) -> None:
    worker = worker_of(world)
    for number in range(9):
        round_of(worker)
        world.say(world.random_pairs(8, seed=number))
    store = worker.room.store
    store.save(f"models/{world.criterion}/orphan", {"head.safetensors": b"half a version"})
    os.utime(world.workspace / "artifacts" / "models" / str(world.criterion) / "orphan", (0, 0))
    (world.workspace / "packs").mkdir()
    for name in ("a.tar", ".a.tar.unnamed", ".b.tar.partial", "c.tar"):  # c.tar is whole: rows were written
        (world.workspace / "packs" / name).touch()
        os.utime(world.workspace / "packs" / name, (0, 0))
    worker.tidy()
    assert [left.name for left in (world.workspace / "packs").iterdir()] == ["c.tar"]
    assert not store.exists(f"models/{world.criterion}/orphan")
    caches = [store.exists(v.artifact + CACHE) for v in known(world)]
    assert caches == [False] * (len(caches) - 6) + [True] * 6 and all(store.exists(v.artifact) for v in known(world))
    features, first = feature_store(world.workspace, world.collection, "lite0"), known(world)[0]
    rebuilt = open_version(store, first, features.vectors(), features.ids)
    assert rebuilt.version == first.id and len(rebuilt.ids) == 60, "an old version can still be looked at"


def test_pictures_that_come_after_a_refreshed_version_was_served_get_its_features_too(world: World) -> None:
    worker = worker_of(world)
    round_of(worker)
    first = current(world)
    with world.database.write() as s:
        new = versions.add(
            s, world.criterion, parent=first.id, artifact=first.artifact, last_event=0, metrics={}, encoder="simclr-1"
        )
        versions.promote(s, new)
    store = feature_store(world.workspace, world.collection, "simclr-1")
    for more in (0, 5):
        if more:
            grow(world, more, seed=8, embedded=False)
        for _ in range(3):
            worker.room.embedder.tick()
        found = worker.room.embedder.features(world.collection, "simclr-1")
        assert found is not None and found[2] == "simclr-1" and set(found[1].tolist()) == set(world.truth)
        assert set(store.ids.tolist()) == set(world.truth)

"""Two trainers on one database, killed without warning while people answer."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from db import feedback, queue, versions
from db.artifacts import ArtifactStore
from db.versions import Version
from tests.measured import tell, times
from tests.small_world import World, make_world
from trainer.checkpoint import head_of
from trainer.features import feature_store
from trainer.snapshot import load

ROOT = Path(__file__).parents[2]
KILLS = times(4, 40)


class Trainer:
    """A real trainer process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "trainer.worker", "--database-url", self.world.url, "--workspace"]
        more = [str(self.world.workspace), "--acquisition", "pairwright", "--lease-s", "2", "--exit-with-parent"]
        with (self.world.workspace / "trainer.txt").open("ab") as log:
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            return subprocess.Popen([*command, *more], cwd=ROOT, stderr=log, env=environment)

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        self.process = self._start()

    def stop(self) -> int:
        """As an operator would; its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=60)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path, items=90)
    yield made
    made.database.close()


@pytest.fixture
def trainers(world: World) -> Iterator[list[Trainer]]:
    made = [Trainer(world), Trainer(world)]
    yield made
    for trainer in made:
        if trainer.process.poll() is None:
            trainer.kill()


def known(world: World) -> list[Version]:
    with world.database.read() as s:
        return versions.versions(s, world.criterion)


def until(world: World, true: Callable[[], bool], seconds: float = 90) -> None:
    """Wait, and fail with the trainers' own words."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, (world.workspace / "trainer.txt").read_text()[-3000:]
        time.sleep(0.05)


def answer_some(world: World, count: int, key: str) -> list[int]:
    """Answer what is in the queue, or random pairs while there is nothing; the acknowledged events."""
    done = []
    for number in range(count):
        with world.database.write() as s:
            leased = queue.claim(s, world.criterion, "person", 1, kind="tick_positives")
        if leased:
            done.append(world.answer(leased[0].question, f"{key}-{number}", "person", leased[0].token))
        else:
            done += world.say(world.random_pairs(1, seed=number), key=f"{key}-{number}")
    return done


def check(world: World) -> None:
    """What must be true at every moment, whoever was killed."""
    store, found = ArtifactStore(world.workspace / "artifacts"), known(world)
    assert sum(version.status == "promoted" for version in found) <= 1
    learnt = [version.last_event for version in found]
    assert learnt == sorted(set(learnt)), "each answer is learnt exactly once per version"
    assert [version.parent for version in found[1:]] == [version.id for version in found[:-1]], "one leader, one line"
    features = feature_store(world.workspace, world.collection, "lite0").vectors()
    for version in found:
        rows = head_of(store, version).embed(features)
        assert np.allclose(rows, load(store, version.artifact).vectors, atol=1e-6), "always loadable"


def test_kills_at_random_points_lose_and_double_nothing(world: World, trainers: list[Trainer]) -> None:
    rng = random.Random(0)
    until(world, lambda: len(known(world)) == 1)
    acknowledged = []
    for number in range(KILLS):
        acknowledged += answer_some(world, 9, f"round {number}")
        time.sleep(rng.uniform(0, 3.5))
        victim = trainers[number % 2]
        victim.kill()
        check(world)
        victim.restart()
    acknowledged += answer_some(world, 9, "last round")
    until(world, lambda: acknowledged[-1] - known(world)[-1].last_event < 8)
    check(world)
    with world.database.read() as s:
        stored = {said.answer for said in feedback.statements(s, world.criterion)}
    assert set(acknowledged) <= stored and len(set(acknowledged)) == len(acknowledged)
    assert [trainer.stop() for trainer in trainers] == [0, 0]
    tell(4, kills=KILLS, versions=len(known(world)), answers=len(acknowledged), lost=0, learnt_twice=0)


def test_a_trainer_told_to_stop_leaves_at_once_and_the_other_takes_over(world: World, trainers: list[Trainer]) -> None:
    until(world, lambda: len(known(world)) == 1)
    answer_some(world, 9, "before")
    assert trainers[0].stop() == 0
    until(world, lambda: len(known(world)) >= 2)
    check(world)
    os.kill(trainers[1].process.pid, signal.SIGSTOP)  # paused past its lease: a third one takes over
    third = Trainer(world)
    answer_some(world, 9, "after")
    until(world, lambda: len(known(world)) >= 3)
    os.kill(trainers[1].process.pid, signal.SIGCONT)
    time.sleep(1.5)
    check(world)
    assert third.stop() == 0

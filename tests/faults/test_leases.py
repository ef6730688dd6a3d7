"""Somebody takes a question into their hands and is killed: it comes back to somebody else, in time."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from db import queue
from tests.db.factories import World, make_world
from tests.measured import tell, times

ROOT = Path(__file__).parents[2]
LEASE_S, GRACE_S = 1.0, 5.0
KILLS = times(3, 50)
HOLDER = """
import sys, time
from db import queue
from db.engine import open_database

database = open_database(sys.argv[1], migrate=False)
with database.write() as s:
    [mine] = queue.claim(s, int(sys.argv[2]), sys.argv[3], 1, lease_s=float(sys.argv[4]))
print(mine.question.id, flush=True)
time.sleep(600)
"""


@pytest.fixture
def world(database) -> World:
    return make_world(database)


def taken_and_killed(world: World, name: str) -> int:
    """Which question a process held when it was killed."""
    command = [sys.executable, "-c", HOLDER, world.database.url, str(world.criterion), name, str(LEASE_S)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        question = int(process.stdout.readline())
        process.kill()
    return question


@pytest.mark.timeout(600)
def test_a_question_in_killed_hands_comes_back(world: World) -> None:
    waits = []
    for number in range(KILLS):
        [asked] = world.ask(1, retire=True)
        assert taken_and_killed(world, f"holder {number}") == asked
        began, got = time.monotonic(), []
        while not got:
            assert time.monotonic() - began < LEASE_S + GRACE_S, "the question never came back"
            with world.database.write() as s:
                got = queue.claim(s, world.criterion, f"other {number}", 1)
            time.sleep(0.02)
        waits.append(time.monotonic() - began)
        assert got[0].question.id == asked
        with world.database.write() as s:
            queue.release(s, asked, got[0].token)
    tell(3, kills=KILLS, lease_s=LEASE_S, back_after_s=round(max(waits), 2))

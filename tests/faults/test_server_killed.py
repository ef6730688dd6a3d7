"""kill -9 of the app under eight clients that answer over REST: acknowledged is stored once, a retry hears the same."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.settings import Settings
from tests.annotators import Annotator, acknowledged, at_work, log, tokens, wait_for_more
from tests.db.factories import make_world
from tests.measured import tell, times
from tests.served import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(times(280, 3600))]
KILLS = times(1, 20)
CLIENTS = 8


@pytest.fixture
def annotators(url: str, tmp_path: Path) -> Iterator[tuple[Server, Settings, list[Annotator]]]:
    """A served installation with questions enough, and eight who answer them."""
    settings = Settings(tmp_path / "workspace", url, trainer=False)
    with closing(settings.open()) as database:
        make_world(database).ask(200 * KILLS)
        known = tokens(database, CLIENTS)
    stopping = threading.Event()
    with Server(settings.folder, url) as server:
        yield (
            server,
            settings,
            [Annotator(f"annotator {at}", token, [server.address], stopping) for at, token in enumerate(known)],
        )
        stopping.set()


def test_a_killed_app_loses_no_acknowledged_answer_and_stores_none_twice(
    annotators: tuple[Server, Settings, list[Annotator]],
) -> None:
    server, settings, all_ = annotators
    chance = random.Random(11)
    with at_work(all_):
        for _ in range(KILLS):
            wait_for_more(all_, chance.randrange(8, 40))
            time.sleep(chance.uniform(0, 0.05))  # anywhere in a request
            server.kill()
            server.start()
        wait_for_more(all_, 8)
    said = acknowledged(all_)
    replayed = {key: answer for one in all_ for key, answer in one.said_again(server.address).items()}
    stored = [(row.key, row.id) for row in log(settings)]
    keys = [key for key, _ in stored]
    assert len(set(keys)) == len(keys), "one row a key"
    assert {key: one["id"] for key, one in said.items()}.items() <= dict(stored).items(), "acknowledged is stored"
    assert replayed == said, "a retry hears the same"
    tell(1, killed="app", kills=KILLS, clients=CLIENTS, acknowledged=len(said), lost=0, doubled=0,
         database="postgresql" if "postgresql" in str(settings.database_url) else "sqlite")  # fmt: skip

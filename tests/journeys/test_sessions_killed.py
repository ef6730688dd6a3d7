"""A served session and kill -9: the robot goes on where it was, nothing is lost, nothing is there twice."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.client import Client
from app.settings import Settings
from db import catalog, feedback, observations, placements, users
from tests.app.test_sessions import KINDS, look_at
from tests.served import Server

ROUNDS = 2


@pytest.fixture
def installed(tmp_path: Path) -> tuple[Settings, str]:
    """An empty criterion and a robot's token."""
    settings = Settings(tmp_path / "workspace", None, trainer=False)
    with closing(settings.open()) as database, database.write() as s:
        catalog.add_criterion(s, "colour", catalog.add_collection(s, "belt"), "The same colour?")
        users.add(s, "arm", "robot")
        token = users.issue_token(s, "arm", "test")
    return settings, token


@pytest.fixture
def server(installed: tuple[Settings, str]) -> Iterator[Server]:
    with Server(installed[0].folder) as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_killed_server_goes_on_with_the_session(server: Server, installed: tuple[Settings, str]) -> None:
    settings, token = installed
    said: dict[str, int] = {}
    with Client(server.address, token, tries=12) as robot:
        session = robot.begin_session("colour", "arm", key="begin")["id"]
        for turn in range(ROUNDS):
            for number in range(2 * turn, 2 * turn + 2):
                for kind in KINDS:
                    seen = robot.see(
                        session, look_at(kind, number), object=f"{kind}-{number}", key=f"see {kind} {number}"
                    )
                    said[f"{kind}-{number}"] = robot.put(seen, kind, key=f"put {kind} {number}")["id"]
            server.kill()
            time.sleep(0.2)
            server.start()
            assert robot.begin_session("colour", "arm", key="begin")["id"] == session
            again = robot.see(session, look_at("red", 0), object="red-0", key="see red 0")
            assert robot.put(again, "red", key="put red 0")["id"] == said["red-0"]
        assert {one["bin"]: one["things"] for one in robot.session(session)["bins"]} == dict.fromkeys(KINDS, 2 * ROUNDS)
        for kind in KINDS:
            told = robot.see(session, look_at(kind, 90), key=f"last {kind}")
            assert (told["bin"], told["ranking"][0]["bin"]) == (kind, kind)
    with closing(settings.open()) as database, database.read() as s:
        stored = {one.object: one.id for one in placements.page(s, session, None, 200)}
        looks = observations.page(s, session, None, 200)
        answers = feedback.statements(s, catalog.criterion(s, "colour").id)
    assert stored == said and len(looks) == len(said) + len(KINDS)
    assert len(answers) == len(said) - len(KINDS), "one answer for each thing but the first of its bin"

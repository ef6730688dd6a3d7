"""The tutorial does what it says: its code runs, in order, against a served app."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.client import Client
from db import placements, sessions
from tests.app.conftest import World
from tests.app.test_client import address
from tests.app.test_sessions import KINDS, Glass, look_at, sorters

__all__ = ["address"]
PAGE = Path(__file__).parents[2] / "docs" / "robot.md"


@dataclass(frozen=True)
class Thing:
    name: str
    kind: str
    picture: bytes


def test_the_code_of_the_tutorial_runs(world: World, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    sorters(world).eye = Glass(world)  # type: ignore[assignment]
    kinds = list(KINDS)
    belt = [Thing(f"track-{number}", kinds[number % 3], look_at(kinds[number % 3], number)) for number in range(60)]
    dropped: list[tuple[str, str]] = []
    known = {
        "ADDRESS": address, "TOKEN": world.tokens["robot"], "BELT": belt, "person_says": lambda thing: thing.kind,
        "drop": lambda thing, where: dropped.append((thing.kind, where)),
    }  # fmt: skip
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
        exec(code.replace('"material"', '"shape"'), known)  # noqa: S102 - our own page
    asked = int(re.findall(r"(\d+) questions for 40 things", capsys.readouterr().out)[0])
    assert 3 <= asked < 25 and len(dropped) == 40 - asked
    assert sum(kind == where for kind, where in dropped) >= 0.9 * len(dropped)
    with world.database.read() as s:
        assert [one.state for one in sessions.sessions(s, world.criterion, None, 9)] == ["open", "closed"]
        assert placements.page(s, known["session"], None, 1)[0].kind == "abstention"  # type: ignore[arg-type]


def test_the_client_lists_sessions(world: World, address: str) -> None:
    with Client(address, world.tokens["robot"]) as client:
        made = [client.begin_session("shape", name)["id"] for name in ("a", "b")]
        assert [one["id"] for one in client.sessions("shape")] == made[::-1]
        assert client.close_session(made[0])["state"] == "closed"

"""What a monitor and a log reader see: metrics with meaning, readiness, request ids and structured lines."""

import json
import logging
import re
import subprocess
import sys

import pytest

from app.api import health
from db import feedback, queue
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from tests.app.conftest import World

pytestmark = pytest.mark.anyio


async def figures(world: World) -> dict[str, float]:
    async with world.as_role("viewer") as person:
        reply = await person.get("/metrics")
    assert reply.status_code == 200
    lines = [line.rsplit(" ", 1) for line in reply.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def say(world: World, a: int, b: int, verdict: Verdict, key: str) -> None:
    with world.database.write() as s:
        asked = queue.about_pair(s, Question(world.criterion, Kind.PAIR, a, (b,), "test"))
        feedback.record(s, Answer(asked, (PairVerdict(a, b, verdict),), "ann", key))


async def test_the_metrics_follow_answers_lag_and_conflicts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "MINUTE_S", 0.0)
    before = await figures(world)
    of = '{criterion="shape"}'
    assert before[f"pairwright_trainer_lag_answers{of}"] == 0 == before[f"pairwright_conflicts_open{of}"]
    a, b, c = world.items[:3]
    for number, (one, other, verdict) in enumerate(
        [(a, b, Verdict.SAME), (b, c, Verdict.SAME), (a, c, Verdict.DIFFERENT)]
    ):
        say(world, one, other, verdict, str(number))
    after = await figures(world)
    assert after[f"pairwright_trainer_lag_answers{of}"] == 3
    assert after[f"pairwright_conflicts_open{of}"] == 1
    assert after[f"pairwright_answers_standing{of}"] == 3
    assert after["pairwright_items"] == len(world.items)
    assert any(name.startswith("pairwright_request_seconds_count{") and "/metrics" in name for name in after)


async def test_it_is_ready_only_when_it_can_keep_its_promises(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world.as_role(None) as anybody:
        assert (await anybody.get("/readyz")).json() == {"status": "ready"}
        monkeypatch.setattr("os.access", lambda path, mode: False)
        reply = await anybody.get("/api/v1/readyz")
    assert reply.status_code == 503 and "cannot be written" in reply.json()["detail"]


async def test_a_request_is_followed_by_its_id(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with world.as_role("viewer") as person:
        with caplog.at_level(logging.INFO, "pairwright.requests"):
            mine = await person.get("/api/v1/collections?limit=7", headers={"x-request-id": "from-the-proxy.1"})
            odd = await person.get("/api/v1/collections", headers={"x-request-id": "x\ty{}<script>"})
    assert mine.headers["x-request-id"] == "from-the-proxy.1"
    assert re.fullmatch("[0-9a-f]{32}", odd.headers["x-request-id"])
    line = caplog.records[0]
    assert (line.method, line.route, line.status, line.person) == ("GET", "/api/v1/collections", 200, "viewer")
    assert "limit=7" not in line.getMessage()


async def test_an_answer_s_event_is_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    a, b = world.items[:2]
    body = {"criterion": "shape", "a": a, "b": b, "verdict": "same"}
    async with world.as_role("annotator") as person:
        with caplog.at_level(logging.INFO, "pairwright.answers"):
            first = await person.post("/api/v1/conflicts/answer", json=body, headers={"idempotency-key": "k"})
            await person.post("/api/v1/conflicts/answer", json=body, headers={"idempotency-key": "k"})
    assert [(line.event_id, line.replayed) for line in caplog.records if line.name == "pairwright.answers"] == [
        (first.json()["id"], False), (first.json()["id"], True),
    ]  # fmt: skip


SAYS = """
import logging
from db import logs
logs.begin()
logs.bind(request="r1")
try:
    raise ValueError("broken")
except ValueError:
    logging.getLogger("pairwright.x").exception("it %s", "failed", extra={"event_id": 7})
logs.unbind()
logging.getLogger("pairwright.x").info("after")
logging.getLogger("other").info("not ours")
"""


def lines(style: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SAYS], capture_output=True, text=True, check=True, env={"PAIRWRIGHT_LOG": style}
    )
    return done.stderr.strip().splitlines()


async def test_lines_are_json_objects_where_that_is_wished() -> None:
    failed, after = (json.loads(line) for line in lines("json"))
    assert (failed["event"], failed["request"], failed["event_id"]) == ("it failed", "r1", 7)
    assert failed["level"] == "error" and "ValueError: broken" in failed["exception"]
    assert after["event"] == "after" and "request" not in after
    assert any(line.endswith("INFO after") for line in lines("text"))

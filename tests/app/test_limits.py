"""Rate limits: a caller that is too fast is told to wait, others are not touched, nothing is half-done."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.limits import Limits
from app.server import create_app
from app.settings import Settings
from db.errors import BadInput
from tests.app.conftest import World

pytestmark = pytest.mark.anyio
PATH = "/api/v1"


@pytest.fixture
def slow(world: World) -> Iterator[World]:
    """The same installation, where everybody may send five requests a minute."""
    settings = replace(world.settings, rate=5)
    yield replace(world, app=create_app(settings, database=world.database), settings=settings)


async def test_the_sixth_request_of_five_waits_and_says_how_long(slow: World) -> None:
    async with slow.as_role("annotator") as client:
        replies = [await client.get(f"{PATH}/me") for _ in range(6)]
    assert [one.status_code for one in replies] == [200] * 5 + [429]
    assert [one.headers["ratelimit"].split(";")[1] for one in replies] == ["r=4", "r=3", "r=2", "r=1", "r=0", "r=0"]
    refused = replies[-1]
    assert refused.headers["content-type"] == "application/problem+json" and refused.json()["status"] == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 120 and "5 requests a minute" in refused.json()["detail"]


async def test_a_fast_caller_does_not_slow_the_others(slow: World) -> None:
    async with slow.as_role("robot") as robot, slow.as_role("annotator") as annotator:
        for _ in range(9):
            last = await robot.get(f"{PATH}/me")
        assert last.status_code == 429
        assert (await annotator.get(f"{PATH}/me")).status_code == 200


async def test_a_refused_answer_is_not_stored(slow: World) -> None:
    async with slow.as_role("annotator") as client:
        for _ in range(5):
            await client.get(f"{PATH}/me")
        body = {"question": slow.questions[0], "verdicts": [{"a": 1, "b": 2, "verdict": "same"}]}
        assert (await client.post(f"{PATH}/answers", json=body, headers={"idempotency-key": "k"})).status_code == 429
    async with slow.as_role("viewer") as viewer:
        assert (await viewer.get(f"{PATH}/answers", params={"criterion": "shape"})).json()["answers"] == []


async def test_pictures_and_pages_are_not_counted(slow: World) -> None:
    async with slow.as_role("viewer") as client:
        for _ in range(8):
            assert (await client.get(f"{PATH}/media/{slow.items[0]}", params={"size": 128})).status_code == 200
            assert (await client.get(f"/media/{slow.items[0]}", params={"size": 128})).status_code == 200
        assert (await client.get(f"{PATH}/me")).headers["ratelimit"].startswith('"minute";r=4')


async def test_no_limit_counts_nothing(world: World) -> None:
    app = create_app(replace(world.settings, rate=0), database=world.database)
    async with replace(world, app=app).as_role("viewer") as client:
        assert "ratelimit" not in (await client.get(f"{PATH}/me")).headers


async def test_costly_routes_have_a_budget_of_their_own(world: World) -> None:
    person = type("Somebody", (), {"name": "ann", "role": "annotator", "scopes": None})()
    limits = Limits(1000)
    asked = [limits.ask(person, "POST", f"{PATH}/search/picture") for _ in range(121)]
    assert [one.allowed for one in asked if one] == [True] * 120 + [False]
    assert limits.ask(person, "GET", f"{PATH}/me").allowed  # type: ignore[union-attr]


def test_a_rate_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRWRIGHT_RATE", "fast")
    with pytest.raises(BadInput, match="whole number of requests a minute, 0 for no limit, got 'fast'"):
        Settings()


async def test_the_headers_survive_a_refusal_by_role(slow: World) -> None:
    async with slow.as_role("viewer") as client:
        refused = await client.post(f"{PATH}/questions/claim", json={"criterion": "shape"})
    assert refused.status_code == 403 and "ratelimit" in refused.headers

"""A write that is sent again with its key is answered again, not done again."""

import asyncio

import httpx
import pytest
from sqlalchemy import select

from db import audit
from db.tables import ReplyRow
from tests.app.conftest import World

pytestmark = pytest.mark.anyio
PATH = "/api/v1"
NEW = {"name": "colour", "collection": "shapes", "prompt": "Same colour?"}


async def send(client: httpx.AsyncClient, key: str, body: dict[str, object], path: str = "criteria") -> httpx.Response:
    return await client.post(f"{PATH}/{path}", json=body, headers={"idempotency-key": key})


def times(world: World, action: str) -> int:
    with world.database.read() as s:
        return sum(one.action == action for one in audit.page(s))


async def test_the_same_reply_comes_back_and_nothing_is_done(world: World) -> None:
    async with world.as_role("curator") as client:
        first, second = [await send(client, "k", NEW) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201) and first.json() == second.json()
    assert [one.headers["idempotency-replayed"] for one in (first, second)] == ["false", "true"]
    assert times(world, "add criterion") == 1


async def test_a_claim_that_is_repeated_leases_no_second_question(world: World) -> None:
    wanted = {"criterion": "shape", "count": 1}
    async with world.as_role("annotator") as client:
        first, second = [await send(client, "k", wanted, "questions/claim") for _ in range(2)]
        other = await send(client, "another", wanted, "questions/claim")
    assert first.json() == second.json()
    assert other.json()["questions"][0]["id"] != first.json()["questions"][0]["id"]


async def test_a_key_is_good_for_one_request_only(world: World) -> None:
    async with world.as_role("curator") as client:
        await send(client, "k", NEW)
        refused = await send(client, "k", {**NEW, "name": "size"})
        assert refused.status_code == 409 and "another request" in refused.json()["detail"]
        assert (await client.get(f"{PATH}/criteria")).text.count('"size"') == 0


async def test_keys_of_two_callers_do_not_meet(world: World) -> None:
    async with world.as_role("curator") as curator, world.as_role("admin") as admin:
        await send(curator, "k", {"name": "one"}, "collections")
        assert (await send(admin, "k", {"name": "two"}, "collections")).json()["name"] == "two"


async def test_a_refusal_is_not_kept(world: World) -> None:
    async with world.as_role("curator") as client:
        assert (await send(client, "k", {**NEW, "collection": "nowhere"})).status_code == 404
        assert (await send(client, "k", NEW)).status_code == 201


async def test_a_secret_is_not_kept(world: World) -> None:
    async with world.as_role("admin") as client:
        first, second = [await send(client, "k", {"name": "ada"}, "users") for _ in range(2)]
    assert first.status_code == 201 and second.status_code == 409 and "shown only then" in second.json()["detail"]
    with world.database.read() as s:
        rows = list(s.scalars(select(ReplyRow)))
    assert [one.body for one in rows] == [None] and times(world, "add user") == 1


async def test_two_at_once_are_done_once(world: World) -> None:
    async with world.as_role("curator") as client:
        both = await asyncio.gather(*(send(client, "k", NEW) for _ in range(2)))
    assert {one.status_code for one in both} <= {201, 409} and 201 in {one.status_code for one in both}
    assert times(world, "add criterion") == 1


async def test_an_upload_that_is_sent_again_starts_no_second_import(world: World) -> None:
    async with world.as_role("curator") as client:
        replied = [
            await client.post(
                f"{PATH}/imports", data={"collection": "x"}, files={"files": ("x.png", b"x")},
                headers={"idempotency-key": "k"},
            )
            for _ in range(2)
        ]  # fmt: skip
    assert replied[0].status_code == 202 and replied[0].json()["id"] == replied[1].json()["id"]

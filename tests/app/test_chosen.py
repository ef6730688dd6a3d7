"""Saying something about chosen items: ordinary answers, a dozen to a question, once however often they are sent."""

from typing import Any

import pytest

from db import feedback, queue
from db.nouns import Verdict
from tests.app.conftest import World

pytestmark = pytest.mark.anyio
ASK = {"criterion": "shape"}


async def say(world: World, items: list[int], key: str = "k", role: str = "annotator", **more: Any) -> Any:
    body = {**ASK, "anchor": world.items[0], "items": items, "verdict": "same", **more}
    async with world.as_role(role) as person:
        return await person.post("/api/v1/answers/about", json=body, headers={"idempotency-key": key})


def standing(world: World) -> list[Any]:
    with world.database.read() as s:
        return list(feedback.statements(s, world.criterion))


async def test_what_is_said_of_twenty_items_is_two_answers_in_the_log_under_the_callers_name(world: World) -> None:
    reply = await say(world, world.items[1:21])
    assert reply.status_code == 201 and reply.json()["pairs"] == 20
    said = standing(world)
    assert {(one.a, one.b) for one in said} == {(world.items[0], other) for other in world.items[1:21]}
    assert {one.source for one in said} == {"annotator"} and {one.verdict for one in said} == {Verdict.SAME}
    assert len({one.answer for one in said}) == 2 and not any(one.audit for one in said)
    with world.database.read() as s:
        asked = [queue.question(s, one["question"]) for one in reply.json()["answers"]]
    assert [len(one.candidates) for one in asked] == [12, 8] and {one.proposer for one in asked} == {"map"}


async def test_the_same_key_again_stores_nothing_and_gets_the_same_receipts(world: World) -> None:
    first = await say(world, world.items[1:16])
    again = await say(world, world.items[1:16])
    assert first.json() == again.json() and again.headers["idempotency-replayed"] == "true"
    assert len(standing(world)) == 15
    other = await say(world, world.items[1:16], verdict="different")
    assert other.status_code == 422 and len(standing(world)) == 15


async def test_all_of_it_is_stored_or_nothing(world: World) -> None:
    reply = await say(world, [*world.items[1:15], 2**40])
    assert reply.status_code == 404 and standing(world) == []


async def test_it_is_taken_back_by_the_ordinary_undo(world: World) -> None:
    receipt = (await say(world, world.items[1:15], verdict="different")).json()
    assert {one.verdict for one in standing(world)} == {Verdict.DIFFERENT}
    async with world.as_role("annotator") as person:
        for one in receipt["answers"]:
            assert (await person.post(f"/api/v1/answers/{one['id']}/undo")).status_code == 201
    assert standing(world) == []


async def test_the_anchor_and_repetitions_do_not_count_and_something_must_be_left(world: World) -> None:
    reply = await say(world, [world.items[0], world.items[3], world.items[3]])
    assert reply.json()["pairs"] == 1
    with world.database.read() as s:
        assert queue.question(s, reply.json()["answers"][0]["question"]).kind == "pair"
    assert (await say(world, [world.items[0]], key="b")).status_code == 422
    assert (await say(world, world.items[1:3], key="")).status_code == 422
    assert (await say(world, [world.items[1]] * 300, key="c")).status_code == 422
    assert (await say(world, world.items[1:3], key="d", verdict="unsure")).status_code == 422


async def test_label_these_puts_questions_into_the_hands_of_one_tab(world: World) -> None:
    body = {**ASK, "anchor": world.items[0], "items": world.items[1:15], "tab": "mine"}
    async with world.as_role("annotator") as person:
        asked = (await person.post("/api/v1/questions/about", json=body)).json()["questions"]
        claim = {**ASK, "count": 8, "tab": "mine", "resume": True}
        got = (await person.post("/api/v1/questions/claim", json=claim)).json()["questions"]
    assert [one["id"] for one in got[:2]] == asked and len(asked) == 2
    assert got[0]["anchor"]["id"] == world.items[0] and got[0]["reason"] == "You chose these on the map."
    async with world.as_role("robot") as robot:
        others = (await robot.post("/api/v1/questions/claim", json={**ASK, "count": 32})).json()["questions"]
    assert not {one["id"] for one in others} & set(asked), "nobody else is asked them"


async def test_items_come_in_the_order_they_are_asked_for(world: World) -> None:
    wanted = [world.items[5], world.items[1], 2**40, world.items[9]]
    async with world.as_role("viewer") as viewer:
        reply = await viewer.get("/api/v1/items/some", params={"ids": ",".join(map(str, wanted))})
        assert [one["id"] for one in reply.json()["items"]] == [world.items[5], world.items[1], world.items[9]]
        for wrong in ("", "a", "1,,2", "1;2", "0", "9" * 17, ",".join(["1"] * 201)):
            assert (await viewer.get("/api/v1/items/some", params={"ids": wrong})).status_code == 422, wrong


async def test_items_are_found_by_a_part_of_their_name_or_their_number(world: World) -> None:
    async with world.as_role("viewer") as viewer:

        async def names(text: str) -> list[str]:
            reply = await viewer.get("/api/v1/items/named", params={**ASK, "text": text})
            assert reply.status_code == 200, reply.text
            return [one["name"] for one in reply.json()["items"]]

        assert await names("APE-01") == [f"shape-01{digit}.png" for digit in range(10)]
        assert await names("%") == [] and await names("_") == [] and await names("\\") == []
        assert await names(str(world.items[3])) != [] and (await names(str(world.items[3])))[0] == "shape-003.png"

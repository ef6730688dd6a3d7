"""REST as programs use it: claim, answer, undo, look around; the contract's promises about replays and errors."""

from uuid import uuid4

import httpx
import pytest

from db import feedback
from db.nouns import Kind
from tests.app.conftest import World

pytestmark = pytest.mark.anyio


def said(question: dict, verdict: str = "same") -> dict:
    """A whole answer to a claimed question."""
    pairs = [{"a": question["anchor"]["id"], "b": one["id"], "verdict": verdict} for one in question["candidates"]]
    shown = pairs[:1] if question["kind"] == Kind.MERGE else pairs
    return {"question": question["id"], "verdicts": shown, "lease": question["token"], "seconds": 1.5}


async def claim(client: httpx.AsyncClient, world: World, **terms: object) -> list[dict]:
    reply = await client.post("/api/v1/questions/claim", json={"criterion": world.criterion, **terms})
    assert reply.status_code == 200, reply.text
    return reply.json()["questions"]


async def send(client: httpx.AsyncClient, body: dict, key: str | None = None) -> httpx.Response:
    return await client.post("/api/v1/answers", json=body, headers={"Idempotency-Key": key or uuid4().hex})


async def test_a_claimed_question_carries_addresses_of_pictures_that_load(
    world: World, annotator: httpx.AsyncClient
) -> None:
    (question,) = await claim(annotator, world, count=1)
    reply = await annotator.get(question["anchor"]["media"], params={"size": 128})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "image/webp"
    again = await annotator.get(
        question["anchor"]["media"] + "?size=128", headers={"if-none-match": reply.headers["etag"]}
    )
    assert again.status_code == 304


async def test_a_replayed_answer_gets_the_same_reply(world: World, annotator: httpx.AsyncClient) -> None:
    (question,) = await claim(annotator, world, count=1)
    first = await send(annotator, said(question), "k1")
    again = await send(annotator, said(question), "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert (first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]) == ("false", "true")
    with world.database.read() as s:
        assert feedback.counts(s, world.criterion).screens == 1


async def test_a_key_used_for_something_else_is_refused(world: World, annotator: httpx.AsyncClient) -> None:
    one, two = await claim(annotator, world, count=2, kind="pair")
    await send(annotator, said(one), "k1")
    assert (await send(annotator, said(two), "k1")).status_code == 422


async def test_an_answer_without_a_key_is_refused_with_a_sentence(world: World, annotator: httpx.AsyncClient) -> None:
    (question,) = await claim(annotator, world, count=1)
    reply = await annotator.post("/api/v1/answers", json=said(question))
    assert reply.status_code == 422
    assert "Idempotency-Key" in reply.json()["detail"]


@pytest.mark.parametrize("kind", list(Kind))
async def test_every_kind_of_question_can_be_answered(world: World, annotator: httpx.AsyncClient, kind: Kind) -> None:
    questions = await claim(annotator, world, count=1, kind=kind)
    if kind in (Kind.MISSING, Kind.CAPTION):
        assert questions == []  # none was asked here
        return
    assert (await send(annotator, said(questions[0], "different"))).status_code == 201


async def test_only_the_kinds_a_screen_can_show_are_claimed(world: World, annotator: httpx.AsyncClient) -> None:
    got = await claim(annotator, world, count=32, kinds=["pair", "odd_ones_out"])
    assert {one["kind"] for one in got} == {"pair", "odd_ones_out"}
    assert len(got) == 4
    rest = await claim(annotator, world, count=32)
    assert {one["kind"] for one in rest} == {"tick_positives", "merge"}


async def test_two_tabs_never_hold_the_same_question(world: World, annotator: httpx.AsyncClient) -> None:
    left = await claim(annotator, world, count=3, tab="left")
    right = await claim(annotator, world, count=32, tab="right")
    assert not {one["id"] for one in left} & {one["id"] for one in right}


async def test_a_reloaded_tab_gets_back_what_it_held(world: World, annotator: httpx.AsyncClient) -> None:
    before = await claim(annotator, world, count=2, tab="left")
    after = await claim(annotator, world, count=3, tab="left", resume=True)
    assert [one["id"] for one in before] == [one["id"] for one in after][:2]
    assert len(after) == 3


async def test_a_released_question_is_free_at_once(world: World, annotator: httpx.AsyncClient) -> None:
    (question,) = await claim(annotator, world, count=1)
    reply = await annotator.post(f"/api/v1/questions/{question['id']}/release", json={"token": question["token"]})
    assert reply.status_code == 204
    async with world.as_role("robot") as robot:
        assert (await claim(robot, world, count=1))[0]["id"] == question["id"]


async def test_a_lease_is_renewed_by_its_holder_only(world: World, annotator: httpx.AsyncClient) -> None:
    (question,) = await claim(annotator, world, count=1)
    at = f"/api/v1/questions/{question['id']}/renew"
    assert (await annotator.post(at, json={"token": question["token"]})).status_code == 200
    stale = await annotator.post(at, json={"token": "somebody-elses"})
    assert (stale.status_code, stale.json()["type"]) == (409, "urn:pairwright:problem:stale-lease")


async def test_an_undone_answer_counts_no_more_and_may_be_given_again(
    world: World, annotator: httpx.AsyncClient
) -> None:
    (question,) = await claim(annotator, world, count=1)
    answer = (await send(annotator, said(question))).json()
    undo = await annotator.post(f"/api/v1/answers/{answer['id']}/undo", headers={"Idempotency-Key": "u1"})
    again = await annotator.post(f"/api/v1/answers/{answer['id']}/undo", headers={"Idempotency-Key": "u1"})
    assert (undo.status_code, undo.content) == (again.status_code, again.content)
    assert (await annotator.get("/api/v1/answers", params={"criterion": world.criterion})).json()["answers"] == []
    better = await send(annotator, {**said(question, "different"), "lease": None})
    assert better.status_code == 201


async def test_nobody_but_a_curator_undoes_the_answer_of_another(world: World, annotator: httpx.AsyncClient) -> None:
    (question,) = await claim(annotator, world, count=1)
    answer = (await send(annotator, said(question))).json()
    async with world.as_role("robot") as robot:
        assert (await robot.post(f"/api/v1/answers/{answer['id']}/undo")).status_code == 403
    async with world.as_role("curator") as curator:
        assert (await curator.post(f"/api/v1/answers/{answer['id']}/undo")).status_code == 201


async def test_the_log_is_read_page_by_page(world: World, annotator: httpx.AsyncClient) -> None:
    for question in await claim(annotator, world, count=4):
        await send(annotator, said(question))
    seen, before = [], None
    while True:
        query = {"criterion": "shape", "limit": 3, "mine": True} | ({"before": before} if before else {})
        page = (await annotator.get("/api/v1/answers", params=query)).json()
        seen += [one["id"] for one in page["answers"]]
        before = page["next"]
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 4


async def test_items_are_read_page_by_page_in_order(world: World, annotator: httpx.AsyncClient) -> None:
    seen, after = [], 0
    while after is not None:
        page = (
            await annotator.get("/api/v1/items", params={"collection": "shapes", "after": after, "limit": 10})
        ).json()
        seen += [one["id"] for one in page["items"]]
        after = page["next"]
    assert seen == world.items


async def test_progress_says_what_the_last_answers_settled(world: World, annotator: httpx.AsyncClient) -> None:
    (question,) = await claim(annotator, world, count=1, kind="tick_positives")
    await send(annotator, said(question))
    found = (await annotator.get("/api/v1/progress", params={"criterion": world.criterion})).json()
    assert (found["answers"], found["pairs"]) == (1, 12)
    assert found["effect"] == found["settled"] == 13 * 12 // 2


async def test_a_criterion_added_twice_is_one_and_another_of_its_name_a_conflict(world: World) -> None:
    asked = {"name": "colour", "collection": "shapes", "prompt": "The same colour?"}
    async with world.as_role("curator") as curator:
        first = await curator.post("/api/v1/criteria", json=asked)
        again = await curator.post("/api/v1/criteria", json=asked)
        other = await curator.post("/api/v1/criteria", json={**asked, "prompt": "Equally bright?"})
    assert (first.status_code, again.json(), other.status_code) == (201, first.json(), 409)


async def test_health_needs_nobody_and_metrics_count_answers(world: World, annotator: httpx.AsyncClient) -> None:
    async with world.as_role(None) as stranger:
        assert (await stranger.get("/healthz")).json() == {"status": "ok", "trainer": "off"}
    (question,) = await claim(annotator, world, count=1)
    await send(annotator, said(question))
    text = (await annotator.get("/metrics")).text
    assert 'pairwright_answers_total{replayed="false"} 1.0' in text
    assert 'pairwright_answers_standing{criterion="shape"} 1.0' in text


async def test_before_the_first_version_neighbours_and_groups_say_so(
    world: World, annotator: httpx.AsyncClient
) -> None:
    for route in (f"/api/v1/items/{world.items[0]}/neighbours", "/api/v1/groups"):
        reply = await annotator.get(route, params={"criterion": "shape"})
        assert (reply.status_code, "no model version yet" in reply.json()["detail"]) == (404, True)

"""Contradictions over REST: the smallest set to ask again, who said what, and an answer that makes them vanish."""

import uuid

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contradictions import contradictions
from db import feedback, queue
from db.nouns import Answer, Kind, PairVerdict, Question, Statement, Verdict
from oracle.evidence import pair_of
from tests.app.conftest import World

PATH = "/api/v1/conflicts"


def say(world: World, source: str, a: int, b: int, verdict: Verdict) -> int:
    """An answer in the log."""
    with world.database.write() as s:
        asked = queue.about_pair(s, Question(world.criterion, Kind.PAIR, a, (b,), "test"))
        return feedback.record(s, Answer(asked, (PairVerdict(a, b, verdict),), source, uuid.uuid4().hex)).id


async def look(client: httpx.AsyncClient, world: World, **more: object) -> dict[str, object]:
    return (await client.get(PATH, params={"criterion": world.criterion, **more})).json()  # type: ignore[no-any-return, arg-type]


@pytest.mark.anyio
async def test_a_chain_against_a_verdict_shows_everybody_who_said_something(world: World) -> None:
    a, b, c, *_ = world.items
    say(world, "ada", a, b, Verdict.SAME)
    say(world, "grace", b, c, Verdict.SAME)
    say(world, "annotator", a, c, Verdict.DIFFERENT)
    async with world.as_role("annotator") as annotator:
        found = await look(annotator, world)
        (one,) = found["conflicts"]  # type: ignore[misc]
        assert (found["open"], found["answers"]) == (1, 3)
        assert {one["pair"]["a"]["id"], one["pair"]["b"]["id"]} == {a, c}
        assert [{link["a"]["id"], link["b"]["id"]} for link in one["chain"]] == [{a, b}, {b, c}]
        assert [(said["source"], said["verdict"], said["mine"]) for said in one["pair"]["said"]] == [
            ("annotator", "different", True)
        ]
        assert {said["source"] for link in one["chain"] for said in link["said"]} == {"ada", "grace"}
        assert not any(said["mine"] for link in one["chain"] for said in link["said"])
        assert one["again"] and one["settled"] is False
    async with world.as_role("curator") as curator:
        found = await look(curator, world)
        assert all(said["mine"] for link in found["conflicts"][0]["chain"] for said in link["said"])  # type: ignore[index]


@pytest.mark.anyio
async def test_answering_again_settles_it_and_an_undo_brings_it_back(world: World) -> None:
    a, b, *_ = world.items
    say(world, "ada", a, b, Verdict.SAME)
    say(world, "grace", a, b, Verdict.DIFFERENT)
    body = {"criterion": world.criterion, "a": a, "b": b, "verdict": "same"}
    async with world.as_role("annotator") as annotator:
        assert (await look(annotator, world))["open"] == 1
        assert (await annotator.post(f"{PATH}/answer", json=body)).status_code == 422  # without a key
        key = {"idempotency-key": "once"}
        first = await annotator.post(f"{PATH}/answer", json=body, headers=key)
        second = await annotator.post(f"{PATH}/answer", json=body, headers=key)
        assert first.status_code == second.status_code == 201 and first.json()["id"] == second.json()["id"]
        assert second.headers["idempotency-replayed"] == "true"
        after = await look(annotator, world)
        assert (after["open"], after["answers"]) == (0, 3)
        assert len((await look(annotator, world, settled=True))["conflicts"]) == 1  # type: ignore[arg-type]
        await annotator.post(f"/api/v1/answers/{first.json()['id']}/undo", headers={"idempotency-key": "back"})
        assert (await look(annotator, world))["open"] == 1
    with world.database.read() as s:
        assert len(feedback.statements(s, world.criterion)) == 2


@pytest.mark.anyio
async def test_unknown_things_are_refused_and_nothing_is_said(world: World) -> None:
    key = {"idempotency-key": "k"}
    async with world.as_role("annotator") as annotator:
        assert (await annotator.get(PATH, params={"criterion": "shap"})).status_code == 404
        body = {"criterion": world.criterion, "a": world.items[0], "b": 999_999, "verdict": "same"}
        assert (await annotator.post(f"{PATH}/answer", json=body, headers=key)).status_code in (404, 422)
        body |= {"b": world.items[1], "verdict": "perhaps"}
        assert (await annotator.post(f"{PATH}/answer", json=body, headers=key)).status_code == 422
    with world.database.read() as s:
        assert feedback.statements(s, world.criterion) == []


PAIRS = st.tuples(st.integers(1, 8), st.integers(1, 8)).filter(lambda pair: pair[0] != pair[1])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(PAIRS, st.booleans(), st.sampled_from("xyz")), max_size=30))
def test_what_is_shown_is_in_the_log_and_a_chain_joins_its_pair(said: list[tuple[tuple[int, int], bool, str]]) -> None:
    verdict = {True: Verdict.SAME, False: Verdict.DIFFERENT}
    log = [Statement(at, *pair, verdict[same], source) for at, (pair, same, source) in enumerate(said, 1)]
    spoken = {pair_of(one.a, one.b) for one in log}
    for one in contradictions(log, settled=True):
        assert {one.pair, *one.again, *one.chain} <= spoken
        walk = [one.pair[0]]
        for link in one.chain:
            assert walk[-1] in link
            walk.append(link[0] if link[1] == walk[-1] else link[1])
        assert not one.chain or walk[-1] == one.pair[1]

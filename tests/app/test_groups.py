"""Groups over REST: pages that never recompute, answers about many pictures as one event, names, evidence."""

from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import partitions
from app.homes import Seen
from app.partition import Partition, lay_out
from db import feedback, queue
from db.nouns import Snapshot, Statement, Verdict
from tests.app.conftest import World
from tests.app.test_versions import keep_snapshot

pytestmark = pytest.mark.anyio
ASK = {"criterion": "shape"}


@pytest.fixture
def shown(world: World) -> World:
    """A world with a served version of two clear groups: even and odd places."""
    keep_snapshot(world, world.settings.folder)
    return world


async def see(world: World, path: str = "", **more: Any) -> dict[str, Any]:
    async with world.as_role("viewer") as viewer:
        reply = await viewer.get(f"/api/v1/groups{path}", params={**ASK, **more})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def say(world: World, path: str, body: dict[str, Any], key: str = "k", role: str = "annotator") -> httpx.Response:
    async with world.as_role(role) as person:
        return await person.post(f"/api/v1/groups/{path}", json={**ASK, **body}, headers={"idempotency-key": key})


async def undo(world: World, answer: int) -> None:
    async with world.as_role("annotator") as person:
        assert (await person.post(f"/api/v1/answers/{answer}/undo")).status_code == 201


def standing(world: World) -> list[Statement]:
    with world.database.read() as s:
        return feedback.statements(s, world.criterion)


def made_up(labels: Sequence[int], sure: Sequence[float]) -> Partition:
    """A partition of items 1, 2, ... laid out from labels."""
    count = len(labels)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(count, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    none = np.zeros((count, 0))
    shot = Snapshot(
        1, np.arange(1, count + 1), vectors, none.astype(np.int64), none.astype(np.float32), np.array(labels)
    )
    return lay_out("1.0", shot, Seen(np.array(labels), np.array(sure)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.floats(0, 1, width=16)), min_size=1, max_size=40))
def test_a_layout_holds_every_item_once_largest_group_first_and_the_surest_item_first(
    given: list[tuple[int, float]],
) -> None:
    found = made_up(*zip(*given, strict=True))
    groups = [found.members(group).tolist() for group in range(len(found.sizes))]
    assert sorted(item for group in groups for item in group) == list(range(1, len(given) + 1))
    keys = [(-len(group), min(group)) for group in groups]
    assert keys == sorted(keys)
    for place, group in enumerate(groups):
        assert len({given[item - 1][0] for item in group}) == 1
        sure = [given[item - 1][1] for item in group]
        assert sure == sorted(sure, reverse=True)
        assert {found.group_of(item) for item in group} == {place}
        assert found.doubt[place] == pytest.approx(np.mean([1 - one for one in sure]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=20),
    st.lists(st.tuples(st.integers(1, 24), st.integers(1, 24), st.sampled_from(list(Verdict))), max_size=30),
)
def test_confirmed_are_the_items_that_a_same_joins_to_another_of_their_group(
    labels: list[int], pairs: list[tuple[int, int, Verdict]]
) -> None:
    found = made_up(labels, [1.0] * len(labels))
    said = [Statement(at, a, b, verdict, "x") for at, (a, b, verdict) in enumerate(pairs) if a != b]
    wanted = {
        item
        for one in said
        for item in (one.a, one.b)
        if one.verdict is Verdict.SAME and max(one.a, one.b) <= len(labels) and labels[one.a - 1] == labels[one.b - 1]
    }
    confirmed = found.confirmed(said)
    assert set((np.flatnonzero(confirmed) + 1).tolist()) == wanted
    assert found.per_group(confirmed).sum() == len(wanted)


async def test_pages_of_one_state_cost_one_inference(shown: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    whole = partitions.weighed

    def spy(snapshot: Snapshot, said: Sequence[Statement]) -> Any:
        made.append(len(said))
        return whole(snapshot, said)

    monkeypatch.setattr("app.partitions.weighed", spy)
    seen: list[int] = []
    page = await see(shown, limit=1, items=60)
    seen += [item["id"] for one in page["groups"] for item in one["items"]]
    while page["next"]:
        page = await see(shown, limit=1, items=60, after=page["next"], stand=page["stand"])
        seen += [item["id"] for one in page["groups"] for item in one["items"]]
    assert sorted(seen) == shown.items
    anchor = page["groups"][0]["anchor"]
    first = await see(shown, f"/of/{anchor}", limit=5)
    rest = await see(shown, f"/of/{anchor}", limit=100, after=first["next"], stand=first["stand"])
    ids = [one["id"] for one in first["members"] + rest["members"]]
    assert len(ids) == len(set(ids)) == first["group"]["size"]
    assert len(made) == 1


async def test_a_reader_who_pages_stays_in_the_state_it_began_with(shown: World) -> None:
    first = await see(shown, limit=1)
    one, other = shown.items[0], shown.items[2]
    await say(shown, "answer", {"anchor": one, "same": [other]})
    second = await see(shown, limit=1, after=1, stand=first["stand"])
    assert second["stand"] == first["stand"] and second["fresh"] is False
    now = await see(shown, limit=1)
    assert now["stand"] != first["stand"] and now["fresh"] is True


async def test_groups_are_sorted_by_what_was_asked(shown: World) -> None:
    await say(shown, "answer", {"anchor": shown.items[0], "same": shown.items[2:12:2]})
    found = (await see(shown, sort="confirmed"))["groups"]
    shares = [one["confirmed"] / one["size"] for one in found]
    assert shares == sorted(shares) and shares[-1] > 0
    await say(shown, "answer", {"anchor": shown.items[0], "different": [shown.items[1]]}, "apart")
    doubts = [one["doubt"] for one in (await see(shown, sort="doubt"))["groups"]]
    assert doubts == sorted(doubts, reverse=True)


async def test_approving_a_group_is_one_answer_however_often_it_is_sent(shown: World) -> None:
    group = (await see(shown, items=60))["groups"][0]
    same = [item["id"] for item in group["items"] if item["id"] != group["anchor"]]
    (stranger, *_) = set(shown.items) - {group["anchor"], *same}
    await say(shown, "answer", {"anchor": group["anchor"], "different": [stranger]}, "apart", "curator")
    replies = [await say(shown, "answer", {"anchor": group["anchor"], "same": same}, "one") for _ in range(3)]
    assert {(one.status_code, one.json()["id"]) for one in replies} == {(201, replies[0].json()["id"])}
    assert [one.headers["idempotency-replayed"] for one in replies] == ["false", "true", "true"]
    said = [one for one in standing(shown) if one.source == "annotator"]
    assert [(one.a, one.b, one.verdict, one.source) for one in said] == [
        (group["anchor"], item, Verdict.SAME, "annotator") for item in same
    ]
    assert len({one.answer for one in said}) == 1
    found = await see(shown, f"/of/{group['anchor']}")
    assert found["group"]["confirmed"] == group["size"] == len(found["members"])
    assert all(one["confirmed"] for one in found["members"])
    await undo(shown, replies[0].json()["id"])
    assert [one.source for one in standing(shown)] == ["curator"]
    assert (await see(shown, f"/of/{group['anchor']}"))["group"]["confirmed"] == 0


async def test_the_same_key_for_another_answer_is_refused(shown: World) -> None:
    one, two, three = shown.items[0], shown.items[2], shown.items[4]
    assert (await say(shown, "answer", {"anchor": one, "same": [two]}, "once")).status_code == 201
    again = await say(shown, "answer", {"anchor": one, "different": [two]}, "once")
    assert again.status_code == 422 and "was used for another answer" in again.json()["detail"]
    other = await say(shown, "answer", {"anchor": one, "same": [three]}, "once")
    assert other.status_code == 422 and len(standing(shown)) == 1


async def test_rejected_pictures_leave_the_group_and_come_back_with_the_undo(shown: World) -> None:
    evens = shown.items[::2]
    await say(shown, "answer", {"anchor": evens[0], "same": evens[1:8]}, "approve")
    said = await say(shown, "answer", {"anchor": evens[0], "different": evens[9:11]}, "split")
    assert said.status_code == 201
    left = {one["id"] for one in (await see(shown, f"/of/{evens[0]}"))["members"]}
    assert not left & set(evens[9:11]) and set(evens[:8]) <= left
    await undo(shown, said.json()["id"])
    assert set(evens[:8]) <= {one["id"] for one in (await see(shown, f"/of/{evens[0]}"))["members"]}
    assert {one.verdict for one in standing(shown)} == {Verdict.SAME}


async def test_a_whole_group_that_is_undone_is_not_asked_of_somebody_else(shown: World) -> None:
    evens = shown.items[::2] + shown.items[1::2]
    with shown.database.read() as s:
        before = queue.open_count(s, shown.criterion)
    wide = await say(shown, "answer", {"anchor": evens[0], "same": evens[1:20]})
    await undo(shown, wide.json()["id"])
    with shown.database.read() as s:
        assert queue.open_count(s, shown.criterion) == before


async def test_nothing_chosen_and_a_picture_twice_are_refused(shown: World) -> None:
    one, two = shown.items[:2]
    for body in ({"anchor": one}, {"anchor": one, "same": [one]}, {"anchor": one, "same": [two], "different": [two]}):
        reply = await say(shown, "answer", body)
        assert reply.status_code == 422 and "each once" in reply.json()["detail"]
    elsewhere = await say(shown, "answer", {"anchor": one, "same": [10**6]})
    assert elsewhere.status_code == 404 and standing(shown) == []
    async with shown.as_role("annotator") as person:
        bare = await person.post("/api/v1/groups/answer", json={**ASK, "anchor": one, "same": [two]})
    assert bare.status_code == 422 and "Idempotency-Key" in bare.json()["detail"]


async def test_two_groups_are_merged_by_an_answer_and_parted_by_its_undo(shown: World) -> None:
    evens, odds = shown.items[::2], shown.items[1::2]
    await say(shown, "answer", {"anchor": evens[0], "same": evens[1:]}, "a")
    await say(shown, "answer", {"anchor": odds[0], "same": odds[1:]}, "b")
    apart = await see(shown)
    body = {"a": evens[:6], "b": odds[:6], "verdict": "same"}
    merged = [await say(shown, "merge", body, "m") for _ in range(2)]
    assert {one.json()["id"] for one in merged} == {merged[0].json()["id"]}
    with shown.database.read() as s:
        asked = queue.question(s, merged[0].json()["question"])
    assert (asked.anchor, asked.candidates, asked.context) == (evens[0], tuple(odds[:6]), tuple(evens[1:6]))
    assert {one["id"] for one in (await see(shown, f"/of/{evens[0]}"))["members"]} >= {*evens, *odds}
    await undo(shown, merged[0].json()["id"])
    assert (await see(shown))["total"] == apart["total"]
    twice = await say(shown, "merge", {**body, "b": [evens[0]]}, "n")
    assert twice.status_code == 422 and "both groups" in twice.json()["detail"]


async def test_a_name_stays_with_its_picture_through_another_clustering(shown: World) -> None:
    anchor = shown.items[0]
    named = await say(shown, "names", {"item": anchor, "name": "  <b onclick=x>squares</b> "}, "n")
    assert named.status_code == 201 and named.json()["name"] == "<b onclick=x>squares</b>"
    assert (await say(shown, "names", {"item": anchor, "name": "<b onclick=x>squares</b>"}, "n")).json() == named.json()

    async def names(item: int) -> list[str]:
        return [one["name"] for one in (await see(shown, f"/of/{item}"))["group"]["names"]]

    assert await names(shown.items[2]) == ["<b onclick=x>squares</b>"]
    await say(shown, "answer", {"anchor": shown.items[2], "same": shown.items[4:12:2], "different": [anchor]}, "split")
    assert await names(shown.items[2]) == []
    assert await names(anchor) == ["<b onclick=x>squares</b>"]
    await say(shown, "names", {"item": anchor, "name": ""}, "away")
    assert await names(anchor) == []


async def test_of_two_names_in_one_group_the_newer_comes_first(shown: World) -> None:
    for key, item in enumerate(shown.items[:3:2]):
        await say(shown, "names", {"item": item, "name": f"name {key}"}, str(key))
    (group,) = [one for one in (await see(shown, items=60))["groups"] if one["names"]]
    assert [one["name"] for one in group["names"]] == ["name 1", "name 0"]
    bad = await say(shown, "names", {"item": shown.items[0], "name": "a\nb"}, "bad")
    assert bad.status_code == 422 and "control characters" in bad.json()["detail"]
    used = await say(shown, "names", {"item": shown.items[0], "name": "else"}, "1")
    assert used.status_code == 422 and "was used for another name" in used.json()["detail"]


async def test_evidence_is_the_chain_of_answers_in_walking_order_or_none(shown: World) -> None:
    one, two, three, four = shown.items[:8:2]
    model_only = await see(shown, "/evidence", a=one, b=three)
    assert (model_only["verdict"], model_only["chain"]) == (None, []) and model_only["cosine"] > 0.9
    await say(shown, "answer", {"anchor": two, "same": [one, three]}, "star")
    await say(shown, "answer", {"anchor": three, "different": [four]}, "apart")
    found = await see(shown, "/evidence", a=one, b=three)
    assert found["verdict"] == "same"
    assert [(link["a"]["id"], link["b"]["id"], link["verdict"]) for link in found["chain"]] == [
        (one, two, "same"),
        (two, three, "same"),
    ]
    assert {link["source"] for link in found["chain"]} == {"annotator"}
    apart = await see(shown, "/evidence", a=four, b=one)
    assert apart["verdict"] == "different"
    assert [(link["a"]["id"], link["b"]["id"]) for link in apart["chain"]] == [(four, three), (three, two), (two, one)]
    async with shown.as_role("viewer") as viewer:
        alone = await viewer.get("/api/v1/groups/evidence", params={**ASK, "a": one, "b": one})
        gone = await viewer.get("/api/v1/groups/of/999999", params=ASK)
    assert alone.status_code == 404 and gone.status_code == 404

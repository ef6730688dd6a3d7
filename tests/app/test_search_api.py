"""Search over REST: like items, like a picture of one's own, steered, filtered, page by page."""

import base64
from threading import Event
from typing import Any

import anyio
import numpy as np
import pytest

from db import catalog, versions
from db.errors import BadInput
from tests.app.conftest import World, paint
from tests.app.test_versions import keep_snapshot
from trainer import index, searching

pytestmark = pytest.mark.anyio
ASK = {"criterion": "shape"}


async def search(world: World, **body: Any) -> Any:
    async with world.as_role("viewer") as viewer:
        return await viewer.post("/api/v1/search", json={**ASK, **body})


async def ids(world: World, **body: Any) -> list[int]:
    reply = await search(world, **body)
    assert reply.status_code == 200, reply.text
    return [one["item"]["id"] for one in reply.json()["results"]]


async def test_before_any_version_it_says_so(world: World) -> None:
    reply = await search(world, items=world.items[:1])
    assert reply.status_code == 404 and "no model version yet" in reply.json()["detail"]


async def test_without_captions_a_sentence_cannot_be_searched_with_and_the_way_there_is_told(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    async with world.as_role("viewer") as viewer:
        found = (await viewer.get("/api/v1/search", params=ASK)).json()
    assert found["items"] == 24 and "--caption-column" in found["sentence"] and "--captions" in found["sentence"]
    refused = await search(world, text="a red disc")
    assert refused.status_code == 422 and refused.json()["detail"] == found["sentence"]


async def test_a_sentence_finds_what_its_words_describe_and_liked_pictures_steer_it(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    with world.database.write() as s:
        about = catalog.criterion(s, "shape").collection
        there = catalog.items(s, about)
        new = [
            catalog.NewItem(
                one.sha256, 96, 96, one.path, caption=f"a {'dark disc' if at % 2 else 'bright square'} here"
            )
            for at, one in enumerate(there)
        ]
        catalog.add_items(s, about, new)
    async with world.as_role("viewer") as viewer:
        assert (await viewer.get("/api/v1/search", params=ASK)).json()["sentence"] is None
    found = await ids(world, text="discs")
    assert {world.items.index(one) % 2 for one in found[:8]} == {1}
    assert await ids(world, text="discs") == found  # the second time from what was read already
    steered = await ids(world, text="discs", liked=world.items[0:10:2], disliked=[found[0]])
    assert steered != found and found[0] not in steered
    assert (await search(world, text="  ")).status_code == 422


async def test_results_are_by_cosine_without_what_was_searched_with(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    reply = (await search(world, items=[world.items[4]])).json()
    found = [one["item"]["id"] for one in reply["results"]]
    assert set(found[:2]) == {world.items[2], world.items[6]} and world.items[4] not in found
    cosines = [one["cosine"] for one in reply["results"]]
    assert cosines == sorted(cosines, reverse=True) and cosines[0] == pytest.approx(np.cos(0.04), abs=1e-4)
    assert (reply["total"], reply["among"], len(found)) == (23, 24, 23)
    assert (reply["engine"], reply["recall"]) == ("exact", 1.0)


async def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    whole = await ids(world, items=[world.items[4]], liked=[world.items[8]])
    pages = [
        await ids(world, items=[world.items[4]], liked=[world.items[8]], after=at, limit=5) for at in range(0, 25, 5)
    ]
    assert [one for page in pages for one in page] == whole and len(whole) == 22


async def test_what_is_liked_comes_nearer_and_what_is_not_goes_away(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    plain = await ids(world, items=[world.items[12]])
    assert plain[0] in (world.items[10], world.items[14])
    towards = await ids(world, items=[world.items[12]], liked=[world.items[22]])
    away = await ids(world, items=[world.items[12]], disliked=[world.items[22]])
    assert towards.index(world.items[18]) < plain.index(world.items[18])
    assert away.index(world.items[2]) < plain.index(world.items[2])
    assert world.items[22] not in towards and world.items[22] not in away


async def test_only_what_a_column_says_is_searched(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    reply = (await search(world, items=[world.items[4]], where={"shape": "round"})).json()
    assert {one["item"]["attributes"]["shape"] for one in reply["results"]} == {"round"}
    assert (reply["total"], reply["among"]) == (12, 12)
    assert await ids(world, items=[world.items[4]], where={"shape": "<script>"}) == []
    assert (await search(world, items=[world.items[4]], where={"shap": "round"})).status_code == 404


async def test_what_cannot_be_searched_is_refused_in_a_sentence(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    for body, word in (
        ({}, "nothing to look for"),
        ({"disliked": [world.items[1]]}, "nothing to look for"),
        ({"items": [2**40]}, "has not seen item"),
        ({"vector": "AAAAAA==", "version": 1}, "finite numbers"),
        ({"vector": base64.b64encode(np.array([np.nan, 1], "<f4").tobytes()).decode(), "version": 1}, "finite"),
    ):
        reply = await search(world, **body)
        assert reply.status_code == 422 and word in reply.json()["detail"], body


class Glass:
    """Stands for the process that sees pictures."""

    def __init__(self, vector: np.ndarray | None) -> None:
        self.vector, self.seen = vector, []  # type: ignore[var-annotated]

    def see(self, encoder: str, head: str, encoded: bytes) -> np.ndarray:
        self.seen.append((encoder, head, encoded))
        if self.vector is None:
            raise BadInput("this picture cannot be searched with: the picture is damaged.")
        return self.vector

    def stop(self) -> None:
        """Nothing runs."""


def look_through(world: World, glass: Glass) -> None:
    from dataclasses import replace

    world.app.state.context = replace(world.app.state.context, eye=glass)  # type: ignore[attr-defined]


async def test_a_picture_of_ones_own_is_seen_and_searched_with_and_nothing_of_it_is_kept(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    glass = Glass(np.array([1.0, 0.0], np.float32))
    look_through(world, glass)
    before = sorted(path for path in world.settings.folder.rglob("*") if path.is_file() and "sqlite" not in path.name)
    async with world.as_role("viewer") as viewer:
        reply = await viewer.post("/api/v1/search/picture", params=ASK, content=paint(3))
    assert reply.status_code == 200 and glass.seen == [("lite0", "first", paint(3))]
    found = await ids(world, **reply.json())
    assert found[:3] == [world.items[0], world.items[2], world.items[4]]
    after = sorted(path for path in world.settings.folder.rglob("*") if path.is_file() and "sqlite" not in path.name)
    assert before == after


async def test_a_vector_that_another_version_saw_must_be_seen_again(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    look_through(world, Glass(np.array([1.0, 0.0], np.float32)))
    async with world.as_role("viewer") as viewer:
        seen = (await viewer.post("/api/v1/search/picture", params=ASK, content=b"picture")).json()
    with world.database.write() as s:
        versions.promote(
            s, versions.add(s, world.criterion, parent=1, artifact="first", last_event=0, metrics={}, encoder="lite0")
        )
    assert (await search(world, **seen)).status_code == 409


async def test_a_picture_that_cannot_be_read_is_refused_in_a_sentence(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    look_through(world, Glass(None))
    async with world.as_role("viewer") as viewer:
        for content, word in ((b"GIF", "damaged"), (b"", "no picture"), (b"x" * (25 * 2**20 + 1), "25 MB")):
            reply = await viewer.post("/api/v1/search/picture", params=ASK, content=content)
            assert reply.status_code == 422 and word in reply.json()["detail"]
        assert (await viewer.post("/api/v1/search/picture", params=ASK, content=b"x" * 27 * 2**20)).status_code == 413


async def test_a_big_collection_is_searched_while_its_index_is_still_built(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_snapshot(world, world.settings.folder)
    go, built, whole = Event(), Event(), searching.searchable

    def slow(*given: Any) -> Any:
        assert go.wait(30)
        found = whole(*given)
        built.set()
        return found

    monkeypatch.setattr(searching, "searchable", slow)
    for module in (searching, index):
        monkeypatch.setattr(module, "EXACT", 10)
    body = {"items": world.items[:1], "limit": 5}
    first = (await search(world, **body)).json()
    assert first["engine"] == "exact" and first["recall"] == 1 and len(first["results"]) == 5
    go.set()
    assert built.wait(30)
    for _ in range(100):
        if (again := (await search(world, **body)).json())["engine"] != "exact":
            break
        await anyio.sleep(0.05)
    assert again["engine"] == "lists" and again["results"][0] == first["results"][0]

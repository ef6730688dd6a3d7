"""The map over REST: points and colours as binary, maps made in the background, two versions laid over each other."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from app import map_job, maps, quality_job
from app.api.binary import TYPES, packed
from app.children import Mapper
from db import catalog, jobs, versions
from db.artifacts import ArtifactStore
from tests.app.conftest import World, fill
from tests.app.test_quality import answer
from tests.app.test_versions import keep_snapshot

pytestmark = pytest.mark.anyio
ASK = {"criterion": "shape"}


def unpack(body: bytes) -> dict[str, Any]:
    """What js/binary.js does."""
    (length,) = struct.unpack("<I", body[:4])
    found: dict[str, Any] = {"header": json.loads(body[4 : 4 + length])}
    at = 4 + length
    for name, kind, count in found["header"]["arrays"]:
        found[name] = np.frombuffer(body, np.dtype(TYPES[kind]).newbyteorder("<"), count, at)
        at += -(-found[name].nbytes // 8) * 8
    assert at == len(body)
    return found


async def read(world: World, what: str, role: str = "viewer", **query: Any) -> dict[str, Any]:
    async with world.as_role(role) as person:
        reply = await person.get(f"/api/v1/map/{what}", params={**ASK, **query})
    assert reply.status_code == 200, reply.text
    return unpack(reply.content)


async def about(world: World) -> dict[str, Any]:
    async with world.as_role("viewer") as viewer:
        found: dict[str, Any] = (await viewer.get("/api/v1/map", params=ASK)).json()
    return found


def work(world: World) -> None:
    """Make every waiting map, as the map-making process would."""
    while job := quality_job._next(world.database, "test", maps.JOBS):
        quality_job.run(world.settings, world.database, job, work=map_job.work)


def second_version(world: World) -> int:
    """Another version, which sees the same items turned by a quarter and without the last one."""
    from trainer import snapshot

    store = ArtifactStore(str(world.settings.folder / "artifacts"))
    first = snapshot.load(store, "first", 1)
    turned = np.stack([-first.vectors[:-1, 1], first.vectors[:-1, 0]], axis=1)
    made = snapshot.build(first.ids[:-1], turned, version=2)
    snapshot.save(store, "second", made, (store.open("first") / "head.safetensors").read_bytes())
    with world.database.write() as s:
        return versions.add(s, world.criterion, parent=1, artifact="second", last_event=0, metrics={}, encoder="lite0")


def test_what_is_packed_is_read_back_and_every_array_begins_at_a_multiple_of_eight() -> None:
    arrays = {"a": np.arange(3, dtype=np.uint8), "b": np.arange(5, dtype=np.uint16), "c": np.array([2.5], np.float64)}
    found = unpack(packed({"words": "für <b>"}, arrays))
    assert found["header"]["words"] == "für <b>"
    assert [found[name].tolist() for name in "abc"] == [[0, 1, 2], [0, 1, 2, 3, 4], [2.5]]


async def test_before_any_version_there_is_no_map_and_it_says_so(world: World) -> None:
    assert (await about(world))["current"] is None
    async with world.as_role("viewer") as viewer:
        reply = await viewer.get("/api/v1/map/points", params=ASK)
    assert reply.status_code == 404 and "no model version yet" in reply.json()["detail"]


async def test_the_pca_map_is_there_at_once_and_is_not_sent_twice(world: World) -> None:
    version = keep_snapshot(world, world.settings.folder)
    async with world.as_role("viewer") as viewer:
        reply = await viewer.get("/api/v1/map/points", params=ASK)
        again = await viewer.get("/api/v1/map/points", params=ASK, headers={"if-none-match": reply.headers["etag"]})
    found = unpack(reply.content)
    assert found["ids"].tolist() == world.items and found["header"]["version"] == version
    assert again.status_code == 304 and again.content == b""
    assert "private" in reply.headers["cache-control"]
    assert (await about(world))["versions"][0]["maps"] == ["pca"]
    steps = np.stack([found["x"], found["y"]], axis=1).astype(float)
    box = found["header"]["box"]
    drawn = steps / 65_535 * box[2] + box[:2]
    kept = maps.kept(maps.store_of(world.settings), world.criterion, version, "pca")
    assert kept is not None
    np.testing.assert_allclose(drawn, kept.arrays["points"], atol=box[2] / 65_535)


async def test_even_and_odd_items_lie_apart(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    found = await read(world, "points")
    x = found["x"].astype(int)
    assert abs(x[::2].mean() - x[1::2].mean()) > 4 * max(x[::2].std(), x[1::2].std())


async def test_umap_is_made_in_the_background_and_then_served(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.umap_map.umap_map", lambda snapshot, told, stopped: snapshot.vectors[:, :2] * 2)
    version = keep_snapshot(world, world.settings.folder)
    async with world.as_role("annotator") as person:
        missing = await person.get("/api/v1/map/points", params={**ASK, "kind": "umap"})
        assert missing.status_code == 404 and "POST" in missing.json()["detail"]
        first = await person.post("/api/v1/map", json={**ASK, "what": "umap"})
        same = await person.post("/api/v1/map", json={**ASK, "what": "umap"})
    assert first.status_code == 202 and first.json()["id"] == same.json()["id"]
    assert [one["kind"] for one in (await about(world))["jobs"]] == ["map_umap"]
    work(world)
    assert (await about(world))["versions"][0]["maps"] == ["umap"] and (await about(world))["jobs"] == []
    assert len((await read(world, "points", kind="umap", version=version))["ids"]) == len(world.items)


async def test_making_a_map_can_be_cancelled(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    async with world.as_role("annotator") as person:
        job = (await person.post("/api/v1/map", json=ASK)).json()
        body = {**ASK, "job": job["id"]}
        assert (await person.post("/api/v1/map/cancel", json=body)).json()["status"] == "cancelled"
        assert (await person.post("/api/v1/map/cancel", json=body)).status_code == 404
    work(world)
    assert (await about(world))["versions"][0]["maps"] == []


async def test_another_version_is_laid_over_the_first(world: World) -> None:
    first = keep_snapshot(world, world.settings.folder)
    second = second_version(world)
    plain = await read(world, "points")
    over = await read(world, "points", version=second, onto=first)

    def places(found: dict[str, Any]) -> np.ndarray:
        box = found["header"]["box"]
        return np.stack([found["x"], found["y"]], axis=1) / 65_535 * box[2] + box[:2]

    assert over["ids"].tolist() == world.items[:-1]
    assert np.abs(places(over) - places(plain)[:-1]).max() < 0.02, "turned back"
    async with world.as_role("viewer") as viewer:
        wrong = await viewer.get("/api/v1/map/points", params={**ASK, "version": 999})
    assert wrong.status_code == 404


async def test_before_the_answers_are_counted_in_groups_are_those_of_the_embedding(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    early = await read(world, "colours", by="group")
    assert early["header"]["stale"] and "nobody has answered" in early["header"]["note"]
    assert sum(one["items"] for one in early["header"]["legend"]) == len(world.items)


async def test_groups_and_certainty_come_from_the_kept_sorting_and_grow_stale(world: World) -> None:
    version = keep_snapshot(world, world.settings.folder)
    store, ids = maps.store_of(world.settings), np.array(world.items)
    arrays = {
        "ids": ids, "labels": (np.arange(len(ids)) % 3).astype(np.int32), "event": np.array([0], np.int64),
        "sure": np.linspace(0, 1, len(ids)).astype(np.float32),
    }  # fmt: skip
    maps.keep(store, world.criterion, version, "groups", arrays)
    found = await read(world, "colours", by="group")
    assert found["codes"].tolist() == [at % 3 for at in range(len(ids))] and not found["header"]["stale"]
    assert [one["label"] for one in found["header"]["legend"]] == ["group 1", "group 2", "group 3"]
    scale = (await read(world, "colours", by="uncertainty"))["scale"].astype(int)
    assert scale[0] == 255 and scale[-1] == 1 and (np.diff(scale) <= 0).all()
    answer(world, 3)
    assert (await read(world, "colours", by="group"))["header"]["stale"]


async def test_the_answers_are_counted_in_by_a_job_and_the_map_then_shows_their_groups(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    answer(world, 12)
    assert "not counted in yet" in (await read(world, "colours", by="group"))["header"]["note"]
    assert not (await read(world, "colours", by="uncertainty"))["scale"].any()
    async with world.as_role("annotator") as person:
        assert (await person.post("/api/v1/map", json={**ASK, "what": "groups"})).status_code == 202
    work(world)
    found = await read(world, "colours", by="group")
    assert not found["header"]["stale"] and found["header"]["kinds"] == 2
    assert len(set(found["codes"][::2])) == len(set(found["codes"][1::2])) == 1
    scale = (await read(world, "colours", by="uncertainty"))["scale"]
    assert scale.min() >= 1 and scale.max() < 200, "twelve truthful screens leave little doubt"
    answer(world, 1, start=90)
    assert (await read(world, "colours", by="group"))["header"]["stale"]


async def test_colours_by_answers_and_by_who_gave_them(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    answer(world, 2, source="ada")
    answer(world, 2, source="<img src=x onerror=alert(1)>", start=50)
    found = await read(world, "colours", by="answered")
    labels = [one["label"] for one in found["header"]["legend"]]
    assert labels == ["somebody has answered about it", "nobody has answered yet"]
    people = await read(world, "colours", by="annotator")
    words = {one["label"] for one in people["header"]["legend"]}
    assert "ada" in words and "<img src=x onerror=alert(1)>" in words and "nobody yet" in words
    assert sum(one["items"] for one in people["header"]["legend"]) == len(world.items)


async def test_colours_by_a_column_of_kinds_and_of_numbers(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    with world.database.write() as s:
        for row, item in enumerate(world.items):
            known = catalog.item(s, item)
            more = {"size": row * 1.5} | ({"<b>bold</b>": "<script>alert(1)</script>"} if row < 5 else {})
            catalog.add_items(
                s, known.collection,
                [catalog.NewItem(known.sha256, 96, 96, known.path, attributes=more)],
            )  # fmt: skip
        jobs.enqueue(s, "import", {}, collection=known.collection)  # as metadata comes in
    async with world.as_role("viewer") as viewer:
        columns = (await viewer.get("/api/v1/map/columns", params=ASK)).json()["columns"]
    assert [one["name"] for one in columns] == ["<b>bold</b>", "shape", "size"]
    assert [(one["value"], one["items"]) for one in columns[1]["values"]] == [("round", 12), ("square", 12)]
    assert (columns[2]["low"], columns[2]["high"], columns[2]["values"]) == (0.0, 34.5, [])
    by_shape = await read(world, "colours", by="column", column="shape")
    assert by_shape["codes"].tolist() == [1, 0] * 12
    by_size = await read(world, "colours", by="column", column="size")
    assert (np.diff(by_size["scale"].astype(int)) > 0).all() and by_size["scale"][0] == 1
    odd = await read(world, "colours", by="column", column="<b>bold</b>")
    assert odd["header"]["without"] == 19 and (odd["codes"] == 65_535).sum() == 19
    async with world.as_role("viewer") as viewer:
        wrong = await viewer.get("/api/v1/map/colours", params={**ASK, "by": "column", "column": "shap"})
    assert wrong.status_code == 404 and "shape" in wrong.json()["detail"]


async def test_maps_of_old_versions_are_pruned_and_a_damaged_one_is_made_again(world: World) -> None:
    version = keep_snapshot(world, world.settings.folder)
    store = maps.store_of(world.settings)
    await read(world, "points")
    (world.settings.folder / "artifacts" / maps.name(world.criterion, version, "pca") / maps.FILE).write_bytes(b"no")
    maps._load.cache_clear()
    assert len((await read(world, "points"))["ids"]) == len(world.items)
    with world.database.write() as s:
        for place in range(maps.KEPT + 1):
            made = versions.add(
                s, world.criterion, parent=None, artifact=f"x{place}", last_event=0, metrics={}, encoder="lite0"
            )
            versions.promote(s, made)
    assert maps.prune(world.database, store, world.criterion) == 1
    assert maps.kept(store, world.criterion, version, "pca") is None


def test_the_mapper_runs_every_kind_of_map_there_is(world: World) -> None:
    mapper = Mapper(world.settings, world.database)
    assert mapper.module == "app.map_job" and mapper.kinds == maps.JOBS


async def test_a_version_of_another_criterion_is_refused(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    fill(world.database, world.settings.folder, 3, "others")
    with world.database.write() as s:
        catalog.add_criterion(s, "other", catalog.collection_id(s, "others"), "The same?")
    async with world.as_role("viewer") as viewer:
        reply = await viewer.get("/api/v1/map/points", params={"criterion": "other", "version": 1})
    assert reply.status_code == 422

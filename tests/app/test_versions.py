"""Versions over REST: listed newest first, promoted, rolled back; neighbours and groups of the one that asks."""

from pathlib import Path

import numpy as np
import pytest

from db import runs, versions
from db.artifacts import ArtifactStore
from tests.app.conftest import World

pytestmark = pytest.mark.anyio


def add(world: World, count: int) -> list[int]:
    """Some versions, each the child of the one before; every one but the last was promoted in its time."""
    made: list[int] = []
    with world.database.write() as s:
        for place in range(count):
            parent = made[-1] if made else None
            terms = {"artifact": f"v{place}", "last_event": place, "metrics": {"heldout_f1_after": 0.5 + place / 10}}
            made.append(versions.add(s, world.criterion, parent=parent, encoder="lite0", **terms))
            if place < count - 1:
                versions.promote(s, made[-1])
    return made


async def test_a_version_is_promoted_and_rolled_back_by_a_curator(world: World) -> None:
    first, second, third = add(world, 3)
    async with world.as_role("curator") as curator:
        listed = (await curator.get("/api/v1/versions", params={"criterion": "shape"})).json()["versions"]
        assert [(one["id"], one["status"]) for one in listed] == [
            (third, "candidate"),
            (second, "promoted"),
            (first, "retired"),
        ]
        assert (await curator.post(f"/api/v1/versions/{third}/promote")).json()["status"] == "promoted"
        assert (await curator.post(f"/api/v1/versions/{second}/rollback")).status_code == 409
        back = await curator.post(f"/api/v1/versions/{third}/rollback")
        assert (back.status_code, back.json()["id"]) == (200, second)


async def test_versions_are_read_page_by_page(world: World) -> None:
    made = add(world, 5)
    async with world.as_role("viewer") as viewer:
        first = (await viewer.get("/api/v1/versions", params={"criterion": "shape", "limit": 3})).json()
        rest = (await viewer.get("/api/v1/versions", params={"criterion": "shape", "before": first["next"]})).json()
    assert [one["id"] for one in first["versions"] + rest["versions"]] == made[::-1]
    assert rest["next"] is None


async def test_the_newest_run_comes_with_its_losses(world: World) -> None:
    with world.database.write() as s:
        run = runs.start(s, world.criterion, "9 new answers", {})
        runs.step(s, run, 1, {"loss": 2.5})
        runs.step(s, run, 2, {"pull": 1.0, "push": 0.5})
    async with world.as_role("viewer") as viewer:
        (found,) = (await viewer.get("/api/v1/runs", params={"criterion": "shape"})).json()["runs"]
    assert (found["trigger"], found["status"]) == ("9 new answers", "running")
    assert [(one["step"], one["loss"]) for one in found["steps"]] == [(1, 2.5), (2, 1.5)]


def keep_snapshot(world: World, folder: Path) -> int:
    """A promoted version whose snapshot holds two clear groups: even and odd places. Its head sees in two numbers."""
    from torch import nn

    from trainer import snapshot
    from trainer.head import Head

    angle = np.array([0.02 * place + (1.5 if place % 2 else 0.0) for place in range(len(world.items))])
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    made = snapshot.build(np.array(world.items), vectors, version=1, seed=0)
    head = Head.linear(np.zeros(1280), np.eye(1280, 2))
    for weight in head.parameters():  # of the learnt part, which starts at random
        nn.init.zeros_(weight)
    snapshot.save(ArtifactStore(str(folder / "artifacts")), "first", made, head.to_bytes())
    with world.database.write() as s:
        version = versions.add(
            s, world.criterion, parent=None, artifact="first", last_event=0, metrics={}, encoder="lite0"
        )
        versions.promote(s, version)
    return version


async def test_neighbours_come_from_the_version_that_asks_nearest_first(world: World) -> None:
    version = keep_snapshot(world, world.settings.folder)
    async with world.as_role("viewer") as viewer:
        at = f"/api/v1/items/{world.items[4]}/neighbours"
        found = (await viewer.get(at, params={"criterion": "shape", "limit": 4})).json()
    assert found["version"] == version
    assert {one["item"]["id"] for one in found["neighbours"][:2]} == {world.items[2], world.items[6]}
    assert [one["cosine"] for one in found["neighbours"]] == sorted(
        (one["cosine"] for one in found["neighbours"]), reverse=True
    )


async def test_groups_hold_every_item_once_largest_group_first(world: World) -> None:
    keep_snapshot(world, world.settings.folder)
    async with world.as_role("viewer") as viewer:
        query = {"criterion": "shape", "items": 60, "limit": 100}
        groups = (await viewer.get("/api/v1/groups", params=query)).json()["groups"]
    assert sorted(item["id"] for one in groups for item in one["items"]) == world.items
    assert [one["size"] for one in groups] == sorted((one["size"] for one in groups), reverse=True)

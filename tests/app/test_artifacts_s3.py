"""Models in a bucket: what the trainer promotes there is what a web process on another machine shows."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest

from app import backup
from app.server import create_app
from app.settings import Settings
from db import users, versions
from db.artifacts import ArtifactStore
from tests.s3 import Bucket, bucket, s3_server
from tests.small_world import World, make_world
from trainer.checkpoint import head_of, sweep_orphans
from trainer.choices import chosen
from trainer.desk import Room
from trainer.embedding import Embedder
from trainer.learner import Settings as Teaching
from trainer.worker import Worker

pytestmark = pytest.mark.anyio
__all__ = ["bucket", "s3_server"]


@pytest.fixture
def world(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("PAIRWRIGHT_ARTIFACTS", f"{bucket.url}/models")
    (tmp_path / "trainer").mkdir()
    made = make_world(tmp_path / "trainer", items=40)
    yield made
    made.database.close()


def trainer(world: World) -> Worker:
    """The trainer, to be worked by hand, on the machine of `world`."""
    stopping = Event()
    store = Settings(world.workspace, world.url).store()
    embedder = Embedder(world.database, world.workspace, "me", stopping)
    teaching = Teaching(update=chosen(["steps=20", "negatives=uniform"]))
    room = Room(
        world.database, world.workspace, store, "me", stopping, embedder, "pairwright", lease_s=3600, teaching=teaching
    )
    return Worker(room)


def work(worker: Worker) -> None:
    for step in (worker.room.embedder.tick, worker.ask, worker.learn, worker.ask):
        step()


async def test_a_version_that_is_promoted_into_a_bucket_is_served_from_there(
    bucket: Bucket, world: World, tmp_path: Path
) -> None:
    settings = Settings(tmp_path / "web", world.url, trainer=False)
    database = settings.open()
    with database.write() as s:
        users.add(s, "eve", "curator")
        token = users.issue_token(s, "eve", "test")
    worker = trainer(world)
    door = httpx.ASGITransport(app=create_app(settings, database=database))
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=door, base_url="http://pairwright.test", headers=headers) as client:
        for number in range(2):
            work(worker)
            with database.read() as s:
                newest = versions.versions(s, world.criterion)[-1]
                versions_now = versions.versions(s, world.criterion)
            assert len(versions_now) == number + 1
            if newest.status != "promoted":
                assert (await client.post(f"/api/v1/versions/{newest.id}/promote")).status_code == 200
            groups = await client.get("/api/v1/groups", params={"criterion": "kind"})
            assert groups.status_code == 200, groups.text
            assert groups.json()["stand"].split(".")[0] == str(newest.id) and groups.json()["items"] == 40
            near = await client.get(f"/api/v1/items/{min(world.truth)}/neighbours", params={"criterion": "kind"})
            assert near.json()["version"] == newest.id
            world.say(world.random_pairs(12))
    names = ArtifactStore(f"{bucket.url}/models", cache=tmp_path / "third").names()
    assert {one.artifact for one in versions_now} <= set(names)
    assert len({head_of(settings.store(), one).to_bytes() for one in versions_now}) == 2, "it has learnt"
    assert all(key.startswith("models/") for key in bucket.names())
    made = backup.create(settings, database, into=tmp_path / "backups")
    files = backup.manifest_of(tmp_path / "backups" / made.name)["files"]
    assert {f"artifacts/{one.artifact}/head.safetensors" for one in versions_now} <= set(files)
    settings.store().save(f"models/{world.criterion}/nobodys", {"head": b"1"})
    assert sweep_orphans(world.database, settings.store(), world.criterion, older_than_s=-5) == 1
    assert sweep_orphans(world.database, settings.store(), world.criterion) == 0
    database.close()

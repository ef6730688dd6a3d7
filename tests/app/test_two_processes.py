"""Two web processes on one database: what is done at one door is true at the other, at once or within a second."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save as to_bytes

from app import auth, server
from app.children import Keeper
from app.login import TRIES
from app.maps import store_of
from app.server import create_app, first_admin
from db import catalog, events, jobs, users, versions
from db.engine import Database, open_database
from db.nouns import Kind
from tests.app.conftest import World, ask
from tests.app.test_gate import HOST, PASSWORD, cookie_of
from tests.app.test_rest import claim, said, send
from tests.db.conftest import url
from tests.postgres import postgres_server, postgres_template, postgres_url
from trainer import snapshot

__all__ = ["postgres_server", "postgres_template", "postgres_url", "url"]
pytestmark = pytest.mark.anyio
API = "/api/v1"


@pytest.fixture
def other(world: World) -> Iterator[World]:
    """The same installation in a second app, with a database connection and caches of its own."""
    database = open_database(world.settings.url)
    yield replace(world, database=database, app=create_app(world.settings, database=database))
    database.close()


async def test_a_question_claimed_here_is_answered_there_and_a_retry_hears_the_same(world: World, other: World) -> None:
    async with world.as_role("annotator") as here, other.as_role("annotator") as there:
        (question,) = await claim(here, world, count=1)
        assert question["id"] not in {one["id"] for one in await claim(there, other, count=32, tab="there")}
        first = await send(there, said(question), "key")
        again = await send(here, said(question), "key")
        assert (first.status_code, again.status_code, first.content) == (201, 201, again.content)
        assert again.headers["idempotency-replayed"] == "true"
        shown = await here.get(f"{API}/progress", params={"criterion": world.criterion})
        assert shown.json() == (await there.get(f"{API}/progress", params={"criterion": world.criterion})).json()


async def test_an_answer_given_here_is_news_there(world: World, other: World) -> None:
    hub = other.app.state.context.hub  # type: ignore[attr-defined]
    with world.database.read() as s:
        before = events.latest(s)
    heard = asyncio.create_task(anext(hub.listen(before)))
    async with world.as_role("annotator") as here:
        (question,) = await claim(here, world, count=1)
        receipt = (await send(here, said(question))).json()
    event = await asyncio.wait_for(heard, 20)
    assert (event.kind, event.payload["answer"]) == ("answer", receipt["id"])
    await hub.close()


async def test_a_sign_in_here_is_one_there_and_so_is_a_sign_out(
    world: World, other: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"cookie": f"{auth.COOKIE}={await cookie_of(world)}", "origin": HOST}
    async with world.as_role(None) as here, other.as_role(None) as there:
        assert (await there.get(f"{API}/me", headers=headers)).json()["name"] == "annotator"
        criterion = {"criterion": world.criterion}
        assert (await there.post(f"{API}/questions/claim", json=criterion, headers=headers)).status_code == 200
        assert (await here.post("/logout", headers=headers)).status_code == 303
        _later(monkeypatch)
        assert (await there.get(f"{API}/me", headers=headers)).status_code == 401


@pytest.mark.parametrize("change", ["role", "active", "token"])
async def test_what_an_admin_takes_away_here_is_gone_there_within_a_second(
    world: World, other: World, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    async with other.as_role("curator") as there, world.as_role("admin") as admin:
        assert (await there.post(f"{API}/versions/1/promote")).status_code == 404  # may, but there is none
        found = {one["name"]: one["id"] for one in (await admin.get(f"{API}/users")).json()["users"]}["curator"]
        if change == "token":
            (token,) = (await admin.get(f"{API}/users/{found}/tokens")).json()["tokens"]
            done = await admin.post(f"{API}/tokens/{token['id']}/revoke")
        else:
            changed = {"role": "viewer"} if change == "role" else {"active": False}
            done = await admin.post(f"{API}/users/{found}", json=changed)
        assert done.is_success, done.text
        _later(monkeypatch)
        assert (await there.post(f"{API}/versions/1/promote")).status_code == {"role": 403}.get(change, 401)


def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second has gone by."""
    now = auth.time.monotonic()
    monkeypatch.setattr("app.auth.time.monotonic", lambda: now + 1.01)


async def test_passwords_are_not_guessed_twice_as_fast_at_two_doors(world: World, other: World) -> None:
    async with world.as_role(None) as here, other.as_role(None) as there:
        for number in range(TRIES):
            door = (here, there)[number % 2]
            wrong = {"name": f"nobody {number}", "password": "wrong guess"}
            assert (await door.post("/login", data=wrong, headers={"origin": HOST})).status_code == 403
        right = {"name": "admin", "password": PASSWORD}
        for door in (here, there):
            assert (await door.post("/login", data=right, headers={"origin": HOST})).status_code == 429


async def test_new_collections_criteria_and_questions_are_there_at_once(world: World, other: World) -> None:
    async with world.as_role("curator") as here, other.as_role("curator") as there:
        before = (await there.get(f"{API}/criteria")).json()["criteria"]
        given = {"name": "colour", "collection": "shapes", "prompt": "Do these have the same colour?"}
        made = (await here.post(f"{API}/criteria", json=given)).json()
        after = (await there.get(f"{API}/criteria")).json()["criteria"]
        assert {one["id"] for one in after} - {one["id"] for one in before} == {made["id"]}
        ask(world.database, made["id"], world.items, [Kind.PAIR])
        assert len(await claim(there, other, criterion=made["id"], count=9)) == 1


def serve(world: World, name: str, turn: int) -> int:
    """A promoted version in which the items lie on a circle, every `turn`-th near the next."""
    angles = np.array([0.01 * place + 6.28 / turn * (place % turn) for place in range(len(world.items))])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    head = to_bytes({"weight": np.eye(2, dtype=np.float32)})
    snapshot.save(store_of(world.settings), name, snapshot.build(np.array(world.items), vectors), head)
    with world.database.write() as s:
        made = versions.add(s, world.criterion, parent=None, artifact=name, last_event=0, metrics={}, encoder="lite0")
        versions.promote(s, made)
    return made


async def test_a_promotion_here_is_what_everything_there_goes_by(world: World, other: World) -> None:
    async with world.as_role("curator") as here, other.as_role("curator") as there:
        seen = []
        for number, turn in enumerate((2, 3)):
            version = serve(world, f"v{number}", turn)
            for door in (there, here, there):
                near = await door.get(f"{API}/items/{world.items[0]}/neighbours", params={"criterion": "shape"})
                assert near.json()["version"] == version
                assert near.json()["neighbours"][0]["item"]["id"] == world.items[turn]
            groups = [(await door.get(f"{API}/groups", params={"criterion": "shape"})).json() for door in (here, there)]
            points = [(await door.get(f"{API}/map/points", params={"criterion": "shape"})) for door in (here, there)]
            assert groups[0] == groups[1] and points[0].content == points[1].content
            seen.append((groups[1]["stand"], points[1].content))
        assert seen[0][0] != seen[1][0] and seen[0][1] != seen[1][1]
        assert (await here.post(f"{API}/versions/{version}/rollback")).status_code == 200
        back = (await there.get(f"{API}/groups", params={"criterion": "shape"})).json()
        assert back["stand"] == seen[0][0]


async def test_groups_know_at_once_what_was_answered_at_the_other_door(world: World, other: World) -> None:
    serve(world, "v", 2)
    async with world.as_role("annotator") as here, other.as_role("annotator") as there:
        before = (await there.get(f"{API}/groups", params={"criterion": "shape"})).json()
        (question,) = await claim(here, world, count=1, kind="pair")
        assert (await send(here, said(question))).status_code == 201
        after = (await there.get(f"{API}/groups", params={"criterion": "shape"})).json()
        assert after["fresh"] and after["stand"] != before["stand"]
        page = await here.get(f"{API}/groups", params={"criterion": "shape", "stand": before["stand"], "after": 1})
        assert page.json()["stand"] == after["stand"]  # a state that this process never made: today's, and it says so


async def test_the_columns_there_are_read_anew_when_known_pictures_gain_metadata(world: World, other: World) -> None:
    async with other.as_role("viewer") as there:
        columns = (await there.get(f"{API}/map/columns", params={"criterion": "shape"})).json()["columns"]
        assert [one["name"] for one in columns] == ["shape"]
        with world.database.write() as s:
            collection = catalog.collection_id(s, "shapes")
            (item,) = catalog.items_by_id(s, world.items[:1]).values()
            more = {"attributes": {"size": "large"}, "name": item.name}
            catalog.add_items(s, collection, [catalog.NewItem(item.sha256, 96, 96, item.path, **more)])
        columns = (await there.get(f"{API}/map/columns", params={"criterion": "shape"})).json()["columns"]
        assert [one["name"] for one in columns] == ["shape", "size"]


def test_two_that_start_on_an_empty_database_make_one_admin(url: str) -> None:
    both, shown, gate = [open_database(url) for _ in range(2)], [], threading.Barrier(2)

    def start(one: Database) -> None:
        gate.wait()
        shown.append(first_admin(one))

    threads = [threading.Thread(target=start, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(word is not None for word in shown) == [False, True]
    with both[0].read() as s:
        assert [one.name for one in users.users(s)] == [server.ADMIN]
    for one in both:
        one.close()


def test_two_keepers_ask_for_one_backup(world: World, other: World) -> None:
    settings = replace(world.settings, backup_every=24)
    first, second = Keeper(settings, world.database), Keeper(settings, other.database)
    assert first.due() and second.due()
    assert first._waiting()
    with other.database.write() as s:
        second._ask(s)  # it had looked before the first one asked
    assert second._waiting(), "the second sees the job of the first"
    with world.database.read() as s:
        assert [one.kind for one in jobs.jobs(s)] == ["backup"]
    assert not first.due() and not second.due() and not Keeper(settings, other.database).due()

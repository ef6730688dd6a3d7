"""Robot sessions over REST: what is seen gets an answer, what is put teaches, every write once, never a negative."""

import base64
from io import BytesIO
from typing import Any

import anyio
import httpx
import numpy as np
import pytest
from PIL import Image

from app.importers import decode, files
from app.importers.decode import Stored
from app.sorters import Sorters
from db import events, feedback, placements
from db.errors import BadInput
from db.nouns import Verdict
from tests.app.conftest import World, paint

pytestmark = pytest.mark.anyio
PATH = "/api/v1/sessions"


class Glass:
    """Stands for the process that sees pictures: sixteen colour averages, stored as an import stores them."""

    def __init__(self, world: World) -> None:
        self.workspace, self.looked = world.settings.folder, 0

    def features(self, encoder: str, encoded: bytes) -> np.ndarray:
        self.looked += 1
        pixels = np.asarray(Image.open(BytesIO(encoded)).convert("RGB").resize((4, 4)), np.float32)
        return pixels.reshape(-1) / 255

    def keep(self, encoder: str, encoded: bytes, sha: str) -> tuple[Stored, np.ndarray]:
        checked = decode.check(encoded)
        if isinstance(checked, decode.Refused):
            raise BadInput(f"this picture cannot be used: {checked.reason}.")
        width, height, extension, thumbnail = checked
        path = files.media_path(sha, extension)
        files.write_once(self.workspace / files.thumbnail_path(sha, decode.THUMBNAIL), thumbnail or b"")
        files.write_once(self.workspace / path, encoded)
        return Stored(width, height, path), self.features(encoder, encoded)


@pytest.fixture
def glass(world: World) -> Glass:
    """A world whose pictures are seen without another process."""
    made = Glass(world)
    sorters(world).eye = made  # type: ignore[assignment]
    return made


def sorters(world: World) -> Sorters:
    found: Sorters = world.app.state.context.sorters  # type: ignore[attr-defined]
    return found


class Robot:
    """One robot at its session, with a key of its own for everything it says."""

    def __init__(self, client: httpx.AsyncClient, name: str = "arm") -> None:
        self.client, self.name, self.said, self.session = client, name, 0, 0

    async def begin(self, **more: Any) -> dict[str, Any]:
        found = await self.post("", criterion="shape", name=self.name, **more)
        self.session = found["id"]
        return found

    async def post(self, path: str, status: int = 201, key: str | None = None, **body: Any) -> dict[str, Any]:
        self.said += 1
        headers = {"idempotency-key": key or f"{self.name}-{self.said}"}
        reply = await self.client.post(f"{PATH}{path}", json=body, headers=headers)
        assert reply.status_code == status, reply.text
        return dict(reply.json())

    async def see(self, picture: bytes | None = None, status: int = 201, **more: Any) -> dict[str, Any]:
        image = {} if picture is None else {"image": base64.b64encode(picture).decode()}
        return await self.post(f"/{self.session}/observations", status, **image, **more)

    async def put(self, bin: str | None, status: int = 201, **more: Any) -> dict[str, Any]:
        return await self.post(f"/{self.session}/placements", status, bin=bin, **more)


@pytest.fixture
async def robot(world: World, glass: Glass) -> Any:
    async with world.as_role("robot") as client:
        made = Robot(client)
        await made.begin()
        yield made


def shade(red: int, green: int, blue: int, number: int) -> bytes:
    """A PNG of nearly one colour."""
    noise = np.random.default_rng(number).integers(-12, 13, (24, 24, 3))
    out = BytesIO()
    Image.fromarray(np.clip(np.array([red, green, blue]) + noise, 0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


KINDS = {"red": (220, 40, 30), "green": (30, 200, 60), "blue": (20, 60, 230)}


def look_at(kind: str, number: int) -> bytes:
    return shade(*KINDS[kind], number + 1000 * sorted(KINDS).index(kind))


async def teach(robot: Robot, each: int = 6) -> None:
    """Show some things of every kind and put them into the bin of their name."""
    for number in range(each):
        for kind in KINDS:
            seen = await robot.see(look_at(kind, number))
            await robot.put(kind, observation=seen["id"])


async def test_a_robot_is_told_new_then_learns_where_things_go(world: World, robot: Robot) -> None:
    first = await robot.see(look_at("red", 0))
    assert (first["action"], first["bin"], first["ranking"]) == ("new", None, [])
    await teach(robot)
    for kind in KINDS:
        told = await robot.see(look_at(kind, 99))
        assert (told["action"], told["bin"]) == ("sort", kind) and told["confidence"] > 0.8
        assert sum(one["confidence"] for one in told["ranking"]) + told["new"] == pytest.approx(1, abs=1e-3)
    found = (await robot.client.get(f"{PATH}/{robot.session}")).json()
    assert found["bins"] == [{"bin": kind, "things": 6} for kind in sorted(KINDS)]
    assert (found["observations"], found["statements"]) == (22, 18)


async def test_what_is_seen_becomes_an_item_of_the_collection(world: World, robot: Robot) -> None:
    told = await robot.see(paint(500), object="track-1", seen_at="2026-02-03T04:05:06Z", place="belt 1")
    item = (await robot.client.get(f"/api/v1/items/{told['item']}")).json()
    assert item["name"] == "track-1" and item["attributes"]["place"] == "belt 1" and "04:05:06" in item["taken_at"]
    assert (await robot.client.get(f"/api/v1/media/{told['item']}")).status_code == 200
    again = await robot.see(paint(500), object="track-2")
    assert again["item"] == told["item"] and again["id"] != told["id"]


async def test_an_item_of_the_collection_can_be_seen_and_one_of_another_cannot(world: World, robot: Robot) -> None:
    told = await robot.see(item=world.items[3])
    assert told["item"] == world.items[3]
    assert "no item with id" in (await robot.see(item=999_999, status=404))["detail"]


async def test_a_form_with_the_file_does_as_well(world: World, robot: Robot) -> None:
    headers, files = {"idempotency-key": "form"}, {"image": ("a.png", look_at("red", 7))}
    where = f"{PATH}/{robot.session}/observations"
    reply = await robot.client.post(where, files=files, data={"object": "mug", "place": "table"}, headers=headers)
    assert reply.status_code == 201 and reply.json()["object"] == "mug" and reply.json()["place"] == "table"
    empty = await robot.client.post(where, files={"other": ("a", b"x")}, headers=headers)
    assert empty.status_code == 422 and "as `image`" in empty.json()["detail"]


async def test_what_is_placed_is_a_same_answer_with_what_lies_there_and_never_a_different_one(
    world: World, robot: Robot
) -> None:
    await teach(robot, 3)
    with world.database.read() as s:
        said = feedback.statements(s, world.criterion)
    assert len(said) == 3 * 2 and {one.verdict for one in said} == {Verdict.SAME}
    assert {one.source for one in said} == {"robot"}


async def test_a_correction_takes_back_what_followed_from_the_wrong_bin(world: World, robot: Robot) -> None:
    seen = [await robot.see(look_at("red", number), object=f"t{number}") for number in range(4)]
    for one in seen[:3]:
        await robot.put("red", object=one["object"])
    moved = await robot.put("green", object="t1", kind="correction")
    assert moved["supersedes"] and moved["kind"] == "correction"
    with world.database.read() as s:
        pairs = {frozenset((one.a, one.b)) for one in feedback.statements(s, world.criterion)}
        assert placements.bins(s, world.criterion) == {"green": 1, "red": 2}
    assert pairs == {frozenset((seen[0]["item"], seen[2]["item"]))}, "t2 leans on t0 now, not on t1"
    again = await robot.see(look_at("red", 50), object="t1")
    assert (again["action"], again["bin"], again["known"]) == ("sort", "green", True)
    back = await robot.put(None, object="t1", kind="abstention")
    assert back["supersedes"] == moved["id"] and not (await robot.see(look_at("red", 51), object="t1"))["known"]
    assert "nothing to correct" in (await robot.put("red", 409, object="t3", kind="correction"))["detail"]


async def test_the_same_key_gets_the_same_reply_and_changes_nothing(world: World, robot: Robot) -> None:
    await teach(robot, 2)
    picture = {"image": base64.b64encode(look_at("blue", 77)).decode(), "object": "x"}
    first = await robot.post(f"/{robot.session}/observations", key="k", **picture)
    await robot.put("green", object="x", key="p")
    again = await robot.post(f"/{robot.session}/observations", key="k", **picture)
    assert again == first, "also after it was placed: the reply of the first time"
    assert await robot.put("green", object="x", key="p") == await robot.put("green", object="x", key="p")
    other = await robot.post(f"/{robot.session}/observations", 422, key="k", **{**picture, "object": "y"})
    assert "used for something else" in other["detail"]
    await robot.post(f"/{robot.session}/close", 200)
    assert await robot.post(f"/{robot.session}/observations", key="k", **picture) == first, "a retry after the end"
    assert (await robot.post("", key="arm-1", criterion="shape", name="arm"))["id"] == robot.session
    with world.database.read() as s:
        said = [one for one in placements.page(s, robot.session, None, 99) if one.object == "x"]
        told = [one.payload["what"] for one in events.since(s, 0) if one.kind == "session"]
    assert len(said) == 1 and told.count("opened") == 1 and told[-1] == "closed"


async def test_a_paused_session_takes_nothing_and_a_closed_one_never_again(world: World, robot: Robot) -> None:
    for _ in range(2):
        assert (await robot.post(f"/{robot.session}/pause", 200))["state"] == "paused"
    assert "is paused" in (await robot.see(look_at("red", 1), status=409))["detail"]
    assert (await robot.post(f"/{robot.session}/resume", 200))["state"] == "open"
    await robot.see(look_at("red", 1), object="a")
    assert (await robot.post(f"/{robot.session}/close", 200))["state"] == "closed"
    assert "is closed" in (await robot.put("red", 409, object="a"))["detail"]
    assert "is closed" in (await robot.post(f"/{robot.session}/resume", 409))["detail"]


async def test_what_makes_no_sense_is_refused_in_a_sentence(world: World, robot: Robot) -> None:
    seen = await robot.see(look_at("red", 1), object="a")
    for body, word in (
        ({}, "either image or item"),
        ({"image": "???"}, "base64"),
        ({"image": base64.b64encode(b"no picture").decode()}, "cannot be used: not a picture"),
        ({"image": ""}, "it is empty"),
        ({"item": world.items[0], "colour": "red"}, "colour"),
    ):
        assert word in (await robot.post(f"/{robot.session}/observations", 422, **body))["detail"], body
    for body, status, word in (
        ({"bin": "red"}, 422, "observation or object says"),
        ({"bin": None, "object": "a"}, 422, "needs the bin"),
        ({"bin": "red", "object": "a", "kind": "abstention"}, 422, "names no bin"),
        ({"bin": "red", "object": "b"}, 404, "has seen no object 'b'"),
        ({"bin": "red", "observation": 99_999}, 404, "no observation"),
    ):
        assert word in (await robot.post(f"/{robot.session}/placements", status, **body))["detail"], body
    other = Robot(robot.client, "other")
    await other.begin()
    assert "has no such observation" in (await other.put("red", 404, observation=seen["id"]))["detail"]
    reply = await robot.client.post(f"{PATH}/{robot.session}/placements", json={"object": "a", "bin": "red"})
    assert reply.status_code == 422 and "Idempotency-Key is missing" in reply.json()["detail"]


async def test_robots_and_people_work_on_one_criterion_at_once(world: World, glass: Glass) -> None:
    async with world.as_role("robot") as one, world.as_role("annotator") as two, world.as_role("curator") as three:
        workers = [Robot(client, name) for client, name in ((one, "arm"), (two, "ann"), (three, "cleo"))]
        async with anyio.create_task_group() as tasks:
            for worker in workers:
                tasks.start_soon(_work, worker)
        told = await workers[1].see(look_at("green", 500))
    assert (told["action"], told["bin"]) == ("sort", "green")
    with world.database.read() as s:
        assert placements.bins(s, world.criterion) == dict.fromkeys(sorted(KINDS), 12)


async def _work(robot: Robot) -> None:
    """Twelve things, with the same track ids as every other robot uses."""
    await robot.begin()
    offset = 100 * (1 + ["arm", "ann", "cleo"].index(robot.name))
    for number in range(4):
        for kind in KINDS:
            await robot.see(look_at(kind, offset + number), object=f"{kind}-{number}")
            await robot.put(kind, object=f"{kind}-{number}")


async def test_a_new_process_knows_what_the_old_one_knew(world: World, robot: Robot) -> None:
    await teach(robot)
    told = await robot.see(look_at("blue", 70))
    glass, context = sorters(world).eye, world.app.state.context  # type: ignore[attr-defined]
    looked = glass.looked  # type: ignore[attr-defined]
    fresh = Sorters(world.settings, world.database, glass)
    object.__setattr__(context, "sorters", fresh)
    again = await robot.see(look_at("blue", 70))
    assert next(one["bin"] for one in again["ranking"]) == "blue" == told["bin"]
    assert again["confidence"] == pytest.approx(told["confidence"], abs=0.02), "weights may be fitted a little later"
    assert glass.looked == looked, "nothing is looked at twice"  # type: ignore[attr-defined]


async def test_damaged_features_are_computed_again(world: World, robot: Robot) -> None:
    told = await robot.see(look_at("red", 1))
    (kept,) = (world.settings.folder / "features" / "seen").rglob("*.f16")
    kept.write_bytes(b"\0" + kept.read_bytes()[1:])
    assert (await robot.see(item=told["item"]))["item"] == told["item"]


async def test_lists_come_in_pages(world: World, robot: Robot) -> None:
    await teach(robot, 2)
    for what, rows in (("observations", 6), ("placements", 6)):
        seen: list[int] = []
        query: dict[str, Any] = {"limit": 4}
        while True:
            page = (await robot.client.get(f"{PATH}/{robot.session}/{what}", params=query)).json()
            seen += [one["id"] for one in page[what]]
            if page["next"] is None:
                break
            query["before"] = page["next"]
        assert len(seen) == rows and seen == sorted(seen, reverse=True)
    for number in range(2):
        await Robot(robot.client, f"more-{number}").begin()
    page = (await robot.client.get(PATH, params={"criterion": "shape", "limit": 2})).json()
    rest = (await robot.client.get(PATH, params={"before": page["next"]})).json()
    assert [one["name"] for one in page["sessions"] + rest["sessions"]] == ["more-1", "more-0", "arm"]

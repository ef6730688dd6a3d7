"""The client, against a served app over a network that loses replies: each thing is done once, errors say why."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from app.api import typed
from app.client import Client, Refused, Unreachable
from app.server import create_app, listen
from db import audit, events, feedback, jobs
from tests.app.conftest import World, paint
from tests.app.test_versions import keep_snapshot


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The world's app, served on a port of this machine."""
    door = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(world.app, lifespan="off", log_level="error", timeout_graceful_shutdown=1))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    yield f"http://127.0.0.1:{door.getsockname()[1]}"
    world.app.state.context.hub.closing = True  # type: ignore[attr-defined]
    server.should_exit = True
    thread.join()
    door.close()


class Lossy(httpx.HTTPTransport):
    """A network on which every second reply gets lost after the server has done its work."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        reply = super().handle_request(request)
        if self.sent % 2:
            reply.read()
            raise httpx.ReadError("the line went dead")
        return reply


def test_answers_are_stored_once_however_often_replies_get_lost(world: World, address: str) -> None:
    network = Lossy()
    with Client(address, world.tokens["annotator"], transport=network) as client:
        given = []
        while claimed := client.claim("shape", 2, kinds=["pair"]):
            given += [client.answer(one, ["same"] * len(one["candidates"]), seconds=1) for one in claimed]
        assert network.sent >= 2 * (len(given) + 2)
        assert client.undo(given[0])["undone"] == given[0]["id"] and client.undo(given[0]["id"])
        standing = [one["id"] for one in client.answers("shape")]
    with world.database.read() as s:
        logged = [one for one in feedback.log(s, world.criterion) if one.kind == "answer"]
    assert sorted(one.id for one in logged) == sorted(one["id"] for one in given) and len(given) == 3
    assert standing == [one["id"] for one in reversed(given[1:])]


def test_other_writes_are_done_once_too(world: World, address: str) -> None:
    with Client(address, world.tokens["curator"], transport=Lossy()) as client:
        made = client.add_criterion("colour", "shapes", "Same colour?")
        job = client.upload("more", [("a.png", paint(1)), ("b.png", paint(2))])
        assert made in list(client.criteria("shapes")) and client.job(job["id"])["kind"] == "import"
    with world.database.read() as s:
        done = [one.action for one in audit.page(s)]
    assert done.count("add criterion") == 1 and done.count("import") == 1


def test_how_pictures_are_kept_is_said_with_the_import(world: World, address: str, tmp_path: Path) -> None:
    with Client(address, world.tokens["admin"]) as client:
        made = [
            client.upload("more", [("a.png", paint(1))], packed=True),
            client.import_path("more", tmp_path, in_place=True),
            client.import_path("more", tmp_path),
        ]
    with world.database.read() as s:
        asked = [jobs.job(s, one["id"]).payload for one in made]
    assert [(one["packed"], one.get("in_place", False)) for one in asked] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert asked[1]["source"] == asked[2]["source"] == str(tmp_path)


def test_a_refusal_carries_the_sentence_and_is_not_sent_again(world: World, address: str) -> None:
    with Client(address, world.tokens["viewer"]) as client:
        with pytest.raises(Refused, match="needs the role annotator") as refused:
            client.claim("shape")
        assert (refused.value.status, refused.value.type) == (403, "urn:pairwright:problem:forbidden")
        with pytest.raises(Refused) as misread:
            client.get("items", collection="shapes", limit=5000)
        assert misread.value.errors[0]["field"] == "limit"
    with Client(address, "nobody") as stranger, pytest.raises(Refused, match="sign in first"):
        stranger.me()


def test_a_server_that_is_gone_is_said_after_the_last_try() -> None:
    door = listen("127.0.0.1", 0)
    port = door.getsockname()[1]
    door.close()
    with Client(f"http://127.0.0.1:{port}", "t", tries=2) as client, pytest.raises(Unreachable, match="no reply from"):
        client.me()


def test_a_client_that_is_too_fast_waits_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    replies = iter([httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200, json={"name": "a"})])
    waited: list[float] = []
    monkeypatch.setattr("app.client.time.sleep", waited.append)
    with Client("http://x.test", "t", transport=httpx.MockTransport(lambda _: next(replies))) as client:
        assert client.me() == {"name": "a"} and waited == [7.0]


def test_everything_that_can_be_looked_at(world: World, address: str) -> None:
    keep_snapshot(world, world.settings.folder)
    with Client(address, world.tokens["viewer"]) as client:
        assert client.me() == {"name": "viewer", "role": "viewer"}
        assert [one["name"] for one in client.collections()] == ["shapes"]
        items = list(client.items("shapes"))
        assert [one["id"] for one in items] == world.items and client.item(items[0]["id"]) == items[0]
        assert client.picture(items[0]["id"], 128)[:4] == b"RIFF"
        near = client.neighbours(items[4]["id"], "shape", 2)["neighbours"]
        assert {one["item"]["id"] for one in near} == {items[2]["id"], items[6]["id"]}
        assert sum(one["size"] for one in client.groups("shape")) == 24
        assert client.search("shape", [items[4]["id"]], limit=3)["results"]
        assert [one["status"] for one in client.versions("shape")] == ["promoted"]
        assert client.progress("shape")["answers"] == 0 and client.quality("shape")["answers"] == 0


def test_a_table_is_written_whole(world: World, address: str, tmp_path: Path) -> None:
    keep_snapshot(world, world.settings.folder)
    with Client(address, world.tokens["curator"], transport=Lossy()) as client:
        assert client.export("groups", "shape", tmp_path / "groups.csv") == len(world.items)
        with pytest.raises(Refused, match="captions"):
            client.export("captions", "shape", tmp_path / "captions.csv")
    assert len((tmp_path / "groups.csv").read_text().splitlines()) == len(world.items) + 1
    assert [one.name for one in tmp_path.glob("*.csv*")] == ["groups.csv"]


def test_events_go_on_where_they_stopped(world: World, address: str) -> None:
    with world.database.write() as s:
        for number in range(3):
            events.publish(s, "training", {"number": number}, world.criterion)
    with Client(address, world.tokens["viewer"]) as client:
        stream = client.events(after=0)
        seen = [next(stream) for _ in range(2)]
        stream.close()  # type: ignore[attr-defined]
        again = client.events(after=seen[-1]["id"])
        assert next(again)["number"] == 2
        again.close()  # type: ignore[attr-defined]
    assert [one["number"] for one in seen] == [0, 1] and {one["kind"] for one in seen} == {"training"}


def test_waiting_for_a_job_has_an_end(world: World, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.client.time.sleep", lambda _: None)
    with Client(address, world.tokens["curator"]) as client:
        job = client.upload("more", [("a.png", paint(1))])
        with pytest.raises(TimeoutError, match="is still queued"):
            client.wait(job, timeout_s=0)
        client.post(f"jobs/{job['id']}/cancel")
        assert client.wait(job)["status"] == "cancelled"


def test_the_code_of_the_how_to_runs(world: World, address: str, tmp_path: Path) -> None:
    keep_snapshot(world, world.settings.folder)
    page = (
        (Path(__file__).parents[2] / "docs" / "program.md").read_text(encoding="utf-8").replace('"material"', '"shape"')
    )
    (tmp_path / "a.png").write_bytes(paint(3))
    with world.database.write() as s:
        events.publish(s, "promotion", {}, world.criterion)
    given = {
        "ADDRESS": address, "TOKEN": world.tokens["robot"], "CURATOR": world.tokens["curator"],
        "FOLDER": tmp_path, "alike": lambda a, b: a % 2 == b % 2,
    }  # fmt: skip
    answering, listening, uploading = re.findall(r"```python\n(.*?)```", page, re.S)
    exec(answering, dict(given))  # noqa: S102 - our own page
    exec(listening.replace("events()", "events(after=0)"), dict(given))  # noqa: S102
    exec(uploading.replace("pairwright.wait(job)", "job"), dict(given))  # noqa: S102
    with world.database.read() as s:
        assert len(feedback.log(s, world.criterion)) == 6


def test_the_client_needs_nothing_but_httpx() -> None:
    heavy = "{'pydantic', 'fastapi', 'sqlalchemy', 'torch', 'numpy', 'gradio', 'db', 'trainer', 'oracle'}"
    code = f"import app.client, sys; found = {heavy} & set(sys.modules); sys.exit(str(found) if found else 0)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_types_of_the_client_are_those_of_the_server(world: World) -> None:
    written = typed.text(create_app(world.settings, database=world.database).openapi())
    ruff = [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", "app/client_shapes.py"]
    formatted = subprocess.run(ruff, input=written, capture_output=True, text=True, check=True, timeout=60).stdout
    with open(typed.__file__.replace("api/typed.py", "client_shapes.py"), encoding="utf-8") as file:  # noqa: PTH123
        assert file.read() == formatted, "run python -m app.api.typed > app/client_shapes.py, then make format"

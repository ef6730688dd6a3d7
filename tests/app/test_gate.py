"""The door: who comes in, what another site cannot make a browser do, and what every reply carries."""

import re
import socket
from collections.abc import AsyncIterator

import pytest

from app.auth import COOKIE
from app.login import here_only
from app.server import LocalWelcome, first_admin, listen
from db import users
from db.errors import Refused
from tests.app.conftest import World
from tests.measured import tell

pytestmark = pytest.mark.anyio
HOST = "http://pairwright.test"
PASSWORD = "correct horse"

# Headers of a write as a browser would send them, and whether the write may pass.
SENDERS = {
    "our own page": ({"origin": HOST, "sec-fetch-site": "same-origin"}, True),
    "our own page, old browser": ({"origin": HOST}, True),
    "another site": ({"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, False),
    "another site, old browser": ({"origin": "https://evil.example"}, False),
    "another port of this machine": ({"origin": "http://pairwright.test:9999", "sec-fetch-site": "same-site"}, False),
    "a sandboxed frame": ({"origin": "null"}, False),
    "a name that begins like ours": ({"origin": "http://pairwright.test.evil.example"}, False),
    "a lie about the origin": ({"origin": HOST, "sec-fetch-site": "cross-site"}, False),
    "nobody knows whence": ({}, False),
}
WRITES = ["/api/v1/questions/claim", "/api/v1/answers", "/gradio_api/queue/join", "/gradio_api/run/predict", "/logout"]


async def in_pieces(megabytes: int) -> AsyncIterator[bytes]:
    """A body that does not announce its length."""
    for _ in range(megabytes):
        yield b" " * 2**20


async def cookie_of(world: World, name: str = "annotator") -> str:
    """Sign in as a browser does; the session token."""
    async with world.as_role(None) as client:
        reply = await client.post("/login", data={"name": name, "password": PASSWORD}, headers={"origin": HOST})
    assert reply.status_code == 303, reply.text
    header = reply.headers["set-cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    return header.split("=", 1)[1].split(";")[0]


@pytest.mark.parametrize("sender", SENDERS)
async def test_only_our_own_pages_can_write_with_a_cookie(world: World, sender: str) -> None:
    headers, passes = SENDERS[sender]
    token = await cookie_of(world)
    async with world.as_role(None) as client:
        for route in WRITES:
            reply = await client.post(route, json={}, headers={**headers, "cookie": f"{COOKIE}={token}"})
            refused = reply.status_code == 403 and "another site" in reply.text
            assert refused is not passes, route


async def test_no_write_of_the_whole_api_is_open_to_another_site(world: World) -> None:
    token = await cookie_of(world, "admin")
    foreigners = [headers for headers, passes in SENDERS.values() if not passes]
    async with world.as_role(None) as client:
        document = (await client.get("/openapi.json")).json()
        writes = [
            (method, path)
            for path, methods in document["paths"].items()
            for method in methods
            if method in ("post", "put", "patch", "delete")
        ]
        assert len(writes) > 30
        for method, path in writes:
            for headers in foreigners:
                sent = {**headers, "cookie": f"{COOKIE}={token}"}
                reply = await client.request(method, re.sub(r"{[^}]+}", "1", path), json={}, headers=sent)
                assert reply.status_code == 403 and "another site" in reply.text, (method, path, headers)
    tell(13, writes=len(writes), kinds_of_foreign_senders=len(foreigners), accepted=0)


async def test_no_other_origin_is_allowed_to_read(world: World) -> None:
    token = await cookie_of(world)
    headers = {"origin": "https://evil.example", "cookie": f"{COOKIE}={token}"}
    async with world.as_role(None) as client:
        for route in ("/api/v1/criteria", "/config", "/"):
            reply = await client.get(route, headers=headers)
            assert "access-control-allow-origin" not in reply.headers, route
        asked = {**headers, "access-control-request-method": "POST"}
        assert "access-control-allow-origin" not in (await client.options("/api/v1/answers", headers=asked)).headers


async def test_a_stranger_is_shown_the_way_in_and_a_program_a_problem(world: World) -> None:
    async with world.as_role(None) as client:
        page = await client.get("/", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/login?next=/")
        for route in ("/config", "/gradio_api/info", "/api/v1/items", "/media/1", "/metrics"):
            assert (await client.get(route)).status_code == 401, route


async def test_the_files_gradio_could_serve_or_take_are_out_of_reach(world: World) -> None:
    async with world.as_role("admin") as client:
        for route in ("/gradio_api/file=/etc/passwd", "/gradio_api/proxy=http://10.0.0.1/", "/monitoring"):
            assert (await client.get(route)).status_code == 404, route
        assert (await client.post("/gradio_api/upload", files={"files": b"x"})).status_code == 404


async def test_every_page_may_load_from_this_server_only(world: World) -> None:
    async with world.as_role("viewer") as client:
        reply = await client.get("/")
    assert reply.status_code == 200
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"


async def test_a_session_ends_with_signing_out(world: World) -> None:
    token = await cookie_of(world)
    headers = {"cookie": f"{COOKIE}={token}", "origin": HOST}
    async with world.as_role(None) as client:
        assert (await client.get("/api/v1/me", headers=headers)).json() == {"name": "annotator", "role": "annotator"}
        assert (await client.post("/logout", headers=headers)).status_code == 303
        assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_guessing_passwords_is_slowed_down(world: World) -> None:
    async with world.as_role(None) as client:
        wrong = [
            (await client.post("/login", data={"name": "admin", "password": f"guess {n}"}, headers={"origin": HOST}))
            for n in range(25)
        ]
        right = await client.post("/login", data={"name": "admin", "password": PASSWORD}, headers={"origin": HOST})
    assert {one.status_code for one in wrong[:20]} == {403}
    assert {one.status_code for one in wrong[20:]} == {429}
    assert right.status_code == 429
    assert "set-cookie" not in right.headers
    tell(17, wrong_guesses=len(wrong), made_to_wait_after=20, let_in=0)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb"]
)
def test_signing_in_never_leads_to_another_site(wanted: str) -> None:
    assert here_only(wanted) == "/"


async def test_the_login_page_shows_what_it_was_given_as_text(world: World) -> None:
    async with world.as_role(None) as client:
        page = await client.get("/login", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text


async def test_a_body_over_the_limit_is_refused_before_it_is_read(world: World) -> None:
    async with world.as_role("annotator") as client:
        reply = await client.post("/api/v1/answers", content=b" " * (9 * 2**20))
        unannounced = await client.post("/api/v1/answers", content=in_pieces(9))
    assert (reply.status_code, unannounced.status_code) == (413, 413)


@pytest.mark.parametrize(
    ("peer", "host", "more", "welcome"),
    [
        ("127.0.0.1", "localhost:7860", {}, True),
        ("::1", "[::1]:7860", {}, True),
        ("127.0.0.1", "rebound.example", {}, False),
        ("192.168.1.7", "localhost", {}, False),
        ("127.0.0.1", "localhost", {"x-forwarded-for": "8.8.8.8"}, False),
    ],
)
def test_the_demo_welcomes_only_a_browser_on_this_machine(peer: str, host: str, more: dict, welcome: bool) -> None:
    from fastapi import Request

    headers = [(name.encode(), value.encode()) for name, value in {"host": host, **more}.items()]
    request = Request({"type": "http", "client": (peer, 1), "headers": headers, "method": "GET", "path": "/"})
    assert (LocalWelcome("pw_x")(request) is not None) is welcome


def test_the_door_is_named_as_tcp_so_that_replies_are_not_delayed() -> None:
    with listen("127.0.0.1", 0) as door:
        assert door.proto == socket.IPPROTO_TCP
        with pytest.raises(Refused, match="Choose another with --port"):
            listen("127.0.0.1", door.getsockname()[1])


def test_the_first_start_makes_an_admin_and_the_second_does_not(tmp_path) -> None:
    from app.settings import Settings

    database = Settings(tmp_path / "workspace").open()
    password = first_admin(database)
    assert password
    assert first_admin(database) is None
    with database.write() as s:
        assert users.whoami(s, users.login(s, "admin", password)).role == "admin"
    database.close()

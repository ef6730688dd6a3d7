"""Errors are problem documents with one useful sentence; what a user wrote is never a page of ours."""

import pytest

from app.api.problems import MEDIA_TYPE
from app.server import create_app
from tests.app.conftest import World

pytestmark = pytest.mark.anyio
PAYLOADS = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{constructor.constructor('alert(1)')()}}"]

BAD = [
    ("GET", "/api/v1/nothing", None, 404),
    ("GET", "/api/v1/items/0", None, 422),
    ("GET", "/api/v1/items/9007199254740992", None, 422),
    ("GET", "/api/v1/items/999999", None, 404),
    ("GET", "/api/v1/media/1?size=77", None, 422),
    ("GET", "/api/v1/answers?criterion=nonesuch", None, 404),
    ("POST", "/api/v1/questions/claim", {"criterion": "shape", "cuont": 3}, 422),
    ("POST", "/api/v1/questions/claim", {"criterion": "shap"}, 404),
    ("POST", "/api/v1/questions/claim", {"criterion": "shape", "kind": "riddle"}, 422),
    ("POST", "/api/v1/answers", {"question": 1, "verdicts": []}, 422),
    ("POST", "/api/v1/answers/424242/undo", {}, 404),
    ("POST", "/api/v1/versions/424242/promote", {}, 404),
    ("POST", "/api/v1/imports", {"collection": "x", "path": "relative/path"}, 422),
    ("POST", "/api/v1/imports", {"collection": "x", "path": "/no/such/folder"}, 422),
    ("POST", "/api/v1/criteria", {"name": "x", "collection": "nonesuch", "prompt": "Same?"}, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), BAD)
async def test_bad_input_gets_a_problem_document(
    world: World, method: str, path: str, body: object, status: int
) -> None:
    headers = {"Idempotency-Key": "k"}
    async with world.as_role("admin") as client:
        reply = await client.request(method, path, json=body, headers=headers)
    problem = reply.json()
    assert (reply.status_code, problem["status"]) == (status, status)
    assert reply.headers["content-type"] == MEDIA_TYPE
    assert problem["title"]
    assert len(problem["detail"]) > 10


async def test_a_misspelt_name_is_answered_with_the_right_one(world: World) -> None:
    async with world.as_role("annotator") as client:
        reply = await client.post("/api/v1/questions/claim", json={"criterion": "shap"})
    assert "Did you mean 'shape'?" in reply.json()["detail"]


async def test_our_own_fault_is_told_without_its_traceback(world: World) -> None:
    app = create_app(world.settings, database=world.database)

    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    app.router.routes.clear()
    app.add_api_route("/healthz", broken)
    world.app = app
    async with world.as_role(None) as client:
        reply = await client.get("/healthz")
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert reply.headers["content-type"] == MEDIA_TYPE


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_what_a_user_wrote_never_comes_back_as_html(world: World, payload: str) -> None:
    async with world.as_role("curator") as curator:
        added = await curator.post(
            "/api/v1/criteria", json={"name": payload[:80], "collection": "shapes", "prompt": payload}
        )
        listed = await curator.get("/api/v1/criteria")
        missing = await curator.get("/api/v1/answers", params={"criterion": payload + "?"})
        page = await curator.get("/", headers={"accept": "text/html"})
    assert added.status_code == 201
    for reply in (added, listed, missing):
        assert "json" in reply.headers["content-type"]
    assert payload not in page.text

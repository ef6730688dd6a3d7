"""A token with scopes opens only what they name, whatever its owner's role allows."""

import httpx
import pytest

from app.auth import SCOPE_OF_TAG
from db import users
from db.errors import BadInput
from db.scopes import SCOPES, scopes
from tests.app.conftest import World
from tests.app.test_roles import WHO

pytestmark = pytest.mark.anyio
PATH = "/api/v1"


def limited(world: World, *only: str) -> httpx.AsyncClient:
    """A program with an admin's token that is good for these scopes alone."""
    with world.database.write() as s:
        token = users.issue_token(s, "admin", "limited", only=only)
    transport = httpx.ASGITransport(app=world.app)  # type: ignore[arg-type]
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=transport, base_url="http://pairwright.test", headers=headers)


async def scope_by_route(world: World) -> dict[tuple[str, str], str]:
    """What every documented route asks for, read off its tag."""
    async with world.as_role(None) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    return {
        (method.upper(), path): "read" if method == "get" else SCOPE_OF_TAG[about["tags"][0]]
        for path, methods in paths.items()
        for method, about in methods.items()
    }


@pytest.mark.parametrize("scope", list(SCOPES))
async def test_a_scope_opens_its_routes_and_no_other(world: World, scope: str) -> None:
    asked = await scope_by_route(world)
    assert set(asked) == set(WHO)
    async with limited(world, scope) as client:
        for (method, path), wanted in asked.items():
            if path in (f"{PATH}/events", f"{PATH}/healthz", f"{PATH}/readyz"):
                continue
            upload = {"files": {"files": ("x.png", b"x")}} if path.endswith("/imports") else {"json": {}}
            reply = await client.request(method, path.replace("{id}", "999"), **(upload if method == "POST" else {}))
            refused = reply.status_code == 403 and "scope" in reply.json()["detail"]
            assert refused is (wanted != scope), f"{scope} {method} {path}: {reply.status_code} {reply.text}"


async def test_scopes_never_widen_a_role(world: World) -> None:
    async with world.as_role("admin") as admin:
        found = (await admin.get(f"{PATH}/users")).json()["users"]
        number = next(one["id"] for one in found if one["name"] == "viewer")
        issued = await admin.post(f"{PATH}/users/{number}/tokens", json={"label": "x", "scopes": ["admin", "read"]})
        kept = (await admin.get(f"{PATH}/users/{number}/tokens")).json()["tokens"]
    assert kept[0]["scopes"] == ["read", "admin"] and kept[-1]["scopes"] is None
    world.tokens["limited"] = issued.json()["token"]
    async with world.as_role("limited") as client:
        assert (await client.get(f"{PATH}/me")).status_code == 200
        refused = await client.get(f"{PATH}/users")
        assert refused.status_code == 403 and "role admin" in refused.json()["detail"]


async def test_an_unknown_scope_is_refused(world: World) -> None:
    async with world.as_role("admin") as admin:
        reply = await admin.post(f"{PATH}/users/1/tokens", json={"label": "x", "scopes": ["root"]})
        assert reply.status_code == 422
        assert (await admin.post(f"{PATH}/users/1/tokens", json={"label": "x", "scopes": []})).status_code == 422
    with pytest.raises(BadInput, match="some of read, answer, import, train, admin, got 'root'"):
        scopes(["root"])

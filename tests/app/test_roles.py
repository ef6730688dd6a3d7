"""Role by route: every route of the OpenAPI document is either open to a role or refused, as this table says."""

import pytest

from tests.app.conftest import ROLES, World
from tests.measured import tell

pytestmark = pytest.mark.anyio
VIEWERS, ADMINS = set(ROLES), {"admin"}
ANSWERERS, CURATORS = {"annotator", "robot", "curator", "admin"}, {"curator", "admin"}

WHO = {
    ("GET", "/api/v1/healthz"): VIEWERS | {None},
    ("GET", "/api/v1/readyz"): VIEWERS | {None},
    ("GET", "/api/v1/metrics"): VIEWERS,
    ("GET", "/api/v1/me"): VIEWERS,
    ("POST", "/api/v1/questions/claim"): ANSWERERS,
    ("GET", "/api/v1/questions/{id}"): VIEWERS,
    ("POST", "/api/v1/questions/{id}/renew"): ANSWERERS,
    ("POST", "/api/v1/questions/{id}/release"): ANSWERERS,
    ("POST", "/api/v1/answers"): ANSWERERS,
    ("GET", "/api/v1/answers"): VIEWERS,
    ("POST", "/api/v1/answers/{id}/undo"): ANSWERERS,
    ("GET", "/api/v1/items"): VIEWERS,
    ("GET", "/api/v1/items/{id}"): VIEWERS,
    ("GET", "/api/v1/items/{id}/neighbours"): VIEWERS,
    ("GET", "/api/v1/media/{id}"): VIEWERS,
    ("GET", "/api/v1/groups"): VIEWERS,
    ("GET", "/api/v1/groups/of/{id}"): VIEWERS,
    ("GET", "/api/v1/groups/of/{id}/ids"): VIEWERS,
    ("GET", "/api/v1/groups/evidence"): VIEWERS,
    ("POST", "/api/v1/groups/answer"): ANSWERERS,
    ("POST", "/api/v1/groups/merge"): ANSWERERS,
    ("POST", "/api/v1/groups/names"): ANSWERERS,
    ("GET", "/api/v1/versions"): VIEWERS,
    ("GET", "/api/v1/versions/{id}"): VIEWERS,
    ("POST", "/api/v1/versions/{id}/promote"): CURATORS,
    ("POST", "/api/v1/versions/{id}/rollback"): CURATORS,
    ("GET", "/api/v1/runs"): VIEWERS,
    ("GET", "/api/v1/collections"): VIEWERS,
    ("POST", "/api/v1/collections"): CURATORS,
    ("GET", "/api/v1/criteria"): VIEWERS,
    ("POST", "/api/v1/criteria"): CURATORS,
    ("POST", "/api/v1/imports"): CURATORS,
    ("GET", "/api/v1/exports/{table}"): CURATORS,
    ("GET", "/api/v1/exports/audit"): ADMINS,
    ("GET", "/api/v1/jobs"): VIEWERS,
    ("GET", "/api/v1/jobs/{id}"): VIEWERS,
    ("POST", "/api/v1/jobs/{id}/cancel"): CURATORS,
    ("GET", "/api/v1/progress"): VIEWERS,
    ("GET", "/api/v1/dropped"): VIEWERS,
    ("GET", "/api/v1/quality"): VIEWERS,
    ("POST", "/api/v1/quality/measure"): ANSWERERS,
    ("POST", "/api/v1/quality/forecast"): ANSWERERS,
    ("GET", "/api/v1/compare"): VIEWERS,
    ("POST", "/api/v1/compare"): ANSWERERS,
    ("POST", "/api/v1/compare/cancel"): ANSWERERS,
    ("POST", "/api/v1/compare/grade"): ANSWERERS,
    ("GET", "/api/v1/refresh"): VIEWERS,
    ("POST", "/api/v1/refresh"): CURATORS,
    ("POST", "/api/v1/refresh/cancel"): CURATORS,
    ("GET", "/api/v1/conflicts"): VIEWERS,
    ("POST", "/api/v1/conflicts/answer"): ANSWERERS,
    ("GET", "/api/v1/users"): ADMINS,
    ("POST", "/api/v1/users"): ADMINS,
    ("POST", "/api/v1/users/{id}"): ADMINS,
    ("POST", "/api/v1/users/{id}/password"): ADMINS,
    ("GET", "/api/v1/users/{id}/tokens"): ADMINS,
    ("POST", "/api/v1/users/{id}/tokens"): ADMINS,
    ("POST", "/api/v1/tokens/{id}/revoke"): ADMINS,
    ("GET", "/api/v1/audit"): ADMINS,
    ("GET", "/api/v1/backups"): ADMINS,
    ("POST", "/api/v1/backups"): ADMINS,
    ("POST", "/api/v1/backups/{id}/verify"): ADMINS,
    ("GET", "/api/v1/map"): VIEWERS,
    ("GET", "/api/v1/map/points"): VIEWERS,
    ("GET", "/api/v1/map/colours"): VIEWERS,
    ("GET", "/api/v1/map/columns"): VIEWERS,
    ("POST", "/api/v1/map"): ANSWERERS,
    ("POST", "/api/v1/map/cancel"): ANSWERERS,
    ("GET", "/api/v1/search"): VIEWERS,
    ("POST", "/api/v1/search"): VIEWERS,
    ("POST", "/api/v1/search/picture"): VIEWERS,
    ("GET", "/api/v1/items/some"): VIEWERS,
    ("GET", "/api/v1/items/named"): VIEWERS,
    ("POST", "/api/v1/answers/about"): ANSWERERS,
    ("POST", "/api/v1/questions/about"): ANSWERERS,
    ("POST", "/api/v1/sessions"): ANSWERERS,
    ("GET", "/api/v1/sessions"): VIEWERS,
    ("GET", "/api/v1/sessions/{id}"): VIEWERS,
    ("POST", "/api/v1/sessions/{id}/pause"): ANSWERERS,
    ("POST", "/api/v1/sessions/{id}/resume"): ANSWERERS,
    ("POST", "/api/v1/sessions/{id}/close"): ANSWERERS,
    ("POST", "/api/v1/sessions/{id}/observations"): ANSWERERS,
    ("GET", "/api/v1/sessions/{id}/observations"): VIEWERS,
    ("POST", "/api/v1/sessions/{id}/placements"): ANSWERERS,
    ("GET", "/api/v1/sessions/{id}/placements"): VIEWERS,
    ("GET", "/api/v1/synthetic"): VIEWERS,
    ("GET", "/api/v1/synthetic/{id}"): VIEWERS,
    ("GET", "/api/v1/synthetic/{id}/picture"): VIEWERS,
    ("POST", "/api/v1/synthetic/{id}/verdict"): ANSWERERS,
    ("GET", "/api/v1/events"): VIEWERS,
}


async def routes(world: World) -> set[tuple[str, str]]:
    """Every documented (method, path)."""
    async with world.as_role(None) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


async def test_every_route_is_in_the_table(world: World) -> None:
    assert await routes(world) == set(WHO)


@pytest.mark.parametrize("role", [*ROLES, None])
async def test_a_role_reaches_exactly_its_routes(world: World, role: str | None) -> None:
    async with world.as_role(role) as client:
        for (method, path), allowed in WHO.items():
            if path == "/api/v1/events" and role in allowed:
                continue  # it never ends: see test_events
            upload = {"files": {"files": ("x.png", b"x")}} if path.endswith("/imports") else {"json": {}}
            reply = await client.request(method, path.replace("{id}", "999"), **(upload if method == "POST" else {}))
            refused = reply.status_code == (401 if role is None else 403)
            assert refused is (role not in allowed), f"{role} {method} {path}: {reply.status_code}"
            assert reply.status_code < 500, f"{role} {method} {path}: {reply.text}"
    tell(12, role=role or "nobody", routes_tried=len(WHO), wrongly_open=0, wrongly_shut=0)

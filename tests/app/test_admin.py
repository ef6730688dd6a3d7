"""People, tokens and the audit log over REST: secrets are shown once, an admin always stays, every act is noted."""

import httpx
import pytest

from db import audit, users
from tests.app.conftest import World

pytestmark = pytest.mark.anyio
PATH = "/api/v1"


async def person(admin: httpx.AsyncClient, name: str) -> dict[str, object]:
    found = (await admin.get(f"{PATH}/users")).json()["users"]
    return next(one for one in found if one["name"] == name)


def entries(world: World, action: str) -> list[audit.Entry]:
    with world.database.read() as s:
        return [one for one in audit.page(s) if one.action == action]


async def test_a_new_person_signs_in_with_the_password_shown_once(world: World) -> None:
    async with world.as_role("admin") as admin:
        made = await admin.post(f"{PATH}/users", json={"name": " ada ", "role": "curator"})
        assert made.status_code == 201 and made.json()["user"]["name"] == "ada"
        password = made.json()["password"]
        assert password not in (await admin.get(f"{PATH}/users")).text + (await admin.get(f"{PATH}/audit")).text
        assert (await admin.post(f"{PATH}/users", json={"name": "ada"})).status_code == 409
    with world.database.write() as s:
        token = users.login(s, "ada", password)
        assert users.whoami(s, token).role == "curator"  # type: ignore[union-attr]
    (noted,) = entries(world, "add user")
    assert (noted.actor, noted.target, noted.detail) == ("admin", "ada", {"role": "curator"})


async def test_a_role_taken_away_is_gone_at_the_next_request(world: World) -> None:
    async with world.as_role("admin") as admin, world.as_role("curator") as curator:
        assert (await curator.post(f"{PATH}/collections", json={"name": "x"})).status_code == 201
        number = (await person(admin, "curator"))["id"]
        assert (await admin.post(f"{PATH}/users/{number}", json={"role": "viewer"})).json()["role"] == "viewer"
        assert (await curator.post(f"{PATH}/collections", json={"name": "y"})).status_code == 403
        await admin.post(f"{PATH}/users/{number}", json={"active": False})
        assert (await curator.get(f"{PATH}/collections")).status_code == 401
        await admin.post(f"{PATH}/users/{number}", json={"active": True})
        assert (await curator.get(f"{PATH}/collections")).status_code == 200
    assert [one.detail for one in entries(world, "change user")] == [
        {"active": True}, {"active": False}, {"role": "viewer"},
    ]  # fmt: skip


@pytest.mark.parametrize("change", [{"role": "curator"}, {"active": False}])
async def test_the_last_admin_stays_one(world: World, change: dict[str, object]) -> None:
    async with world.as_role("admin") as admin:
        number = (await person(admin, "admin"))["id"]
        refused = await admin.post(f"{PATH}/users/{number}", json=change)
        assert refused.status_code == 409 and "only active admin" in refused.json()["detail"]
        await admin.post(f"{PATH}/users", json={"name": "grace", "role": "admin"})
        assert (await admin.post(f"{PATH}/users/{number}", json=change)).status_code == 200
    assert len(entries(world, "change user")) == 1  # the refused one changed nothing and is not in the log


async def test_a_token_opens_until_it_is_revoked_or_ends(world: World) -> None:
    async with world.as_role("admin") as admin:
        number = (await person(admin, "robot"))["id"]
        issued = (await admin.post(f"{PATH}/users/{number}/tokens", json={"label": "belt", "days": 30})).json()["token"]
        headers = {"authorization": f"Bearer {issued}"}
        listed = (await admin.get(f"{PATH}/users/{number}/tokens")).json()["tokens"]
        assert [one["label"] for one in listed] == ["belt", "test"] and listed[0]["expires_at"] is not None
        assert issued not in str(listed)
        async with world.as_role(None) as stranger:
            assert (await stranger.get(f"{PATH}/me", headers=headers)).json()["name"] == "robot"
            gone = await admin.post(f"{PATH}/tokens/{listed[0]['id']}/revoke")
            assert gone.json()["revoked"] is True
            assert (await stranger.get(f"{PATH}/me", headers=headers)).status_code == 401
        assert (await admin.post(f"{PATH}/tokens/999/revoke")).status_code == 404
        assert (await admin.post(f"{PATH}/users/{number}/tokens", json={"label": "x", "days": 0})).status_code == 422
    assert [one.detail["label"] for one in entries(world, "revoke token")] == ["belt"]


async def test_a_new_password_ends_every_session(world: World) -> None:
    with world.database.write() as s:
        session = users.login(s, "viewer", "correct horse")
    async with world.as_role("admin") as admin:
        number = (await person(admin, "viewer"))["id"]
        async with world.as_role(None) as stranger:
            headers = {"authorization": f"Bearer {session}"}
            assert (await stranger.get(f"{PATH}/me", headers=headers)).status_code == 200
            password = (await admin.post(f"{PATH}/users/{number}/password")).json()["password"]
            assert (await stranger.get(f"{PATH}/me", headers=headers)).status_code == 401
    with world.database.write() as s:
        assert users.login(s, "viewer", password)


async def test_signing_in_and_failing_to_are_noted_with_the_address(world: World) -> None:
    async with world.as_role(None) as browser:
        here = {"origin": "http://pairwright.test"}
        for password in ("wrong", "correct horse"):
            await browser.post("/login", data={"name": "viewer", "password": password}, headers=here)
        await browser.post("/logout", headers=here)
    with world.database.read() as s:
        said = [(one.action, one.actor) for one in audit.page(s)]
        assert said == [("sign out", "viewer"), ("sign in", "viewer"), ("sign-in refused", "viewer")]
        assert "correct horse" not in str(audit.page(s)) and audit.page(s)[1].target == "127.0.0.1"


async def test_the_log_is_read_page_by_page_and_by_person(world: World) -> None:
    with world.database.write() as s:
        for turn in range(7):
            audit.note(s, "admin" if turn % 2 else "eve", "import", f"set {turn}")
    async with world.as_role("admin") as admin:
        seen, before = [], None
        while True:
            page = (
                await admin.get(f"{PATH}/audit", params={"limit": 3} | ({"before": before} if before else {}))
            ).json()
            seen += [one["target"] for one in page["entries"]]
            before = page["next"]
            if before is None:
                break
        assert seen == [f"set {number}" for number in range(6, -1, -1)]
        mine = (await admin.get(f"{PATH}/audit", params={"actor": "eve"})).json()["entries"]
        assert [one["target"] for one in mine] == ["set 6", "set 4", "set 2", "set 0"]


async def test_what_curators_do_is_noted_in_the_same_transaction(world: World) -> None:
    async with world.as_role("curator") as curator:
        body = {"name": "colour", "collection": "shapes", "prompt": "Same colour?"}
        assert (await curator.post(f"{PATH}/criteria", json=body)).status_code == 201
        assert (await curator.post(f"{PATH}/criteria", json=body | {"prompt": "Another?"})).status_code == 409
        assert (await curator.post(f"{PATH}/versions/77/promote")).status_code == 404
    with world.database.read() as s:
        assert [(one.actor, one.action, one.target) for one in audit.page(s)] == [
            ("curator", "add criterion", "colour")
        ]

"""Every list over REST is read page by page: each row once, in one order, whatever is added meanwhile."""

from typing import Any

import httpx
import pytest

from db import catalog, jobs, runs, users
from tests.app.conftest import World

pytestmark = pytest.mark.anyio
PATH = "/api/v1"


def fill(world: World) -> None:
    """At least five rows of everything that is listed."""
    with world.database.write() as s:
        for number in range(5):
            name = f"{'zyxwv'[number]} collection"
            about = catalog.add_collection(s, name)
            catalog.add_criterion(s, f"criterion {number}", about, "Same?")
            users.add(s, f"{'edcba'[number]}da", "viewer")
            users.issue_token(s, "admin", f"token {number}")
            jobs.enqueue(s, "import", {"number": number}, collection=about)
            runs.start(s, world.criterion, "answers", {})


async def walk(client: httpx.AsyncClient, path: str, key: str, rows: str, **query: Any) -> list[int]:
    """Ids of all rows, two at a time."""
    ids: list[int] = []
    while True:
        reply = await client.get(f"{PATH}/{path}", params={"limit": 2, **query})
        assert reply.status_code == 200, reply.text
        page = reply.json()
        ids += [one["id"] for one in page[rows]]
        if page["next"] is None:
            return ids
        assert len(page[rows]) == 2
        query[key] = page["next"]


LISTS = [
    ("collections", "after", "collections", {}),
    ("criteria", "after", "criteria", {}),
    ("users", "after", "users", {}),
    ("users/{admin}/tokens", "before", "tokens", {}),
    ("jobs", "before", "jobs", {}),
    ("runs", "before", "runs", {"criterion": "shape"}),
    ("items", "after", "items", {"collection": "shapes"}),
    ("audit", "before", "entries", {}),
]


@pytest.mark.parametrize(("path", "key", "rows", "query"), LISTS, ids=[one[0] for one in LISTS])
async def test_pages_hold_every_row_once(world: World, path: str, key: str, rows: str, query: dict[str, Any]) -> None:
    fill(world)
    async with world.as_role("admin") as client:
        for number in range(3):
            await client.post(
                f"{PATH}/criteria", json={"name": f"c{number}", "collection": "shapes", "prompt": "Same?"}
            )
        admin = next(one["id"] for one in (await client.get(f"{PATH}/users")).json()["users"] if one["name"] == "admin")
        path = path.format(admin=admin)
        whole = (await client.get(f"{PATH}/{path}", params={"limit": 50, **query})).json()
        assert whole["next"] is None and len(whole[rows]) >= 3
        assert await walk(client, path, key, rows, **query) == [one["id"] for one in whole[rows]]


async def test_a_row_that_is_added_meanwhile_moves_no_page(world: World) -> None:
    fill(world)
    async with world.as_role("admin") as client:
        first = (await client.get(f"{PATH}/jobs", params={"limit": 2})).json()
        with world.database.write() as s:
            jobs.enqueue(s, "import", {}, collection=1)
        second = (await client.get(f"{PATH}/jobs", params={"limit": 2, "before": first["next"]})).json()
        ids = [one["id"] for one in first["jobs"] + second["jobs"]]
        assert ids == sorted(ids, reverse=True) and len(set(ids)) == 4

"""Two hundred ways to ask for a file by its path, at every door that gives files: none leads out."""

from itertools import product
from urllib.parse import quote

import pytest

from tests.app.conftest import World
from tests.measured import tell

pytestmark = pytest.mark.anyio
SECRET = "the secret of this machine"
DOORS = [
    "/ui/{}", "/ui/js/{}", "/assets/{}", "/static/{}", "/svelte/{}", "/media/{}", "/api/v1/media/{}", "/file={}",
    "/gradio_api/file={}", "/gradio_api/proxy={}", "/gradio_api/stream/{}", "/theme.css/{}", "/{}",
    "/api/v1/media/1?size={}", "/api/v1/backups/{}/verify", "/gradio_api/upload_progress?upload_id={}",
]  # fmt: skip
WRITTEN = [
    "{up}/{name}", "{upq}{name}", "{up2q}{name}", "{updots}{name}", "{upback}{name}", "/{abs}", "{abs}", "file://{abs}",
    "{upnul}{name}%00.png", "{up}/{name}%23.png", ".//{up}/{name}", "{upuni}{name}", "{upmixed}{name}",
]  # fmt: skip


def ways(target: str, absolute: str, steps: int = 8) -> list[str]:
    """One target written in every way; steps: folders to climb."""
    parts = {
        "up": "/".join([".."] * steps), "upq": "%2e%2e%2f" * steps, "up2q": "%252e%252e%252f" * steps,
        "updots": "....//" * steps, "upback": "..%5c" * steps, "upnul": "../" * steps,
        "upuni": "..%c0%af" * steps, "upmixed": "..%2f" * steps, "name": quote(target.lstrip("/")), "abs": absolute,
    }  # fmt: skip
    return [way.format(**parts) for way in WRITTEN]


async def test_no_path_leads_to_a_file_of_this_machine(world: World) -> None:
    secret = world.settings.folder.parent / "secret.txt"
    secret.write_text(SECRET)
    (world.settings.folder / "key.txt").write_text(SECRET)
    asked = [
        door.format(way)
        for (target, absolute), door in product([(str(secret), str(secret)), ("etc/passwd", "/etc/passwd")], DOORS)
        for way in ways(target, absolute)
    ]
    asked += [door.format(name) for door, name in product(DOORS, ("key.txt", "pairwright.sqlite", "../key.txt"))]
    assert len(set(asked)) > 200
    async with world.as_role("admin") as person:
        for path in asked:
            reply = await person.get(path)
            assert reply.status_code < 500, path
            assert SECRET not in reply.text and "root:x:" not in reply.text, path
            assert not reply.content.startswith(b"SQLite format"), path
    tell(15, paths=len(set(asked)), doors=len(DOORS), files_read=0)


@pytest.mark.parametrize("door", ["/ui/js/api.js", "/ui/css/tokens.css"])
async def test_the_same_doors_give_what_they_are_for(world: World, door: str) -> None:
    async with world.as_role("admin") as person:
        assert (await person.get(door)).status_code == 200

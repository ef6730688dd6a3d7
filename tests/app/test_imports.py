"""Imports over REST: uploads stay in their folder, a process does the work and says what it left out."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from app.api.imports import safe_names
from app.children import Importer
from app.import_job import main, run
from db import catalog, jobs
from tests.app.conftest import World, paint
from trainer.originals import original

pytestmark = pytest.mark.anyio
METADATA = "id,path,shape\na,images/a.png,square\nb,images/b.png,round\nc,images/broken.jpg,none\n"


def archive() -> bytes:
    """A zip with two pictures, one broken file and a manifest."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("metadata.csv", METADATA)
        file.writestr("images/a.png", paint(100))
        file.writestr("images/b.png", paint(101))
        file.writestr("images/broken.jpg", b"not a picture")
    return out.getvalue()


def test_no_uploaded_name_leads_out_of_its_folder() -> None:
    names = [
        "../../etc/passwd",
        "/abs/x.png",
        "C:\\win\\x.png",
        "..",
        "a/b.png",
        "A/B.PNG",
        "",
        "x\x00y.png",
        ".hidden",
    ]
    safe = safe_names(names)
    assert len({str(one).casefold() for one in safe}) == len(names)
    for one in safe:
        assert not one.is_absolute()
        assert ".." not in one.parts
        assert all(part.isprintable() and not part.startswith(".") for part in one.parts)


async def test_an_uploaded_archive_is_imported_and_what_was_left_out_is_told(world: World) -> None:
    async with world.as_role("curator") as curator:
        form = {"collection": "new ones", "metadata": "metadata.csv"}
        reply = await curator.post("/api/v1/imports", data=form, files={"files": ("p.zip", archive())})
        assert reply.status_code == 202, reply.text
        with world.database.write() as s:
            job = jobs.lease(s, ["import"], "test", 60)
        assert job is not None
        assert Path(job.payload["source"]).is_relative_to(world.settings.folder / "uploads")
        run(world.database, world.settings.folder, job)
        done = (await curator.get(f"/api/v1/jobs/{job.id}")).json()
        items = (await curator.get("/api/v1/items", params={"collection": "new ones"})).json()["items"]
    assert (done["status"], done["result"]["added"]) == ("done", 2)
    assert [name for name, _ in done["result"]["skipped"]] == ["c"]
    assert sorted(one["attributes"]["shape"] for one in items) == ["round", "square"]
    assert not list((world.settings.folder / "uploads").iterdir())


async def test_an_import_that_cannot_be_done_says_why_in_a_sentence(world: World) -> None:
    async with world.as_role("curator") as curator:
        files = {"files": ("broken.zip", b"PK but not really")}
        await curator.post("/api/v1/imports", data={"collection": "new ones"}, files=files)
        with world.database.write() as s:
            job = jobs.lease(s, ["import"], "test", 60)
        run(world.database, world.settings.folder, job)
        done = (await curator.get(f"/api/v1/jobs/{job.id}")).json()
    assert done["status"] == "failed"
    assert "Traceback" not in done["error"]


async def test_a_path_on_the_server_is_for_admins(world: World, tmp_path: Path) -> None:
    body = {"collection": "x", "path": str(tmp_path)}
    async with world.as_role("curator") as curator:
        assert (await curator.post("/api/v1/imports", json=body)).status_code == 403
    async with world.as_role("admin") as admin:
        assert (await admin.post("/api/v1/imports", json=body)).status_code == 202


def shard(folder: Path) -> Path:
    """A tar with two pictures."""
    with tarfile.open(folder / "shard.tar", "w") as tar:
        for number in range(2):
            about = tarfile.TarInfo(f"{number}.png")
            about.size = len(content := paint(number, 50))
            tar.addfile(about, io.BytesIO(content))
    return folder / "shard.tar"


def done(world: World) -> list[str]:
    """Do the import that waits; where its pictures are kept."""
    with world.database.write() as s:
        job = jobs.lease(s, ["import"], "test", 60)
    assert job is not None
    run(world.database, world.settings.folder, job)
    with world.database.read() as s:
        assert jobs.job(s, job.id).state == "done", jobs.job(s, job.id).error
        items = catalog.items(s, catalog.collection_id(s, "many"))
    assert [original(world.settings.folder, one.path, one.sha256) for one in items] == [paint(0, 50), paint(1, 50)]
    return [one.path.partition("/")[0] for one in items]


async def test_uploads_are_packed_where_that_is_wished(world: World) -> None:
    files = [("files", (f"{number}.png", paint(number, 50))) for number in range(2)]
    async with world.as_role("curator") as curator:
        form = {"collection": "many", "packed": "true"}
        assert (await curator.post("/api/v1/imports", data=form, files=files)).status_code == 202
        assert done(world) == ["packs", "packs"]
        for wrong, words in (({"packed": "yes"}, "true or false"), ({"in_place": "true"}, "a path on the server")):
            refused = await curator.post("/api/v1/imports", data={"collection": "many", **wrong}, files=files)
            assert refused.status_code == 422 and words in refused.json()["detail"]
    assert not list((world.settings.folder / "uploads").iterdir())


@pytest.mark.parametrize(("how", "folder"), [("packed", "packs"), ("in_place", "linked")])
async def test_pictures_of_a_path_are_packed_or_left_where_they_are(
    world: World, tmp_path: Path, how: str, folder: str
) -> None:
    body = {"collection": "many", "path": str(shard(tmp_path))}
    async with world.as_role("curator") as curator:
        assert (await curator.post("/api/v1/imports", json={**body, how: True})).status_code == 403
    async with world.as_role("admin") as admin:
        assert (await admin.post("/api/v1/imports", json={**body, how: True})).status_code == 202
        assert done(world) == [folder, folder]
        both = await admin.post("/api/v1/imports", json={**body, "packed": True, "in_place": True})
    assert both.status_code == 422 and "one of the two" in both.json()["detail"]


def test_the_importer_process_takes_what_waits_and_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    source = world.settings.folder / "p.zip"
    source.write_bytes(archive())
    payload = {"source": str(source), "collection": "new ones", "metadata": "metadata.csv", "uploaded": False}
    with world.database.write() as s:
        job = jobs.enqueue(s, "import", payload)
    place = ["--database-url", world.settings.url, "--workspace", str(world.settings.folder)]
    monkeypatch.setattr("sys.argv", ["import_job", *place])
    main()
    with world.database.read() as s:
        assert jobs.job(s, job).state == "done"
        assert not Importer(world.settings, world.database)._waiting()
    assert source.exists()  # only uploads are removed

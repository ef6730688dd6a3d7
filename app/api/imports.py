"""Import over REST: an upload, or (for admins) a path on the server. The work itself runs in a process of its own."""

import shutil
import uuid
from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app.api.context import Context, Curator, Here, PathId, Viewer
from app.api.shapes import ImportIn, JobOut, JobsOut
from app.auth import Person, may
from db import catalog, checks, jobs
from db.errors import BadInput, Broken, Forbidden

router = APIRouter(tags=["imports"])
MOST_FILES = 20_000
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
UPLOADS = "uploads"


@router.post("/imports", status_code=202)
async def add(here: Here, person: Curator, request: Request) -> JobOut:
    """Start an import. Either JSON `{collection, path, metadata?}` naming a folder or archive on the server (admins), or a
    multipart form with `collection` and one or more `files` (pictures, or one archive)."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        collection, source = await _uploaded(here, request)
        payload = {"source": str(source), "uploaded": True, "metadata": None}
    else:
        given = _server_path(person, await request.body())
        collection, source = given.collection, Path(given.path)
        payload = {"source": str(source), "uploaded": False, "metadata": given.metadata}
    job = await run_in_threadpool(_enqueue, here, collection, payload)
    here.importer.wake()
    return job


def _enqueue(here: Context, collection: str, payload: dict[str, object]) -> JobOut:
    with here.database.write() as s:
        about = catalog.add_collection(s, collection)
        id = jobs.enqueue(s, "import", {**payload, "collection": collection}, collection=about)
        return _job(jobs.job(s, id))


def _server_path(person: Person, body: bytes) -> ImportIn:
    if not may(person, "admin"):
        raise Forbidden("only an admin may import a path on the server. Upload the pictures instead.")
    try:
        given = ImportIn.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}.") from error
    if not Path(given.path).is_absolute() or not Path(given.path).exists():
        raise BadInput(f"path must be a folder or archive on the server, got '{given.path}'. Give its absolute path.")
    return given


async def _uploaded(here: Context, request: Request) -> tuple[str, Path]:
    """The collection's name and where the uploaded files now are."""
    async with request.form(max_files=MOST_FILES, max_fields=20) as form:
        collection = checks.name(form.get("collection"), "collection")
        files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
        if not files:
            raise BadInput("no files came with this import. Choose some pictures or an archive.")
        folder = here.settings.folder / UPLOADS / uuid.uuid4().hex
        return collection, await run_in_threadpool(_keep, folder, files)


def _keep(folder: Path, files: list[UploadFile]) -> Path:
    """Write uploads under the workspace, under names that cannot leave their folder. One archive stays an archive."""
    try:
        folder.mkdir(parents=True, mode=0o700)
        targets = [folder / safe_name(str(one.filename), place) for place, one in enumerate(files)]
        for one, target in zip(files, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                shutil.copyfileobj(one.file, file, 1 << 20)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Broken(f"the upload could not be kept ({error.strerror}). Free some disk space and try again.") from error
    return targets[0] if len(targets) == 1 and targets[0].name.lower().endswith(ARCHIVES) else folder


def safe_name(given: str, place: int) -> PurePosixPath:
    """A relative path made of plain parts only: no '..', no drive, no hidden part; numbered, so that none meet."""
    parts = [part for part in given.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    plain = ["".join(letter if letter.isprintable() and letter != ":" else "_" for letter in part).lstrip(".")[-120:] for part in parts]
    name = plain[-1] if plain and plain[-1] else "file"
    return PurePosixPath(f"{place:05d}", name)


@router.get("/jobs")
def page(here: Here, _: Viewer, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> JobsOut:
    """Imports and other work in the background, newest first."""
    with here.database.read() as s:
        return JobsOut(jobs=[_job(one) for one in jobs.jobs(s, limit)])


@router.get("/jobs/{id}")
def one(here: Here, _: Viewer, id: PathId) -> JobOut:
    """One job with its progress, or its result."""
    with here.database.read() as s:
        return _job(jobs.job(s, id))


@router.post("/jobs/{id}/cancel")
def cancel(here: Here, _: Curator, id: PathId) -> JobOut:
    """Stop a job; what it has stored stays."""
    with here.database.write() as s:
        jobs.cancel(s, id)
        return _job(jobs.job(s, id))


def _job(one: jobs.Job) -> JobOut:
    return JobOut(
        id=one.id,
        kind=one.kind,
        status=one.state,
        progress=one.progress,
        note=one.note,
        result=dict(one.result or {}),
        error=one.error,
        created_at=one.created_at,
    )

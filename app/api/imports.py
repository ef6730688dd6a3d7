"""Import over REST: an upload, or (for admins) a path on the server. The work itself runs in a process of its own."""

import shutil
import uuid
from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app.api import views
from app.api.context import Context, Curator, Here, PathId, Viewer
from app.api.paging import Before, cut
from app.api.shapes import ImportIn, JobOut, JobsOut
from app.auth import Person, may
from db import audit, catalog, checks, jobs
from db.errors import BadInput, Broken, Forbidden

router = APIRouter(tags=["imports"])
MOST_FILES = 20_000
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
UPLOADS = "uploads"


@router.post("/imports", status_code=202)
async def add(here: Here, person: Curator, request: Request) -> JobOut:
    """Start an import. Either JSON `{collection, path, metadata?, packed?, in_place?}` naming a folder or archive on
    the server (admins), or a multipart form with `collection`, `files` (pictures, or an archive), perhaps `metadata`:
    a manifest, and `packed`: true to keep the pictures in few big files."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        collection, payload = await _uploaded(here, request)
    else:
        given = _server_path(person, await request.body())
        collection, payload = given.collection, {"source": given.path, "uploaded": False, "metadata": given.metadata}
        payload |= {"packed": given.packed, "in_place": given.in_place}
    job = await run_in_threadpool(_enqueue, here, person.name, collection, payload)
    here.importer.wake()
    return job


def _enqueue(here: Context, actor: str, collection: str, payload: dict[str, object]) -> JobOut:
    with here.database.write() as s:
        about = catalog.add_collection(s, collection)
        new = jobs.enqueue(s, "import", {**payload, "collection": collection}, collection=about)
        audit.note(s, actor, "import", collection, uploaded=payload["uploaded"])
        return views.job(jobs.job(s, new))


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
    if given.packed and given.in_place:
        raise BadInput("packed and in_place: one of the two expected. In place leaves the pictures where they lie.")
    return given


async def _uploaded(here: Context, request: Request) -> tuple[str, dict[str, object]]:
    """The collection's name, and of the job where the uploaded files now are and how to read and keep them."""
    async with request.form(max_files=MOST_FILES, max_fields=20) as form:
        collection = checks.name(form.get("collection"), "collection")
        named = form.get("metadata") or None
        metadata = checks.relative_path(named, "metadata") if named is not None else None
        files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
        if not files:
            raise BadInput("no files came with this import. Choose some pictures or an archive.")
        if form.get("in_place"):
            raise BadInput("in_place: a path on the server expected, got an upload, which is not kept. Send packed.")
        packed = _whether(form.get("packed"), "packed")
        source = await run_in_threadpool(_keep, here.settings.folder / UPLOADS / uuid.uuid4().hex, files)
        return collection, {"source": str(source), "uploaded": True, "metadata": metadata, "packed": packed}


def _whether(given: object, name: str) -> bool:
    """What a field of a form says; nothing is no. Raises BadInput."""
    if given not in (None, "", "true", "false"):
        raise BadInput(f"{name} = true or false expected, got {given!r:.40}.")
    return given == "true"


def _keep(folder: Path, files: list[UploadFile]) -> Path:
    """Write uploads under the workspace, under names that cannot leave their folder. One archive stays an archive."""
    targets = [folder / name for name in safe_names([str(one.filename) for one in files])]
    try:
        for one, target in zip(files, targets, strict=True):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with target.open("xb") as file:
                shutil.copyfileobj(one.file, file, 1 << 20)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Broken(f"the upload could not be kept ({error.strerror}). Free some disk space and try again.") from error
    if len(targets) == 1 and targets[0].name.lower().endswith(ARCHIVES):
        return targets[0]
    tops = list(folder.iterdir())
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else folder


def safe_names(given: list[str]) -> list[PurePosixPath]:
    """Relative paths of plain parts only: no '..', no drive, nothing hidden; a name met before is numbered."""
    met: set[str] = set()
    names = []
    for place, one in enumerate(given):
        parts = [part for part in map(_plain, one.replace("\\", "/").split("/")) if part] or ["file"]
        if "/".join(parts).casefold() in met:
            parts = [f"{place:05d}", parts[-1]]
        met.add("/".join(parts).casefold())
        names.append(PurePosixPath(*parts))
    return names


def _plain(part: str) -> str:
    """One part of a path without what could lead elsewhere; empty if nothing is left."""
    return "".join(letter if letter.isprintable() and letter != ":" else "_" for letter in part).strip(". ")[-120:]


@router.get("/jobs")
def page(here: Here, _: Viewer, before: Before = None, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> JobsOut:
    """Imports and other work in the background, newest first."""
    with here.database.read() as s:
        found, following = cut(jobs.jobs(s, limit + 1, before), limit)
    return JobsOut(jobs=[views.job(one) for one in found], next=following)


@router.get("/jobs/{id}")
def one(here: Here, _: Viewer, id: PathId) -> JobOut:
    """One job with its progress, or its result."""
    with here.database.read() as s:
        return views.job(jobs.job(s, id))


@router.post("/jobs/{id}/cancel")
def cancel(here: Here, person: Curator, id: PathId) -> JobOut:
    """Stop a job; what it has stored stays."""
    with here.database.write() as s:
        jobs.cancel(s, id)
        audit.note(s, person.name, "cancel job", f"job {id}")
        return views.job(jobs.job(s, id))

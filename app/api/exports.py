"""Taking tables out over REST: what `pairwright export` writes, as a download.

A table is written whole before its first byte leaves, so what arrives with 200 is complete; its temporary file has no
name any more while it is sent, so a killed server leaves none behind.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Literal
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from app.api.context import Admin, Context, Curator, Here
from app.api.models import current, snapshot_of_version
from app.api.shapes import Which
from app.exporters import AUDIT_FIELDS, audit_rows, write_rows
from app.exporters.taking import Wish, take
from app.view import View
from db import audit, catalog, feedback

router = APIRouter(prefix="/exports", tags=["exports"])
Table = Literal["pairs", "groups", "captions", "embeddings", "answers"]
Rows = Literal["csv", "jsonl", "parquet"]
Format = Literal["csv", "jsonl", "parquet", "safetensors"]
MIME = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "safetensors": "application/octet-stream",
}
FILES: dict[int | str, dict[str, Any]] = {200: {"content": {kind.partition(";")[0]: {} for kind in MIME.values()}}}
CHUNK = 1 << 18


@router.get("/audit", response_class=StreamingResponse, responses=FILES)
def log(here: Here, person: Admin, format: Rows = "csv") -> StreamingResponse:
    """Who did what to the installation, the oldest first."""

    def write(out: Path) -> int:
        with here.database.read() as s:
            return write_rows(audit_rows(audit.history(s)), AUDIT_FIELDS, out)

    return _download(here, person.name, f"audit.{format}", "", write)


@router.get("/{table}", response_class=StreamingResponse, responses=FILES)
def export(here: Here, person: Curator, table: Table, criterion: Which, format: Format = "csv") -> StreamingResponse:
    """A table of one criterion. embeddings also come as safetensors; 404 where there is no model version yet."""
    with here.database.read() as s:
        name = catalog.criterion(s, criterion).name

    def write(out: Path) -> int:
        return take(here.settings, here.database, table, Wish(criterion, out, look=lambda: _served(here, criterion)))

    return _download(here, person.name, f"{name} {table}.{format}", name, write)


def _served(here: Context, criterion: int | str) -> View:
    """The criterion through its served version. Raises NotFound before there is one."""
    from oracle.holdout import weighed

    version = current(here, criterion)
    with here.database.read() as s:
        about = catalog.criterion(s, criterion)
        items = {item.id: item for item in catalog.items(s, about.collection)}
        said = feedback.statements(s, about.id)
    snapshot = snapshot_of_version(here, version)
    graph, belief = weighed(snapshot, said)
    known = {number: items[number] for number in snapshot.ids.tolist()}
    return View(snapshot, graph, belief, known, list(said), version)


def _download(here: Context, actor: str, name: str, target: str, write: Callable[[Path], int]) -> StreamingResponse:
    """What `write` writes, under this name. rows: how many, for programs that check."""
    ending = name.rpartition(".")[2]
    with TemporaryDirectory(prefix="export-", dir=here.settings.folder) as folder:
        path = Path(folder) / f"table.{ending}"
        rows = write(path)
        with here.database.write() as s:
            audit.note(s, actor, "export", target, what=name, rows=rows)
        file = path.open("rb")
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "content-length": str(os.fstat(file.fileno()).st_size),
        "x-rows": str(rows),
        "cache-control": "no-store",
    }
    return StreamingResponse(_chunks(file), media_type=MIME[ending], headers=headers)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk

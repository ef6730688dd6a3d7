"""Bringing pictures in: folders, archives and manifests, checked one by one. See `import_path`.

This file stays light: the processes that decode pictures import it first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.cluster.start import Reach
    from app.importers.run import Decoding
    from db.engine import Database

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]


@dataclass
class ImportReport:
    """added and known count items; skipped lists (name, one sentence why). cancelled: stopped before the end."""

    added: int = 0
    known: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    cancelled: bool = False


def import_path(
    database: "Database",
    workspace: Path,
    source: Path | str,
    collection: str,
    *,
    metadata: Path | str | None = None,
    id_column: str = "id",
    path_column: str = "path",
    where: Sequence[str] = (),
    time_column: str | None = None,
    latitude_column: str | None = None,
    longitude_column: str | None = None,
    caption_column: str | None = None,
    audio_column: str | None = None,
    group_columns: Sequence[str] = (),
    format: str | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    workers: int | None = None,
    packed: bool = False,
    in_place: bool = False,
    ray: "Reach | None" = None,
) -> ImportReport:
    """Import a folder, an archive, a CSV / Parquet / JSONL manifest, or a data set of another tool into a collection.

    Args:
        source: a path, or as text an address such as s3://bucket/photos, where addresses are allowed.
        metadata: a manifest inside the folder or archive; its paths are relative to itself.
        where: `COLUMN=VALUE` filters; the same column twice means either value.
        group_columns: columns whose items must stay on one side of a split.
        format: as what to read the source, see `app.importers.formats`; default: what it is recognised as.
        progress: called with (done, total). cancelled: asked between pictures; what is stored stays.
        workers: decoding processes; default one per CPU and one more. ray: workers of Ray in their place; the source
            and the workspace must be in the same place for all of them.
        packed: keep the pictures in tar files of 256 MB. in_place: leave them in the big files they lie in. Default:
        each in a file of its own.
    Raises: BadInput for a source, column or filter that cannot be used; Broken if the disk or database fails.
    """
    from app.importers.columns import Columns
    from app.importers.keeping import keeper_of
    from app.importers.run import run_import
    from app.importers.sources import open_source

    columns = Columns(
        id_column, path_column, time_column, latitude_column, longitude_column, caption_column, audio_column,
        tuple(group_columns),
    )  # fmt: skip
    opening = partial(open_source, source, metadata, columns, where, format)
    with opening() as opened:
        return run_import(
            database, Path(workspace), opened, collection, columns, progress, cancelled, workers,
            keeper=keeper_of(database, Path(workspace), source, opened.store, packed=packed, in_place=in_place),
            decoding=_by_ray(ray, opening) if ray is not None else None,
        )  # fmt: skip


def _by_ray(ray: "Reach", opening: Callable[[], Any]) -> "Decoding":
    from app.cluster.decoding import Decoding

    return Decoding(ray, opening)

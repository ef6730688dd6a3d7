"""What one import will read: every picture with its name and its row of metadata."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from app.importers import addresses, formats, manifests
from app.importers.columns import Columns, Row, keeps, missing_column, row_filter
from app.importers.exact import Exact
from app.importers.formats import Described
from app.importers.remote import fetched, is_remote
from app.importers.stores import EntryFault, FolderStore, Store, open_store, tidy
from app.importers.videos import ENDINGS as VIDEOS
from db.errors import BadInput


@dataclass(frozen=True)
class Entry:
    """One picture to import. name: what people call it. file: where it lies in the store. row: its metadata.

    exact: all that is known about it, where one of our data sets says so; it goes before the row.
    """

    name: str
    file: str
    row: Row
    exact: Exact | None = None


@dataclass(frozen=True)
class Source:
    """An opened source. base: folder of the manifest inside the store, which other files are relative to."""

    store: Store
    entries: list[Entry]
    faults: list[tuple[str, str]]
    base: str = ""

    def read(self, file: str, limit: int) -> bytes:
        """Up to limit + 1 bytes of a file of the store, or of what is behind an address. Raises EntryFault."""
        return addresses.fetch(file, limit) if addresses.is_address(file) else self.store.read(file, limit)


@contextmanager
def open_source(
    path: Path | str,
    metadata: Path | str | None,
    columns: Columns,
    where: Sequence[str] = (),
    format: str | None = None,
) -> Iterator[Source]:
    """The source behind a path or an address, with its rows filtered. format: as what to read it. Raises BadInput."""
    if isinstance(path, str) and is_remote(path):
        with fetched(path) as found:
            yield from _opened(found, metadata, columns, where, format)
    else:
        yield from _opened(Path(path), metadata, columns, where, format)


def _opened(
    path: Path | Store, metadata: Path | str | None, columns: Columns, where: Sequence[str], format: str | None
) -> Iterator[Source]:
    name = path.name if isinstance(path, Path) else "the address"
    store, manifest = _locate(path, metadata) if isinstance(path, Path) else (path, _named_there(path, metadata))
    try:
        described = formats.describe(store, manifest, format)
        if described is not None:
            store, source = described.store, _of_format(described, columns, where)
        else:
            source = _listed(store, columns, where) if manifest is None else _described(store, manifest, columns, where)
        if not source.entries and not source.faults:
            raise BadInput(f"'{name}' holds no picture to import{' with these filters' if where else ''}.")
        yield source
    finally:
        store.close()


def _named_there(store: Store, metadata: Path | str | None) -> str | None:
    return None if metadata is None else _manifest_name(store, Path("the address"), str(metadata))


def _locate(path: Path, metadata: Path | str | None) -> tuple[Store, str | None]:
    """(store, manifest's name in it). A lone manifest or picture is read from the folder it lies in."""
    if not path.exists():
        raise BadInput(f"there is no file or folder '{path}'. Check the path.")
    if path.is_file() and (manifests.is_manifest(path.name) or path.suffix.lower() in DOCUMENTS):
        if metadata is not None:
            raise BadInput("metadata: not needed when the source is a manifest itself. Leave it out.")
        return FolderStore(path.parent), path.name
    if path.is_file() and path.suffix.lower() in (*PICTURES, *VIDEOS):
        alone = FolderStore(path.parent)
        alone.names = [path.name]
        return alone, None
    store = open_store(path)
    try:
        return store, None if metadata is None else _manifest_name(store, path, str(metadata))
    except BaseException:
        store.close()
        raise


PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm")


DOCUMENTS = (".json", ".arrow")  # of the formats in `app.importers.formats`


def _of_format(described: Described, columns: Columns, where: Sequence[str]) -> Source:
    """What a format of another tool lists, with its rows filtered."""
    there = [*described.columns, columns.path]
    columns.require(there, "the data set")
    wanted = row_filter(where, there, "the data set")
    asked = dict.fromkeys(columns.named())
    entries = [
        Entry(str(line.row.get(columns.id) or line.name), line.file, asked | dict(line.row), line.exact)
        for line in described.lines
        if keeps(line.row, wanted)
    ]
    return Source(described.store, entries, described.faults, described.base)


def _manifest_name(store: Store, path: Path, wanted: str) -> str:
    """The manifest's name in the store: given whole, or by its end where only one file ends like that."""
    if path.is_dir() and Path(wanted).resolve().is_relative_to(path.resolve()):
        inside = Path(wanted).resolve().relative_to(path.resolve()).as_posix()
        if inside in store.names:
            return inside
    if wanted in store.names:
        return wanted
    ending = "/" + wanted.lstrip("./")
    found = [name for name in store.names if name.endswith(ending)]
    if len(found) == 1:
        return found[0]
    there = found or [name for name in store.names if manifests.is_manifest(name)]
    problem = "several files end in" if found else "there is no"
    raise BadInput(
        f"metadata: {problem} '{wanted}' in '{path.name}'. Manifests there: {', '.join(there[:8]) or 'none'}."
    )


def _listed(store: Store, columns: Columns, where: Sequence[str]) -> Source:
    """Every file of the store; its folder is its one attribute."""
    columns.require(["folder", columns.path], "a source without metadata")
    wanted = row_filter(where, ["folder"], "a source without metadata")
    rows = ((name, {"folder": str(PurePosixPath(name).parent)}) for name in store.names)
    entries = [Entry(name, name, row) for name, row in rows if keeps(row, wanted)]
    return Source(store, entries, list(store.faults))


def _described(store: Store, manifest: str, columns: Columns, where: Sequence[str]) -> Source:
    """The files a manifest names, with their rows."""
    try:
        content = store.read(manifest, manifests.MAX_BYTES)
    except EntryFault as fault:
        raise BadInput(f"cannot read the metadata '{manifest}': {fault}.") from fault
    if len(content) > manifests.MAX_BYTES:
        raise BadInput(f"the metadata '{manifest}' is larger than {manifests.MAX_BYTES // 1024**3} GB. Split it.")
    there, rows = manifests.read_manifest(content, manifest)
    if columns.path not in there:
        raise missing_column(columns.path, there, f"the metadata '{manifest}'")
    columns.require(there, f"the metadata '{manifest}'")
    wanted = row_filter(where, there, f"the metadata '{manifest}'")
    base = str(PurePosixPath(manifest).parent)
    source = Source(store, [], [], base)
    for row in rows:
        if keeps(row, wanted):
            _add_row(source, row, columns)
    return source


def _add_row(source: Source, row: Row, columns: Columns) -> None:
    given = str(row[columns.path] or "").strip()
    name = str(row.get(columns.id) or given or "a row without a path")
    file = inside(source, given)
    if addresses.is_address(given):
        _add_address(source, name, given, row)
    elif file is None:
        reason = "its path leads out of the source" if given else "its row has no path"
        source.faults.append((name, reason))
    else:
        source.entries.append(Entry(name, file, row))


def _add_address(source: Source, name: str, url: str, row: Row) -> None:
    if addresses.allowed():
        source.entries.append(Entry(name, url, row))
    else:
        why = f"its path is an address, and none is fetched unless {addresses.VARIABLE}=1 allows it"
        source.faults.append((name, why))


def inside(source: Source, path: str) -> str | None:
    """The name in the store of a path relative to the manifest; None if it is empty or leads out."""
    if not path or (tidy(path) is None and not path.startswith("..")):
        return None
    return tidy(f"{source.base}/{path}" if source.base not in ("", ".") else path)

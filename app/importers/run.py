"""Run one import: read, decode in parallel, and write rows only for pictures that are safely on disk."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.importers import Cancelled, ImportReport, Progress, files
from app.importers.columns import Columns, RowFault, meaning
from app.importers.decode import MAX_BYTES, THUMBNAIL, TOO_MANY_BYTES, Refused, Stored
from app.importers.decoders import Decoders, Pending, Task
from app.importers.keeping import Keeper, Loose, Picture
from app.importers.sources import Entry, Source, inside
from app.importers.stores import EntryFault
from db import catalog, checks, places
from db.catalog import NewItem
from db.engine import Database
from db.errors import Broken
from trainer.originals import Part, is_lost
from trainer.recordings import BEGIN, begins_as

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

BATCH = 1000  # items in one transaction
WINDOW_BYTES = 64 * 1024 * 1024  # bytes of pictures under way at once
WINDOW = 64  # pictures under way at once
TICK = 8  # pictures between two looks at `progress` and `cancelled`
About = Callable[[Entry], dict[str, Any]]
Decoded = tuple[int, str, Stored | Refused]  # place among the entries, SHA-256 ("": not read), what became of it
Decoding = Callable[[Source, Path, Task], Iterator[Decoded]]  # of every entry, in order


@dataclass
class _Run:
    """State of one import."""

    database: Database
    workspace: Path
    source: Source
    collection: str
    columns: Columns
    report: ImportReport
    about: About
    keeper: Keeper = field(default_factory=Loose)
    seen: dict[str, str] = field(default_factory=dict)  # sha256 -> name
    ready: list[NewItem] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        """Note one thing that is left out, as a sentence."""
        shown = checks.storable(name)[:200]
        self.report.skipped.append((shown, f"{reason[:1].upper()}{reason[1:].rstrip('.')}."))


def run_import(
    database: Database,
    workspace: Path,
    source: Source,
    collection: str,
    columns: Columns,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    workers: int | None = None,
    about: About | None = None,
    keeper: Keeper | None = None,
    decoding: Decoding | None = None,
) -> ImportReport:
    """Import an opened source. See `app.importers.import_path`.

    about: the fields of an entry's item, not its row's. keeper: where the pictures are left, default each in a file.
    decoding: who reads and decodes, None for children of this process.
    """
    named, told = checks.name(collection, "collection"), about or (lambda entry: _meaning(entry, columns))
    run = _Run(database, workspace, source, named, columns, ImportReport(), told, keeper or Loose())
    for name, reason in source.faults:
        run.skip(name, reason)
    try:
        progress, cancelled = progress or (lambda done, total: None), cancelled or (lambda: False)
        if decoding is not None:
            _drain(run, decoding(source, workspace, run.keeper.task), progress, cancelled)
        else:
            with Decoders(workspace, workers, run.keeper.task) as decoders:
                _pump(run, decoders, progress, cancelled)
        run.keeper.finish()
        _flush(run)
    except OSError as error:
        raise Broken(f"cannot write to the workspace ({error.strerror or error}). Free some space, repeat.") from error
    finally:
        run.keeper.drop()
    return run.report


def _pump(run: _Run, decoders: Decoders, progress: Progress, cancelled: Cancelled) -> None:
    """Keep the decoders busy, take what is done in order, and stop when asked to."""
    under_way: deque[tuple[Entry, Pending]] = deque()
    total, done = len(run.source.entries), 0
    progress(0, total)
    for index, entry in enumerate(run.source.entries):
        if index % TICK == 0 and cancelled():
            run.report.cancelled = True
            break
        if (encoded := _read(run, entry)) is not None:
            sha = hashlib.sha256(encoded).hexdigest()
            if _is_new(run, entry, sha):
                under_way.append((entry, decoders.submit(encoded, sha)))
        while _full(under_way):
            _take_next(run, decoders, under_way)
        done = index + 1 - len(under_way)
        if index % TICK == 0:
            progress(done, total)
    while under_way and not run.report.cancelled:
        _take_next(run, decoders, under_way)
    progress(total if not run.report.cancelled else done, total)


def _drain(run: _Run, decoded: Iterator[Decoded], progress: Progress, cancelled: Cancelled) -> None:
    """Take what others decoded, in order."""
    entries = run.source.entries
    progress(0, len(entries))
    for number, sha, outcome in decoded:
        if number % TICK == 0 and cancelled():
            run.report.cancelled = True
            return
        entry = entries[number]
        if isinstance(outcome, Refused) and not sha:
            run.skip(entry.name, outcome.reason)
        elif _is_new(run, entry, sha):
            _take(run, entry, sha, outcome, partial(_again, run, entry, sha))
        progress(number + 1, len(entries))


def _full(under_way: deque[tuple[Entry, Pending]]) -> bool:
    return len(under_way) > WINDOW or sum(len(pending.encoded) for _, pending in under_way) > WINDOW_BYTES


def _read(run: _Run, entry: Entry) -> bytes | None:
    """The picture's bytes, or None after noting why not."""
    encoded = read(run.source, entry.file)
    if isinstance(encoded, Refused):
        run.skip(entry.name, encoded.reason)
        return None
    return encoded


def read(source: Source, file: str) -> bytes | Refused:
    """A picture's bytes, or why not."""
    try:
        encoded = source.read(file, MAX_BYTES)
    except EntryFault as fault:
        return Refused(str(fault))
    return Refused(TOO_MANY_BYTES) if len(encoded) > MAX_BYTES else encoded


def _is_new(run: _Run, entry: Entry, sha: str) -> bool:
    """False, after noting it, for bytes this source has given before."""
    if sha in run.seen:
        run.skip(entry.name, f"it has the same bytes as '{run.seen[sha]}'")
        return False
    run.seen[sha] = entry.name
    return True


def _take_next(run: _Run, decoders: Decoders, under_way: deque[tuple[Entry, Pending]]) -> None:
    entry, pending = under_way.popleft()
    _take(run, entry, pending.sha, decoders.result(pending), lambda: pending.encoded)


def _again(run: _Run, entry: Entry, sha: str) -> bytes:
    """The bytes of a picture that was decoded elsewhere. Raises EntryFault where they have changed since."""
    encoded = run.source.read(entry.file, MAX_BYTES)
    if hashlib.sha256(encoded).hexdigest() != sha:
        raise EntryFault("it changed while it was imported. Import it again")
    return encoded


def _take(run: _Run, entry: Entry, sha: str, stored: Stored | Refused, content: Callable[[], bytes]) -> None:
    """Turn one decoded picture into an item that waits for its transaction. content: its bytes, if they are needed."""
    if isinstance(stored, Refused):
        run.skip(entry.name, stored.reason)
        return
    try:
        about = run.about(entry)
        audio = _audio(run, entry)
        path = _there(run, sha) or run.keeper.put(Picture(entry.file, sha, content), stored)
    except (RowFault, EntryFault) as fault:
        run.skip(entry.name, str(fault))
        return
    run.ready.append(NewItem(sha, stored.width, stored.height, path, entry.name[:1000], audio=audio, **about))
    if run.keeper.settled and (run.keeper.due or len(run.ready) >= BATCH):
        _flush(run)


def _there(run: _Run, sha: str) -> str | None:
    """Where the picture lies already, if the keeper leaves it there."""
    if not run.keeper.reuses:
        return None
    with run.database.read() as s:
        path = places.paths(s, [sha]).get(sha, "")
    return path if path.startswith(run.keeper.reuses) and (run.workspace / path.partition("@")[0]).exists() else None


def _meaning(entry: Entry, columns: Columns) -> dict[str, Any]:
    return meaning(entry.row, columns) if entry.exact is None else entry.exact.fields()


def _audio(run: _Run, entry: Entry) -> str | None:
    """Store the recording that belongs to a picture. Returns its path relative to the workspace."""
    column = run.columns.audio if entry.exact is None else None
    given = str(entry.row[column] or "").strip() if column else (entry.exact and entry.exact.audio) or ""
    if not given:
        return None
    name = inside(run.source, given)
    extension = Path(given).suffix.lower()
    if name is None or extension not in BEGIN:
        known = ", ".join(BEGIN)
        raise EntryFault(f"its recording '{given[:80]}' is not a sound file ({known}) inside the source")
    content = run.source.store.read(name, MAX_BYTES)
    if len(content) > MAX_BYTES:
        raise EntryFault(f"its recording is larger than {MAX_BYTES // 1024 // 1024} MB")
    if not begins_as(content, extension):
        raise EntryFault(f"its recording '{given[:80]}' does not begin as a {extension} file does")
    path = files.media_path(hashlib.sha256(content).hexdigest(), extension[1:])
    files.write_once(run.workspace / path, content)
    return path


def _flush(run: _Run) -> None:
    """Make the files' names durable, then add their rows in one transaction."""
    if not run.ready:
        return
    for folder in _folders(run):
        files.sync_folder(folder)
    with run.keeper.naming(), run.database.write() as s:
        added, known = catalog.add_items(s, catalog.add_collection(s, run.collection), run.ready)
        places.move(s, _found_again(run, s))
    run.report.added += added
    run.report.known += known
    run.ready.clear()


def _found_again(run: _Run, s: "Session") -> dict[str, str]:
    """Known pictures whose big file is gone or has changed, and where they lie now."""
    before = places.paths(s, [item.sha256 for item in run.ready])
    now = {item.sha256: item.path for item in run.ready}
    lost: dict[str, bool] = {}  # by big file
    for path in before.values():
        if (part := Part.of(path)) is not None and part.file not in lost:
            lost[part.file] = is_lost(run.workspace, path)
    return {sha: now[sha] for sha, path in before.items() if (part := Part.of(path)) and lost[part.file]}


def _folders(run: _Run) -> Iterator[Path]:
    loose = [item for item in run.ready if Part.of(item.path) is None]
    paths = {path for item in loose for path in (item.path, files.thumbnail_path(item.sha256, THUMBNAIL))}
    folders = {(run.workspace / path).parent for path in paths}
    return (folder for folder in sorted(folders) if folder.is_dir())  # a known picture's thumbnail may be gone

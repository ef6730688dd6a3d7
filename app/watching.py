"""A camera's folder as a robot: a new picture is an observation, one in a subfolder lies in the bin of its name.

    FOLDER/track-17.jpg          is seen; the reply says where it goes
    FOLDER/glass/track-17.jpg    was put into the bin "glass": move the file there, or save it there at once

A picture is known by its name without the ending. What was handled before is not handled again, however often the
watcher is started: every file has its idempotency key.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from watchfiles import Change
from watchfiles import watch as changes_in

from app import robots
from app.eye import Eye
from app.robots import Sight
from app.settings import Settings
from app.sorters import Sorters
from db import observations, placements
from db.errors import BadInput
from db.observations import Observation
from oracle.sorting import Costs

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
BY = "watch"


@dataclass(frozen=True)
class Noticed:
    """What became of one file. said: a sentence for people."""

    file: str
    action: str
    bin: str | None
    confidence: float | None
    said: str


def watch(
    settings: Settings, folder: Path, criterion: str, costs: Costs, tell: Callable[[Noticed], None],
    stop: threading.Event, once: bool = False,
) -> int:  # fmt: skip
    """Handle what lies in a folder, then, unless `once`, whatever comes, until stopped; the session's id.

    Raises: BadInput for what is no folder, NotFound for the criterion, Conflict where the folder's session was closed.
    """
    if not folder.is_dir():
        raise BadInput(f"'{folder}' is no folder. Name the one that the camera writes into.")
    eye = Eye(settings)
    with closing(settings.open()) as database:
        try:
            with database.write() as s:
                session, _ = robots.begin(s, criterion, folder.resolve().name[:80], costs, (BY, str(folder.resolve())))
            watcher = Watcher(Sorters(settings, database, eye), session.id, folder)
            for files in _batches(folder, stop, once):
                for noticed in watcher.handle(files):
                    tell(noticed)
        finally:
            eye.stop()
    return session.id


class Watcher:
    """Turns files of a folder into observations and placements of one session."""

    def __init__(self, sorters: Sorters, session: int, folder: Path) -> None:
        self.sorters, self.session, self.folder = sorters, session, folder

    def handle(self, files: Iterable[Path]) -> Iterator[Noticed]:
        """What became of each picture, in the order they were written; other files are left alone."""
        pictures = [(one, written) for one in files if one.suffix.lower() in ENDINGS and (written := _written(one))]
        for file, _ in sorted(pictures, key=lambda pair: (pair[1], pair[0])):
            place = file.relative_to(self.folder)
            if len(place.parts) > 2:
                continue
            try:
                encoded = file.read_bytes()
                yield self._handled(place, encoded)
            except (BadInput, OSError) as error:
                yield Noticed(str(place), "refused", None, None, f"{place}: {error}")

    def _handled(self, place: Path, encoded: bytes) -> Noticed:
        sha = hashlib.sha256(encoded).hexdigest()
        seen, again = robots.observe(
            self.sorters, self.session, Sight(encoded, object=place.stem), (BY, f"{self.session} {place.stem} {sha}")
        )  # fmt: skip
        if len(place.parts) == 2:
            return self._put(place, seen)
        told = seen.reply
        if again:
            return Noticed(str(place), "known", None, None, f"{place}: was handled before")
        where = f" into {told['bin']} ({told['confidence']:.0%})" if told["action"] == "sort" else ""
        return Noticed(str(place), told["action"], told["bin"], told["confidence"], f"{place}: {told['action']}{where}")

    def _put(self, place: Path, seen: Observation) -> Noticed:
        """It lies in a bin now."""
        where = place.parts[0]
        with self.sorters.database.write() as s:
            newest = observations.newest_of(s, self.session, seen.object)
            before = placements.standing(s, newest)
            if before is not None and before.bin == where:
                return Noticed(str(place), "known", where, None, f"{place}: was handled before")
            kind = placements.CORRECTION if before is not None else placements.PLACEMENT
            placements.add(s, newest, kind, where, BY, f"{newest.id} {where} {before.id if before else 0}")
        return Noticed(str(place), kind, where, None, f"{place}: {kind} into {where}")


def _batches(folder: Path, stop: threading.Event, once: bool) -> Iterator[list[Path]]:
    """What lies there, then what changes."""
    yield [file for file in folder.rglob("*") if file.is_file()]
    if once:
        return
    for changes in changes_in(folder, stop_event=stop, step=50, debounce=400, rust_timeout=500, raise_interrupt=False):
        yield [Path(path) for change, path in changes if change is not Change.deleted]


def _written(file: Path) -> float | None:
    """When it was written; None where it is gone again."""
    try:
        return file.stat().st_mtime
    except OSError:
        return None

"""Videos: a frame every so many seconds, and the first of every shot. `video:every=0.5` takes two a second.

Needs the extra `video` (PyAV).
"""

import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.importers import videos
from app.importers.decoders import Killed, in_a_child
from app.importers.exact import Exact
from app.importers.formats import Described, Line
from app.importers.stores import EntryFault, FolderStore, Store
from db.errors import BadInput


@dataclass(frozen=True)
class Format:
    """every: seconds between two frames, above 0."""

    every: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.every < math.inf:
            raise BadInput(f"every = seconds above 0 expected, got {self.every}. Try 1.")

    def recognises(self, store: Store, manifest: str | None) -> bool:
        """One video, or a folder of nothing but videos."""
        return manifest is None and bool(store.names) and all(map(_is_video, store.names))

    def describe(self, store: Store, manifest: str | None) -> Described:
        """One line for each frame; its group key `shot` keeps frames that look alike together."""
        videos.require()
        if not isinstance(store, FolderStore):
            raise BadInput("videos are read from a folder. Unpack the archive first.")
        frames = FrameStore()
        described = Described(frames)
        try:
            for number, name in enumerate(filter(_is_video, store.names)):
                self._add(described, store, name, frames.room(number))
        except BaseException:
            frames.close()
            raise
        return described

    def _add(self, described: Described, store: FolderStore, name: str, room: Path) -> None:
        try:
            found = in_a_child(videos.extract, store.place(name), room, self.every)
        except EntryFault as fault:
            found = str(fault)
        except Killed:
            found = f"decoding the video crashed or took more than {videos.CPU_S} s of processor time"
        if isinstance(found, str):
            described.faults.append((name, found))
            return
        for frame in found:
            shot, file = f"{name}#{frame.shot}", f"{room.name}/{frame.file}"
            about = {"video": name, "second": frame.second, "shot": shot}
            known = Exact(f"{name}@{frame.second:.3f}s", attributes=about, groups={"shot": shot})
            described.store.names.append(file)
            described.lines.append(Line(known.name, file, about, known))


def _is_video(name: str) -> bool:
    return name.lower().endswith(videos.ENDINGS)


class FrameStore(FolderStore):
    """Frames in a folder that is gone when the store is closed; one room for each video."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pairwright-frames-"))
        super().__init__(self.folder)

    def room(self, number: int) -> Path:
        """A new folder for the frames of one video."""
        made = self.folder / str(number)
        made.mkdir()
        return made

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

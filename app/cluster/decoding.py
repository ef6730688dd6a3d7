"""Pictures read and decoded by workers of Ray Data, each with limited children of its own; this process writes rows."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from app.cluster.data import Row, mapped
from app.cluster.start import Reach
from app.importers.decode import Refused, Stored
from app.importers.decoders import Decoders, Pending, Task
from app.importers.run import Decoded, read
from app.importers.sources import Source

AT_ONCE = 32  # pictures handed to a worker together
Opening = Callable[[], AbstractContextManager[Source]]


@dataclass(frozen=True)
class Decoding:
    """In place of `app.importers.decoders`. opening: how a worker opens the source for itself."""

    reach: Reach
    opening: Opening

    def __call__(self, source: Source, workspace: Path, task: Task) -> Iterator[Decoded]:
        """Every entry of the source, in order. task: what a worker's child does with a picture."""
        rows = [{"number": number, "file": entry.file} for number, entry in enumerate(source.entries)]
        for row in mapped(self.reach, rows, partial(_Decoder, self.opening, workspace, task), AT_ONCE):
            yield int(row["number"]), str(row["sha"]), _outcome(row)


class _Decoder:
    """A worker: its own view of the source, and a child that decodes."""

    def __init__(self, opening: Opening, workspace: Path, task: Task) -> None:
        self._opened = opening()
        self.source, self.decoders = self._opened.__enter__(), Decoders(workspace, 1, task)

    def __call__(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        begun = [(row, self._begun(str(row["file"]))) for row in rows]
        return [self._told(row, one) for row, one in begun]

    def _begun(self, file: str) -> Pending | Refused:
        encoded = read(self.source, file)
        if isinstance(encoded, Refused):
            return encoded
        return self.decoders.submit(encoded, hashlib.sha256(encoded).hexdigest())

    def _told(self, row: Row, begun: Pending | Refused) -> dict[str, Any]:
        """As plain values."""
        sha, outcome = ("", begun) if isinstance(begun, Refused) else (begun.sha, self.decoders.result(begun))
        stored = outcome if isinstance(outcome, Stored) else Stored(0, 0, "")
        reason = outcome.reason if isinstance(outcome, Refused) else ""
        size = {"width": stored.width, "height": stored.height, "path": stored.path}
        return {"number": row["number"], "sha": sha, "reason": reason, **size}


def _outcome(row: Row) -> Stored | Refused:
    if row["path"]:
        return Stored(int(row["width"]), int(row["height"]), str(row["path"]))
    return Refused(str(row["reason"]))

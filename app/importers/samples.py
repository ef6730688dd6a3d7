"""Bring in what a program has in memory or reads by itself: torchvision data sets, any sequence of pictures.

    from torchvision.datasets import FashionMNIST
    import_samples(database, workspace, FashionMNIST("data"), "fashion", classes=FashionMNIST.classes)

Every picture is encoded as PNG, the same one always to the same bytes, and goes through the same checks as a file.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from app.importers import Cancelled, ImportReport, Progress
from app.importers.columns import Columns
from app.importers.run import run_import
from app.importers.sources import Entry, Source
from app.importers.stores import EntryFault

if TYPE_CHECKING:
    from db.engine import Database

LABEL = "label"


class Samples(Protocol):
    """A sequence of (picture, what is known about it). torchvision's data sets are such sequences."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int, /) -> Any: ...


def import_samples(
    database: "Database", workspace: Path, samples: Samples, collection: str, *, classes: Sequence[str] = (),
    name: str = "sample", progress: Progress | None = None, cancelled: Cancelled | None = None,
    workers: int | None = None,
) -> ImportReport:  # fmt: skip
    """Import every sample: (picture, label), (picture, mapping of attributes), or a picture alone.

    Args: samples: pictures are PIL images, or arrays of (H, W), (H, W, 3) uint8. classes: names of labels that are
    numbers. name: of the items, which are numbered.
    """
    store = SampleStore(samples, name)
    entries = [Entry(one, one, {}) for one in store.names]
    source = Source(store, entries, [])
    return run_import(
        database, Path(workspace), source, collection, Columns(), progress, cancelled, workers,
        about=lambda entry: {"attributes": _known(store.known(entry.file), classes)},
    )  # fmt: skip


class SampleStore:
    """Samples as files `NAME-NUMBER`; each is asked for once, and what is known about it kept until it is imported."""

    def __init__(self, samples: Samples, name: str) -> None:
        self._samples = samples
        self.names = [f"{name}-{number:06}" for number in range(len(samples))]
        self.faults: list[tuple[str, str]] = []
        self._place = {one: number for number, one in enumerate(self.names)}
        self._about: dict[str, Any] = {}

    def read(self, name: str, limit: int) -> bytes:
        try:
            sample = self._samples[self._place[name]]
            picture, self._about[name] = sample[:2] if isinstance(sample, tuple | list) else (sample, None)
            return _png(picture)[: limit + 1]
        except Exception as error:  # other people's code may raise anything
            raise EntryFault(f"the sample cannot be read ({type(error).__name__}: {error})"[:200]) from error

    def known(self, name: str) -> Any:
        """What came with a sample that was read; told once."""
        return self._about.pop(name, None)

    def close(self) -> None: ...


def _png(picture: Any) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(np.asarray(picture))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _known(about: Any, classes: Sequence[str]) -> dict[str, Any]:
    if isinstance(about, Mapping):
        return {str(key): value for key, value in about.items()}
    if about is None:
        return {}
    plain = about.item() if hasattr(about, "item") else about
    named = isinstance(plain, int) and 0 <= plain < len(classes)
    return {LABEL: classes[plain] if named else plain}

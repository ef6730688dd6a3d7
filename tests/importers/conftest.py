"""Pictures drawn by formula, and a workspace with an empty database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.importers import ImportReport, import_path
from db import catalog
from db.engine import Database, open_database
from db.nouns import Item

Paint = Callable[..., bytes]


def paint(seed: int = 0, size: tuple[int, int] = (40, 30), kind: str = "PNG", **save: object) -> bytes:
    """An encoded picture; another seed gives other bytes."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    out = BytesIO()
    Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC).save(out, kind, **save)
    return out.getvalue()


@dataclass(frozen=True)
class Desk:
    """A workspace, its database, and a folder `source` to import from."""

    database: Database
    workspace: Path
    source: Path

    def run(self, source: Path | None = None, **settings: object) -> ImportReport:
        """Import with one process, into the collection `pictures`."""
        bound = partial(import_path, self.database, self.workspace, source or self.source, "pictures", workers=1)
        return bound(**settings)  # type: ignore[arg-type]

    def items(self) -> list[Item]:
        """What is in the collection; empty if there is none."""
        with self.database.read() as s:
            found = [there.id for there in catalog.collections(s) if there.name == "pictures"]
            return list(catalog.items(s, found[0])) if found else []

    def put(self, name: str, content: bytes) -> Path:
        """A file in the source folder."""
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    workspace, source = tmp_path / "workspace", tmp_path / "source"
    workspace.mkdir()
    source.mkdir()
    database = open_database(f"sqlite:///{workspace / 'pairwright.sqlite'}")
    yield Desk(database, workspace, source)
    database.close()


@pytest.fixture(name="paint")
def paint_() -> Paint:
    return paint

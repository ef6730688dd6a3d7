"""Made-up pictures, a criterion and questions, served by the real server with its trainer beside it."""

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from safetensors.numpy import save as to_bytes

from app.settings import Settings
from db import catalog, users, versions
from db.artifacts import ArtifactStore
from db.catalog import NewItem
from db.engine import Database
from db.nouns import Snapshot
from trainer.snapshot import save as save_snapshot

ROOT = Path(__file__).parents[2]
COLOURS = ("#c0392b", "#2980b9", "#27ae60", "#f39c12", "#8e44ad", "#16a085")
SERVE = """
import sys
from pathlib import Path
from app.server import serve
from app.settings import Settings
serve(Settings(Path(sys.argv[1]), trainer=sys.argv[2] == "1"), port=0, auto_login=True)
"""


def picture(number: int, side: int = 320) -> bytes:
    """A JPEG of one of 24 kinds (shape and colour), each a little different."""
    image = Image.effect_noise((side, side), 30).convert("RGB")
    draw = ImageDraw.Draw(image)
    edge = side // 8 + number % 31
    box = (edge, edge, side - edge, side - side // 8 - number % 17)
    draw_shape = (draw.ellipse, draw.rectangle, draw.chord, draw.pieslice)[number % 4]
    angles = () if number % 4 < 2 else (20, 300)
    draw_shape(box, *angles, fill=COLOURS[number // 4 % len(COLOURS)])  # type: ignore[operator]
    out = BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def made(folder: Path, pictures: int, items: int) -> tuple[Settings, Database, dict[str, str]]:
    """A workspace with so many pictures to teach, and a second collection of so many items that share one picture.

    Returns also a token for each of eight annotators.
    """
    settings = Settings(folder)
    database = settings.open()
    new = [_kept(folder, number) for number in range(pictures)]
    with database.write() as s:
        taught = catalog.add_collection(s, "made up")
        catalog.add_items(s, taught, new)
        catalog.add_criterion(s, "kind", taught, "The same kind of thing?")
        tokens = {}
        users.add(s, "admin", "admin")
        for number in range(8):
            users.add(s, f"annotator {number}", "annotator")
            tokens[f"annotator {number}"] = users.issue_token(s, f"annotator {number}", "benchmark")
    if items:
        with database.write() as s:
            many = catalog.add_collection(s, "very many")
            catalog.add_items(s, many, [_copy(new[0], number) for number in range(items)])
            seen(
                settings,
                s,
                catalog.add_criterion(s, "many", many, "The same one?"),
                np.array([one.id for one in catalog.items(s, many)]),
            )
    return settings, database, tokens


def seen(settings: Settings, s: Any, criterion: int, ids: np.ndarray) -> None:
    """A served version that puts these items into eleven groups: one of nine in ten of them, and ten of the others."""
    count, rng = len(ids), np.random.default_rng(0)
    start = np.where(np.arange(count) % 10, 0, 1 + np.arange(count) // 10 % 10)
    vectors = np.eye(16, dtype=np.float32)[start] + rng.normal(scale=0.1, size=(count, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    beside = (np.arange(count)[:, None] + 100 * np.arange(1, 6)) % count
    shot = Snapshot(1, ids, vectors, beside, np.full(beside.shape, 0.9, np.float32), start)
    store = ArtifactStore(str(settings.folder / "artifacts"))
    save_snapshot(store, "many", shot, to_bytes({"weight": np.eye(16, dtype=np.float32)}))
    made = versions.add(s, criterion, parent=None, artifact="many", last_event=0, metrics={}, encoder="lite0")
    versions.promote(s, made)


def _kept(folder: Path, number: int) -> NewItem:
    encoded = picture(number)
    sha = hashlib.sha256(encoded).hexdigest()
    path = Path("media") / sha[:2] / f"{sha}.jpg"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(encoded)
    kind = f"{number % 4}-{number // 4 % len(COLOURS)}"
    return NewItem(sha, 320, 320, path.as_posix(), name=f"{kind}-{number:05}.jpg", attributes={"kind": kind})


def _copy(one: NewItem, number: int) -> NewItem:
    sha = hashlib.sha256(str(number).encode()).hexdigest()
    return NewItem(sha, one.width, one.height, one.path, name=f"{number:06}.jpg")


@contextmanager
def served(folder: Path, trainer: bool = True) -> Iterator[str]:
    """The real server; yields its address and stops it as Ctrl-C would."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", SERVE, str(folder), "1" if trainer else "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = next((found[0] for line in process.stdout if (found := re.findall(r"http://[\w.:]+", line))), "")
            if not address:
                raise RuntimeError("the server did not start; its last words are above.")
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)

"""A collection's pictures as equal squares in one memory-mapped file, quick to draw batches from."""

import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from db.errors import Broken
from trainer.originals import original
from trainer.pictures import decode_square

log = logging.getLogger("pairwright.training")
BLOCK = 256


class Pictured(Protocol):
    """What has a picture in the workspace: an item, or a synthetic picture."""

    @property
    def id(self) -> int: ...

    @property
    def sha256(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def name(self) -> str: ...


def squares(
    folder: Path,
    items: Sequence[Pictured],
    workspace: Path,
    side: int,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(N, side, side, 3) uint8 and (N,) rising ids of the readable pictures; what the folder holds is used again.

    A picture that cannot be read is left out and logged. A cancelled call returns what there is. Raises: Broken if the
    disk fails.
    """
    known = [item.sha256 for item in sorted(items, key=lambda item: item.id)]
    path, note = folder / "squares.u8", folder / "squares.json"
    if (found := _kept(path, note, known, side)) is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        shape = (len(items), side, side, 3)
        pixels = np.memmap(path, np.uint8, "w+", shape=shape)
        ids = _fill(pixels, sorted(items, key=lambda item: item.id), workspace, progress, cancelled)
        pixels.flush()
        if cancelled is None or not cancelled():
            note.write_text(json.dumps({"side": side, "known": known, "ids": ids.tolist()}), encoding="utf-8")
    except OSError as error:
        raise Broken(f"cannot keep pictures in {folder} ({error.strerror}). Free some space.") from error
    return pixels[: len(ids)], ids


def _fill(
    pixels: np.ndarray,
    items: Sequence[Pictured],
    workspace: Path,
    progress: Callable[[int, int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> np.ndarray:
    side = pixels.shape[1]
    ids: list[int] = []
    with ThreadPoolExecutor(max_workers=2) as threads:
        for at in range(0, len(items), BLOCK):
            if cancelled is not None and cancelled():
                break
            block = items[at : at + BLOCK]
            for item, square in zip(block, threads.map(lambda i: _square(i, workspace, side), block), strict=True):
                if square is not None:
                    pixels[len(ids)] = square
                    ids.append(item.id)
            if progress is not None:
                progress(min(at + BLOCK, len(items)), len(items))
    return np.array(ids, np.int64)


def _square(item: Pictured, workspace: Path, side: int) -> np.ndarray | None:
    try:
        return decode_square(original(workspace, item.path, item.sha256), side, Image.Resampling.BICUBIC)
    except (OSError, ValueError) as error:
        log.warning("item %d (%s) is left out: its picture cannot be read (%s)", item.id, item.name, error)
        return None


def _kept(path: Path, note: Path, known: list[str], side: int) -> tuple[np.ndarray, np.ndarray] | None:
    """What an earlier call left, if it was about the same pictures and is whole."""
    try:
        said = json.loads(note.read_bytes())
        if said["side"] != side or said["known"] != known:
            return None
        pixels = np.memmap(path, np.uint8, "r", shape=(len(known), side, side, 3))
        return pixels[: len(said["ids"])], np.array(said["ids"], np.int64)
    except (OSError, ValueError, KeyError, TypeError):
        return None

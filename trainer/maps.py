"""Maps of a still trunk in the place of pictures: computed once, kept in a memory-mapped file, drawn views of.

picture -> square -> trunk (engine of `trainer.encoders`) -> (s, s, C) float16, as `trainer.squares` keeps pixels
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor, nn

from db.errors import BadInput, Broken
from db.nouns import Item
from trainer.encoders import _engine
from trainer.originals import original
from trainer.pictures import decode_square
from trainer.recipe import Recipe

log = logging.getLogger("pairwright.training")
BLOCK = 64
LEAST = 4  # places a side of a view, at least
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class MapViews:
    """A view of a map: a square of places, the same for the batch; left and right swapped for half of the maps. side:
    as in `trainer.views.Views`, 1 for up to the whole map."""

    side: float = 1.0

    def __call__(self, maps: Tensor, random: Generator) -> Tensor:
        """(B, C, s, s) -> (B, C, v, v) float32, LEAST <= v <= s."""
        most = max(round(self.side * maps.shape[-1]), 1)
        v = int(torch.randint(min(LEAST, most), most + 1, (), generator=random))
        row, column = torch.randint(maps.shape[-1] - v + 1, (2,), generator=random).tolist()
        cut = maps[:, :, row : row + v, column : column + v].float()
        swapped = (torch.rand(len(maps), generator=random) < 0.5).to(maps.device)
        return torch.where(swapped[:, None, None, None], cut.flip(3), cut)


def on_maps(recipe: Recipe) -> dict[str, Any]:
    """What of a recipe changes where it sees maps. Raises BadInput for one that needs pixels."""
    if not getattr(recipe.look, "takes_maps", recipe.look is None) or recipe.teacher:
        raise BadInput("this system needs pixels, and 'lite0_last' learns from maps. Say --set backbone=lite0.")
    return {"views": tuple(MapViews(one.side) for one in recipe.views)}


def maps(
    folder: Path, items: Sequence[Item], workspace: Path, trunk: nn.Module, told: Told, cancelled: Callable[[], bool]
) -> tuple[np.ndarray, np.ndarray]:
    """(N, s, s, C) float16 and (N,) rising ids of the readable pictures; what the folder holds is used again.

    A cancelled call returns what there is. Raises: Broken if the disk fails.
    """
    items = sorted(items, key=lambda item: item.id)
    known, note, path = [item.sha256 for item in items], folder / "maps.json", folder / "maps.f16"
    side, channels = int(trunk.size) // 32, int(trunk.channels)  # type: ignore[arg-type]
    shape = (len(items), side, side, channels)
    try:
        if note.exists() and (said := json.loads(note.read_bytes()))["known"] == known:
            return np.memmap(path, np.float16, "r", shape=shape)[: len(said["ids"])], np.array(said["ids"], np.int64)
        folder.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        kept = np.memmap(path, np.float16, "w+", shape=shape)
        ids: list[int] = []
        for found, rows in _computed(items, workspace, trunk, told, cancelled):
            kept[len(ids) : len(ids) + len(rows)] = rows.transpose(0, 2, 3, 1)
            ids += [item.id for item in found]
        kept.flush()
        if not cancelled():
            note.write_text(json.dumps({"known": known, "ids": ids}), encoding="utf-8")
    except OSError as error:
        raise Broken(f"cannot keep maps in {folder} ({error.strerror}). Free some space.") from error
    return kept[: len(ids)], np.array(ids, np.int64)


def _computed(
    items: Sequence[Item], workspace: Path, trunk: nn.Module, told: Told, cancelled: Callable[[], bool]
) -> Iterator[tuple[list[Item], np.ndarray]]:
    """Block by block the readable items and their (n, C, s, s) maps."""
    side = int(trunk.size)  # type: ignore[arg-type]
    run = _engine.build(_engine.Normalised(trunk, trunk.mean, trunk.std), side)  # type: ignore[arg-type]
    for at in range(0, len(items), BLOCK):
        if cancelled():
            return
        squares = [(item, _square(item, workspace, side)) for item in items[at : at + BLOCK]]
        read = [(item, square) for item, square in squares if square is not None]
        if read:
            yield [item for item, _ in read], run(np.stack([square for _, square in read]))
        told(min(at + BLOCK, len(items)), len(items))


def _square(item: Item, workspace: Path, side: int) -> np.ndarray | None:
    try:
        return decode_square(original(workspace, item.path, item.sha256), side, Image.Resampling.BICUBIC)
    except (OSError, ValueError) as error:
        log.warning("item %d (%s) is left out: its picture cannot be read (%s)", item.id, item.name, error)
        return None

"""What methods make of a picture: its augmented views, small and re-encoded."""

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

from app.comparing import Wish
from app.settings import Settings
from db import catalog
from db.engine import Database
from db.errors import PairwrightError
from db.nouns import Item, Snapshot

if TYPE_CHECKING:
    from trainer.views import Views

PICTURES, SIDE = 2, 128  # whose views are shown, and how large


def sights(settings: Settings, database: Database, snapshot: Snapshot, wish: Wish) -> list[dict[str, Any]]:
    """Pictures as the methods would see them: [{methods, pictures: [{item, views: [data address]}]}]."""
    from trainer.comparing import seen

    pixels, items = _squares(settings, database, snapshot, wish.seed)
    if not len(items):
        return []
    made = []
    for views, methods in _kinds_of_views(wish).items():
        drawn = seen(views, pixels, wish.seed)
        shown = [
            {"item": item.id, "views": [_address(one) for one in of]} for item, of in zip(items, drawn, strict=True)
        ]
        made.append({"methods": methods, "pictures": shown})
    return made


def _kinds_of_views(wish: Wish) -> "dict[tuple[Views, ...], list[str]]":
    """Which methods see alike."""
    from trainer.recipe import build

    found: dict[tuple[Views, ...], list[str]] = {}
    for name in wish.methods:
        try:
            found.setdefault(build(name, wish.settings(name)).views, []).append(name)
        except PairwrightError:
            continue  # it is refused with its sentence already
    return found


def _squares(settings: Settings, database: Database, snapshot: Snapshot, seed: int) -> tuple[np.ndarray, list[Item]]:
    """(P, S, S, 3) uint8 of some readable pictures."""
    from PIL import Image

    from app.importers.media import media_bytes
    from trainer.pictures import decode_square

    some = np.random.default_rng(seed).permutation(snapshot.ids)[: 4 * PICTURES].tolist()
    with database.read() as s:
        items = catalog.items_by_id(s, some)
    found: list[tuple[np.ndarray, Item]] = []
    for item in (items[number] for number in some if number in items):
        try:
            small, _ = media_bytes(settings.folder, item.sha256, item.path, 2 * SIDE)
            found.append((decode_square(small, SIDE, Image.Resampling.BICUBIC), item))
        except PairwrightError:
            continue  # the Data tab says what is wrong with it
    found = found[:PICTURES]
    return np.array([pixels for pixels, _ in found]), [item for _, item in found]


def _address(pixels: np.ndarray) -> str:
    """A view as a small re-encoded picture that carries itself."""
    from PIL import Image

    from app.importers import decode

    return "data:image/webp;base64," + b64encode(decode.webp(Image.fromarray(pixels))).decode()

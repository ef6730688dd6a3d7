"""Which captions do not fit their pictures? By a network that `pairwright train` taught to read both.

collection -> items with words in the column -> squares or maps -> trainer.pair_scores -> chance of each
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from app.settings import Settings
from db import catalog, versions
from db.engine import Database
from db.errors import BadInput
from db.nouns import Item
from trainer.attributes import Attributes

Told = Callable[[str, int, int], None]  # what is going on, done, of


@dataclass(frozen=True)
class Matched:
    """How likely each caption belongs to its picture. rows: item, name, caption and p, the least likely first."""

    collection: str
    encoder: str
    column: str
    rows: list[dict[str, object]]


def caption_chances(
    settings: Settings, database: Database, collection: str, encoder: str, *, column: str = "", told: Told | None = None
) -> dict[int, float]:
    """Item id -> chance in [0, 1] that its caption belongs to its picture, as `trainer.pair_scores` defines it. Items
    without a caption, or whose picture cannot be read, are left out.

    Args: encoder: name of one that came of a system which reads words, see `encoder_of` for a version's. column: of the
    captions, "" for the one it was taught with. Raises: NotFound or BadInput for an unknown name or an empty column.
    """
    from trainer.readers import load_reader

    reader = load_reader(settings.store(), encoder)
    with database.read() as s:
        items = catalog.items(s, catalog.collection_id(s, collection))
    captions = captions_of(items, column or reader.column)
    wanted = [item for item in items if item.id in captions]
    pictures, ids = _pictures(settings.folder, wanted, reader.network.backbone, told or (lambda what, done, of: None))
    from trainer.pair_scores import pair_scores

    texts = [captions[number] for number in ids.tolist()]
    return dict(zip(ids.tolist(), pair_scores(reader.recipe, reader.network, pictures, texts).tolist(), strict=True))


def match(
    settings: Settings, database: Database, collection: str, encoder: str, column: str, told: Told | None = None
) -> Matched:
    """The same with names and captions, the least likely first."""
    from trainer.readers import load_reader

    column = column or load_reader(settings.store(), encoder).column
    chances = caption_chances(settings, database, collection, encoder, column=column, told=told)
    with database.read() as s:
        items = catalog.items_by_id(s, list(chances))
    captions = captions_of(list(items.values()), column)
    order = sorted(chances, key=lambda number: (chances[number], number))
    rows = [{"item": n, "name": items[n].name or "", "caption": captions[n], "p": chances[n]} for n in order]
    return Matched(collection, encoder, column, rows)


def encoder_of(database: Database, version: int) -> str:
    """The encoder of a model version. Raises: NotFound."""
    with database.read() as s:
        return versions.version(s, version).encoder


def captions_of(items: list[Item], column: str) -> dict[int, str]:
    """Item id -> its words in a column, where it has some. Raises: NotFound or BadInput where none has."""
    told = Attributes.of(items)
    found = {number: text for number, text in zip(told.ids.tolist(), told.texts(column), strict=True) if text}
    if not found:
        raise BadInput(f"no item has words in the column '{column}'. Name another with --column.")
    return found


def _pictures(workspace: Path, items: list[Item], backbone: object, told: Told) -> tuple[np.ndarray, np.ndarray]:
    """Pictures as the network wants them, and the ids of those that could be read."""
    from trainer.maps import maps
    from trainer.squares import squares

    reading = partial(told, "reading pictures")
    with TemporaryDirectory(dir=workspace, prefix="match-") as folder:
        if hasattr(backbone, "trunk"):
            found, ids = maps(Path(folder), items, workspace, backbone.trunk(), reading, lambda: False)
        else:
            found, ids = squares(Path(folder), items, workspace, int(backbone.size), reading)  # type: ignore[attr-defined]
        return np.array(found), ids

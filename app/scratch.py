"""A database of its own for one simulated run: same tables, same queue, same log as people use."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from db import catalog
from db.engine import Database, open_database
from db.nouns import Item

NAME = "log.sqlite"


def new_scratch(
    folder: Path, items: Sequence[Item], collection: str, criterion: str, prompt: str, *, name: str = NAME,
    captions: str = "", words: str = "",
) -> tuple[Database, int, list[Item]]:  # fmt: skip
    """Make `folder/name` anew; returns (database, criterion id, the items as they are there, in the order given).

    Ids there count from 1: they do not depend on what else the workspace holds, so a seed gives one curve anywhere.
    """
    for ending in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            (folder / (name + ending)).unlink()
    database = open_database(f"sqlite:///{(folder / name).absolute()}")
    with database.write() as s:
        number = catalog.add_collection(s, collection)
        catalog.add_items(s, number, [_copy(item) for item in items])
        about = catalog.add_criterion(s, criterion, number, prompt, captions, words)
    with database.read() as s:
        there = {item.sha256: item for item in catalog.items(s, number)}
    return database, about, [there[item.sha256] for item in items]


def _copy(item: Item) -> catalog.NewItem:
    return catalog.NewItem(
        sha256=item.sha256,
        width=item.width,
        height=item.height,
        path=item.path,
        name=item.name,
        caption=item.caption,
        taken_at=item.taken_at,
        latitude=item.latitude,
        longitude=item.longitude,
        audio=item.audio,
        attributes=dict(item.attributes),
        groups=dict(item.groups),
    )

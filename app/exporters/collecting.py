"""Gather what a data set is made of: every picture of a collection, with its group where a criterion is given."""

from pathlib import Path

from app.exporters.datasets import Group, Record
from app.homes import seen
from app.settings import Settings
from app.view import View, view
from db import catalog, group_names
from db.engine import Database
from db.errors import BadInput


def of_collection(database: Database, workspace: Path, collection: str) -> list[Record]:
    """Every picture by id, without groups. Raises NotFound, or BadInput for an empty collection."""
    with database.read() as s:
        items = catalog.items(s, catalog.collection_id(s, collection))
    if not items:
        raise BadInput(f"the collection '{collection}' has no items. Import some first: pairwright import.")
    return [Record(item, workspace) for item in items]


def of_criterion(settings: Settings, database: Database, criterion: str, version: int | None = None) -> list[Record]:
    """Every picture by id, with its group as people see it. Raises NotFound for the criterion or version."""
    shown = view(settings, database, criterion, version)
    groups = _groups(database, criterion, shown)
    return [Record(item, settings.folder, groups.get(item.id)) for item in shown.items.values()]


def _groups(database: Database, criterion: str, shown: View) -> dict[int, Group]:
    labels, ids = seen(shown.belief).labels.tolist(), shown.snapshot.ids.tolist()
    with database.read() as s:
        named = group_names.names(s, catalog.criterion(s, criterion).id)
    of_item = dict(zip(ids, labels, strict=True))
    names = {of_item[item]: one.name for item, one in named.items() if item in of_item}  # the newest name of a group
    return {
        item: Group(label, names.get(label, f"group {label}"), round(sure, 6), item in shown.stated)
        for item, label, sure in zip(ids, labels, shown.sure.tolist(), strict=True)
    }

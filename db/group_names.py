"""Names people give to groups. A group is only a row of today's partition, so a name is tied to one item of it.

Whatever group holds that item carries the name: it survives another clustering, a merge and a restart. Names are added,
never changed: the newest about an item counts, and an empty one takes it away.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import catalog, checks, events
from db.dialects import upsert
from db.errors import BadInput
from db.tables import GroupNameRow


@dataclass(frozen=True)
class GroupName:
    """id: grows with every naming, so the larger was said later. item: what the name is tied to."""

    id: int
    item: int
    name: str
    source: str


def give(s: Session, criterion: int, item: int, name: str, source: str, key: str) -> GroupName:
    """Name the group that holds an item; "" takes the name away. Once per (source, key) however often it is sent.

    Raises: BadInput for a bad name or a key used for another name, NotFound for the item or criterion.
    """
    there = catalog.criterion(s, criterion)
    catalog.require_items(s, there.collection, [item])
    given = checks.name(name, "group") if name.strip() else ""
    row = {
        "criterion_id": there.id,
        "item_id": item,
        "name": given,
        "source": checks.text(source, "a source", 200),
        "key": checks.text(key, "an idempotency key", 200),
    }
    made = s.scalar(upsert(s, GroupNameRow).on_conflict_do_nothing().returning(GroupNameRow.id), row)
    if made is not None:
        events.publish(s, "name", {"item": item, "name": given, "source": source}, there.id)
        return GroupName(made, item, given, source)
    mine = (GroupNameRow.source == row["source"], GroupNameRow.key == row["key"])
    earlier = s.scalars(select(GroupNameRow).where(*mine)).one()
    if (earlier.criterion_id, earlier.item_id, earlier.name) != (there.id, item, given):
        raise BadInput(f"the idempotency key '{key:.80}' was used for another name. Use a new key for each.")
    return GroupName(earlier.id, item, given, source)


def names(s: Session, criterion: int) -> dict[int, GroupName]:
    """Every name that counts now, by its item, in the order they were given."""
    newest = select(func.max(GroupNameRow.id)).where(GroupNameRow.criterion_id == criterion)
    rows = s.scalars(select(GroupNameRow).where(GroupNameRow.id.in_(newest.group_by(GroupNameRow.item_id))))
    found = sorted((row for row in rows if row.name), key=lambda row: row.id)
    return {row.item_id: GroupName(row.id, row.item_id, row.name, row.source) for row in found}

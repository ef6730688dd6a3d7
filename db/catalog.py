"""Collections, their items, and the criteria by which items belong together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db import checks, events
from db.dialects import upsert
from db.errors import BadInput, Conflict, NotFound, unknown
from db.nouns import Item
from db.tables import CollectionRow, CriterionRow, ItemRow

CHUNK = 1000
CAPTION_PROMPT = "Does this caption belong to this picture?"


@dataclass(frozen=True)
class Collection:
    """A named set of images. items: how many it holds."""

    id: int
    name: str
    items: int
    created_at: datetime


@dataclass(frozen=True)
class Criterion:
    """What "same" means. collection: id of the collection it is about. captions: the column whose words are asked
    about, "" where pairs are. words: who reads them, in a review and for a sentence people search with: files of
    trainer/towers joined by +, "" for the usual one."""

    id: int
    name: str
    collection: int
    prompt: str
    captions: str = ""
    words: str = ""


@dataclass(frozen=True)
class NewItem:
    """One image on its way in; the fields are those of `db.nouns.Item`. path is relative to the workspace."""

    sha256: str
    width: int
    height: int
    path: str
    name: str = ""
    caption: str | None = None
    taken_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    audio: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


def add_collection(s: Session, name: str) -> int:
    """Id of the collection with this name, made if it does not exist. Raises BadInput."""
    given = checks.name(name, "collection")
    s.execute(upsert(s, CollectionRow).values(name=given).on_conflict_do_nothing())
    return collection_id(s, given)


def collection_id(s: Session, name: str) -> int:
    """Id of a collection by name. Raises NotFound with the nearest spelling."""
    found = s.scalar(select(CollectionRow.id).where(CollectionRow.name == name.strip()))
    if found is None:
        raise unknown("collection", name, s.scalars(select(CollectionRow.name)), remedy="Import images to make one.")
    return found


def collections(s: Session, after: int = 0, limit: int | None = None) -> list[Collection]:
    """Collections with the number of their items, by name; those behind the one with the id `after`."""
    count = select(func.count(ItemRow.id)).where(ItemRow.collection_id == CollectionRow.id).scalar_subquery()
    query = select(CollectionRow, count).order_by(CollectionRow.name).limit(limit)
    if after:
        query = query.where(
            CollectionRow.name > select(CollectionRow.name).where(CollectionRow.id == after).scalar_subquery()
        )
    rows = s.execute(query)
    return [Collection(row.id, row.name, items, row.created_at) for row, items in rows]


def add_items(s: Session, collection_id: int, new: Sequence[NewItem]) -> tuple[int, int]:
    """Add images; those already there (same bytes) only gain the metadata given now. Returns (added, known).

    Raises: BadInput for a field that cannot be stored, NotFound for the collection.
    """
    _require_collection(s, collection_id)
    rows = {row["sha256"]: row for row in (_checked(item, collection_id) for item in new)}
    added = 0
    shas = list(rows)
    for start in range(0, len(shas), CHUNK):
        added += _add_chunk(s, collection_id, {sha: rows[sha] for sha in shas[start : start + CHUNK]})
    return added, len(new) - added


def _add_chunk(s: Session, collection_id: int, rows: Mapping[str, dict[str, Any]]) -> int:
    known = select(ItemRow).where(ItemRow.collection_id == collection_id, ItemRow.sha256.in_(rows))
    merged = {row.sha256: _merged(row, rows[row.sha256]) for row in s.scalars(known)}
    if changed := [values for values in merged.values() if values]:
        s.execute(update(ItemRow), changed)
        events.publish(s, "items", {"collection": collection_id})
    fresh = [row for sha, row in rows.items() if sha not in merged]
    if not fresh:
        return 0
    statement = upsert(s, ItemRow).on_conflict_do_nothing(index_elements=["collection_id", "sha256"])
    return len(s.scalars(statement.returning(ItemRow.id), fresh).all())


def _merged(row: ItemRow, given: dict[str, Any]) -> dict[str, Any]:
    """What changes in a known item: values given now win, what is not given stays. Empty if nothing changes."""
    fields = ("name", "caption", "taken_at", "latitude", "longitude", "audio")
    wanted = {key: given[key] for key in fields if given[key] not in (None, "")}
    wanted["attributes"] = {**row.attributes, **given["attributes"]}
    wanted["groups"] = {**row.groups, **given["groups"]}
    changed = {key: value for key, value in wanted.items() if getattr(row, key) != value}
    return {"id": row.id, **{key: changed.get(key, getattr(row, key)) for key in wanted}} if changed else {}


def _checked(item: NewItem, collection_id: int) -> dict[str, Any]:
    size = {side: int(checks.number(getattr(item, side), side, 1, 2**31)) for side in ("width", "height")}
    return {
        "collection_id": collection_id,
        "sha256": checks.sha256(item.sha256),
        **size,
        "path": checks.relative_path(item.path, "an item's path"),
        "name": checks.text(item.name, "an item's name", 1000, shortest=0),
        "caption": None if item.caption is None else checks.text(item.caption, "a caption", 100_000, shortest=0),
        "taken_at": _moment(item.taken_at),
        "latitude": None if item.latitude is None else checks.number(item.latitude, "latitude", -90, 90),
        "longitude": None if item.longitude is None else checks.number(item.longitude, "longitude", -180, 360),
        "audio": None if item.audio is None else checks.text(item.audio, "an audio path", 4000),
        "attributes": checks.plain(item.attributes),
        "groups": {str(key): str(value) for key, value in checks.plain(item.groups).items()},
    }


def _moment(given: datetime | None) -> datetime | None:
    """Without a zone as the camera wrote it; with one, in UTC."""
    return given.astimezone(UTC).replace(tzinfo=None) if given is not None and given.tzinfo else given


def _item(row: ItemRow) -> Item:
    return Item(
        id=row.id,
        collection=row.collection_id,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        path=row.path,
        name=row.name,
        caption=row.caption,
        taken_at=row.taken_at,
        latitude=row.latitude,
        longitude=row.longitude,
        audio=row.audio,
        attributes=row.attributes,
        groups=row.groups,
    )


def items(s: Session, collection_id: int) -> list[Item]:
    """Every item of a collection, by id. Raises NotFound for the collection."""
    _require_collection(s, collection_id)
    columns = list(ItemRow.__table__.columns.values())
    rows = s.execute(select(*columns).where(ItemRow.collection_id == collection_id).order_by(ItemRow.id))
    return [_item(row) for row in rows]  # type: ignore[arg-type]


def attributes(s: Session, collection_id: int) -> list[tuple[int, Mapping[str, Any]]]:
    """Id and attributes of every item of a collection, by id, and nothing else of them."""
    query = select(ItemRow.id, ItemRow.attributes).where(ItemRow.collection_id == collection_id)
    return [(row.id, row.attributes) for row in s.execute(query.order_by(ItemRow.id))]


def understood(s: Session, collection_id: int) -> list[str]:
    """Of `time` and `place`, what import understood for at least one item of a collection."""
    of_it = ItemRow.collection_id == collection_id
    known = {"time": ItemRow.taken_at.is_not(None), "place": ItemRow.latitude.is_not(None)}
    return [name for name, there in known.items() if s.scalars(select(ItemRow.id).where(of_it, there).limit(1)).first()]


def named_items(s: Session, collection_id: int, text: str, limit: int = 24) -> list[Item]:
    """The first items whose name holds this text, in any case; the item with this id before all others."""
    plain = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    of_it = ItemRow.collection_id == collection_id
    found = s.scalars(
        select(ItemRow).where(of_it, ItemRow.name.ilike(f"%{plain}%", escape="\\")).order_by(ItemRow.id).limit(limit)
    )
    number = int(text) if text.strip().isdecimal() and len(text) < 16 else 0
    first = s.scalars(select(ItemRow).where(of_it, ItemRow.id == number))
    rows = {row.id: row for row in [*first, *found]}
    return [_item(row) for row in rows.values()][:limit]


def page_items(s: Session, collection_id: int, after: int = 0, limit: int = 100) -> list[Item]:
    """The next `limit` items whose id is larger than `after`."""
    query = select(ItemRow).where(ItemRow.collection_id == collection_id, ItemRow.id > after)
    return [_item(row) for row in s.scalars(query.order_by(ItemRow.id).limit(limit))]


def credit(s: Session, collection_id: int) -> str:
    """Whom the pictures of a collection are owed to: the `credit` attribute of its first item, "" without one."""
    first = page_items(s, collection_id, limit=1)
    return str(first[0].attributes.get("credit") or "") if first else ""


def item(s: Session, id: int) -> Item:
    """One item. Raises NotFound."""
    row = s.get(ItemRow, checks.row_id(id, "an item's id"))
    if row is None:
        raise NotFound(f"no item with id {id}. List the items of the collection to see their ids.")
    return _item(row)


def item_by_sha(s: Session, collection_id: int, sha256: str) -> Item | None:
    """The item of a collection whose picture has these bytes."""
    mine = (ItemRow.collection_id == collection_id, ItemRow.sha256 == sha256)
    row = s.scalar(select(ItemRow).where(*mine))
    return None if row is None else _item(row)


def items_by_id(s: Session, ids: Sequence[int]) -> dict[int, Item]:
    """Several items at once, by id; ids that do not exist are left out."""
    found: dict[int, Item] = {}
    for chunk in _chunks([checks.row_id(one, "an item's id") for one in ids]):
        found |= {row.id: _item(row) for row in s.scalars(select(ItemRow).where(ItemRow.id.in_(chunk)))}
    return found


def add_criterion(
    s: Session, name: str, collection_id: int, prompt: str, captions: str = "", words: str = ""
) -> int:  # fmt: skip
    """Id of a new criterion; the same one again is no change. captions, words: as in `Criterion`.

    Raises: BadInput for a bad name or prompt, or a column without words; Conflict if the name means something else.
    """
    _require_collection(s, collection_id)
    given = checks.name(name, "criterion")
    asked = checks.text(prompt.strip() if isinstance(prompt, str) else prompt, "a criterion's prompt", 500)
    column = checks.text(captions.strip(), "a column of captions", 200, shortest=0)
    readers = checks.text(words.strip(), "who reads words", 200, shortest=0)
    values = {"name": given, "collection_id": collection_id, "prompt": asked, "captions": column or None,
              "words": readers or None}  # fmt: skip
    s.execute(upsert(s, CriterionRow).values(**values).on_conflict_do_nothing())
    there = criterion(s, given)
    if column and not texts(s, there):
        known = {key for _, one in attributes(s, collection_id) for key in one} | {"caption"}
        raise BadInput(
            f"no item of this collection has words in the column '{column}'. Columns: {', '.join(sorted(known))}."
        )
    if (there.collection, there.prompt, there.captions, there.words) != (collection_id, asked, column, readers):
        read = f", words read by {there.words}" if there.words else ""
        raise Conflict(f"a criterion named '{given}' already asks \"{there.prompt}\"{read}. Choose another name.")
    return there.id


def criterion(s: Session, name_or_id: str | int) -> Criterion:
    """One criterion by name (text) or id (number). Raises NotFound with the nearest spelling."""
    if isinstance(name_or_id, str):
        row = s.scalar(select(CriterionRow).where(CriterionRow.name == name_or_id.strip()))
    else:
        row = s.get(CriterionRow, checks.row_id(name_or_id, "a criterion's id"))
    if row is None:
        names = s.scalars(select(CriterionRow.name))
        raise unknown("criterion", str(name_or_id), names, remedy="Add one with: pairwright criterion add NAME.")
    return _criterion(row)


def criteria(s: Session, collection_id: int | None = None, after: int = 0, limit: int | None = None) -> list[Criterion]:
    """Every criterion, or those of one collection, by id; those behind the id `after`."""
    query = select(CriterionRow).where(CriterionRow.id > after).order_by(CriterionRow.id).limit(limit)
    if collection_id is not None:
        query = query.where(CriterionRow.collection_id == collection_id)
    return [_criterion(row) for row in s.scalars(query)]


def _criterion(row: CriterionRow) -> Criterion:
    return Criterion(row.id, row.name, row.collection_id, row.prompt, row.captions or "", row.words or "")


def texts(s: Session, about: Criterion) -> dict[int, str]:
    """The words beside each item of the criterion's collection, by id; items without any are left out."""
    found = ((one.id, one.words(about.captions)) for one in items(s, about.collection))
    return {item: words for item, words in found if words}


def require_items(s: Session, collection_id: int, ids: Sequence[int]) -> None:
    """Every id is an item of this collection. Raises NotFound naming the first that is not."""
    for chunk in _chunks(sorted(set(ids))):
        query = select(ItemRow.id).where(ItemRow.collection_id == collection_id, ItemRow.id.in_(chunk))
        if missing := set(chunk) - set(s.scalars(query)):
            raise NotFound(f"no item with id {min(missing)} in this collection. Ask only about items it holds.")


def _require_collection(s: Session, collection_id: int) -> None:
    if s.get(CollectionRow, checks.row_id(collection_id, "a collection's id")) is None:
        raise NotFound(f"no collection with id {collection_id}. Import images to make one.")


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]

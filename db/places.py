"""Where the pictures of items lie, in whatever collection: paths by the hash of their bytes."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import checks
from db.tables import ItemRow

CHUNK = 500


def paths(s: Session, shas: Sequence[str]) -> dict[str, str]:
    """SHA-256 -> path of the pictures with these hashes; those that nobody has are left out."""
    found: dict[str, str] = {}
    for start in range(0, len(shas), CHUNK):
        some = select(ItemRow.sha256, ItemRow.path).where(ItemRow.sha256.in_(shas[start : start + CHUNK]))
        found.update((row.sha256, row.path) for row in s.execute(some.order_by(ItemRow.id.desc())))
    return found


def named(s: Session, file: str) -> bool:
    """Whether any item lies in this big file, whose path ends before the `@`."""
    inside = select(ItemRow.id).where(ItemRow.path.startswith(f"{file}@", autoescape=True))
    return s.scalar(inside.limit(1)) is not None


def move(s: Session, moved: Mapping[str, str]) -> None:
    """Say where pictures lie from now on: SHA-256 -> path. Their bytes are the same. Raises BadInput."""
    for sha, path in moved.items():
        place = checks.relative_path(path, "an item's path")
        s.execute(update(ItemRow).where(ItemRow.sha256 == checks.sha256(sha)).values(path=place))

"""Model versions of a criterion: which was learnt from what, and which one is served.

status: candidate (new) -> promoted (served; at most one) -> retired (served once; rollback returns to it);
kept: not served, because it was not better or because it was rolled back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from db import catalog, checks, events
from db.clock import now
from db.errors import NotFound, Refused
from db.tables import SnapshotRow, VersionRow


@dataclass(frozen=True)
class Version:
    """One trained model. last_event: the last event of the log it has learnt from."""

    id: int
    criterion: int
    parent: int | None
    artifact: str
    last_event: int
    metrics: Mapping[str, Any]
    encoder: str
    status: str
    promoted_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class StoredSnapshot:
    """Where the embeddings of a version are. checksum: SHA-256 of the artifact's manifest."""

    id: int
    version: int
    artifact: str
    checksum: str
    items: int
    created_at: datetime


def add(
    s: Session,
    criterion: int,
    *,
    parent: int | None,
    artifact: str,
    last_event: int,
    metrics: Mapping[str, Any],
    encoder: str,
) -> int:
    """Id of a new version, as a candidate. Raises NotFound for the criterion or the parent."""
    catalog.criterion(s, criterion)
    if parent is not None:
        version(s, parent)
    row = {
        "criterion_id": criterion,
        "parent_id": parent,
        "artifact": checks.text(artifact, "an artifact's name", 500),
        "last_event": int(checks.number(last_event, "last_event", 0, checks.LARGEST_ID)),
        "metrics": checks.plain(metrics),
        "encoder": checks.text(encoder, "an encoder's name", 200),
        "status": "candidate",
    }
    return int(s.scalar(insert(VersionRow).returning(VersionRow.id), row) or 0)


def promote(s: Session, id: int) -> None:
    """Serve this version; the one served before is retired. Publishes a promotion. Raises NotFound."""
    chosen = version(s, id)
    serving = current(s, chosen.criterion)
    if serving is not None and serving.id == id:
        return
    _serve(s, chosen, serving, leave="retired")


def rollback(s: Session, criterion: int) -> int:
    """Serve the version that was served before the current one; returns its id. Raises Refused if there is none."""
    mine = (VersionRow.criterion_id == criterion, VersionRow.status == "retired")
    previous = s.scalar(select(VersionRow.id).where(*mine).order_by(VersionRow.promotion.desc()).limit(1))
    if previous is None:
        raise Refused("no earlier version was promoted. Promote another version instead.")
    _serve(s, version(s, previous), current(s, criterion), leave="kept")
    return previous


def keep(s: Session, id: int) -> None:
    """Mark a candidate as not better: kept, not served. Raises NotFound, or Refused for the served one."""
    if version(s, id).status == "promoted":
        raise Refused(f"version {id} is being served. Promote another one or roll back first.")
    s.execute(update(VersionRow).where(VersionRow.id == id).values(status="kept"))


def current(s: Session, criterion: int) -> Version | None:
    """The version being served, if any."""
    mine = (VersionRow.criterion_id == criterion, VersionRow.status == "promoted")
    row = s.scalar(select(VersionRow).where(*mine))
    return None if row is None else _version(row)


def version(s: Session, id: int) -> Version:
    """One version. Raises NotFound."""
    row = s.get(VersionRow, checks.row_id(id, "a version's id"))
    if row is None:
        raise NotFound(f"no model version with id {id}. List the versions to see their ids.")
    return _version(row)


def versions(s: Session, criterion: int) -> list[Version]:
    """Every version of a criterion, oldest first."""
    rows = s.scalars(select(VersionRow).where(VersionRow.criterion_id == criterion).order_by(VersionRow.id))
    return [_version(row) for row in rows]


def add_snapshot(s: Session, version_id: int, *, artifact: str, checksum: str, items: int) -> int:
    """Note where a version's embeddings are stored. Raises NotFound for the version."""
    version(s, version_id)
    row = {"version_id": version_id, "artifact": artifact, "checksum": checks.sha256(checksum), "items": items}
    return int(s.scalar(insert(SnapshotRow).returning(SnapshotRow.id), row) or 0)


def snapshot(s: Session, version_id: int) -> StoredSnapshot | None:
    """The newest snapshot of a version, if there is one."""
    query = select(SnapshotRow).where(SnapshotRow.version_id == version_id).order_by(SnapshotRow.id.desc()).limit(1)
    row = s.scalar(query)
    if row is None:
        return None
    return StoredSnapshot(row.id, row.version_id, row.artifact, row.checksum, row.items, row.created_at)


def _serve(s: Session, chosen: Version, serving: Version | None, *, leave: str) -> None:
    mine = VersionRow.criterion_id == chosen.criterion
    s.execute(update(VersionRow).where(mine, VersionRow.status == "promoted").values(status=leave))
    count = s.scalar(select(func.max(VersionRow.promotion)).where(mine)) or 0
    served = {"status": "promoted", "promotion": count + 1, "promoted_at": now()}
    s.execute(update(VersionRow).where(VersionRow.id == chosen.id).values(served))
    previous = None if serving is None else serving.id
    events.publish(s, "promotion", {"version": chosen.id, "previous": previous}, chosen.criterion)


def _version(row: VersionRow) -> Version:
    return Version(
        id=row.id,
        criterion=row.criterion_id,
        parent=row.parent_id,
        artifact=row.artifact,
        last_event=row.last_event,
        metrics=row.metrics,
        encoder=row.encoder,
        status=row.status,
        promoted_at=row.promoted_at,
        created_at=row.created_at,
    )

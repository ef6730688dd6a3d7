"""Store a model version so that a kill at any point leaves either all of it or nothing that counts.

    head and snapshot -> artifact store (fsynced, renamed) -> one transaction: lead checked, version served or kept

Before the transaction there is only an artifact nobody refers to, which `sweep` removes later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import numpy as np

from db import events, runs, versions
from db.artifacts import ArtifactStore
from db.engine import Database
from db.errors import Broken
from db.nouns import Snapshot
from db.versions import Version
from trainer import snapshot as snapshots
from trainer.head import Head
from trainer.leading import Lead
from trainer.learner import renumbered
from trainer.searching import INDEX, forget

KEPT_CACHES = 6  # newest versions whose snapshots stay on disk; older ones are rebuilt when somebody asks


@dataclass(frozen=True)
class Draft:
    """A version before it has a number. last_event: newest event of the log it has learnt from; serve: promote it.
    beside: further files to keep with the head."""

    criterion: int
    snapshot: Snapshot
    head: Head
    parent: Version | None
    last_event: int
    metrics: Mapping[str, Any]
    encoder: str
    serve: bool = True
    run: int | None = None
    beside: Mapping[str, bytes] = field(default_factory=dict)


def commit(database: Database, store: ArtifactStore, lead: Lead, draft: Draft) -> Snapshot:
    """Store a draft and serve it if it should be and nobody promoted something else meanwhile.

    Returns: its snapshot under the version's number. Raises: StaleLease where somebody else leads by now.
    """
    name = f"models/{draft.criterion}/{uuid4().hex}"
    manifest = snapshots.save(store, name, draft.snapshot, draft.head.to_bytes(), draft.beside)
    with database.write() as s:
        lead.check(s)
        served = versions.current(s, draft.criterion)
        version = versions.add(
            s, draft.criterion, parent=draft.parent.id if draft.parent else None, artifact=name,
            last_event=draft.last_event, metrics=draft.metrics, encoder=draft.encoder,
        )  # fmt: skip
        versions.add_snapshot(
            s, version, artifact=name + snapshots.CACHE, checksum=manifest.checksum, items=len(draft.snapshot.ids)
        )
        events.publish(s, "version", {"version": version, "metrics": dict(draft.metrics)}, draft.criterion)
        unmoved = (served.id if served else None) == (draft.parent.id if draft.parent else None)
        if draft.serve and unmoved:
            versions.promote(s, version)
        elif not draft.serve:
            versions.keep(s, version)
        if draft.run is not None:
            runs.end(s, draft.run, "done", version, str(draft.metrics.get("reason", "")))
    return renumbered(draft.snapshot, version)


def head_of(store: ArtifactStore, version: Version) -> Head:
    """The stored head of a version."""
    return Head.from_bytes(snapshots.head_bytes(store, version.artifact))


def open_version(store: ArtifactStore, version: Version, features: np.ndarray, ids: np.ndarray) -> Snapshot:
    """The snapshot of any version, old ones too: from its cache, else from its head and the collection's features.

    Args: features (N, D) of the version's encoder, ids (N,). Raises: NotFound or Broken where the head is lost.
    """
    try:
        return snapshots.load(store, version.artifact, version.id)
    except Broken:
        return snapshots.build(ids, head_of(store, version).embed(features), version.id)


def sweep(database: Database, store: ArtifactStore, criterion: int) -> int:
    """Drop the snapshot caches of old versions that are not served, and what searched any of them; returns how many
    caches went."""
    with database.read() as s:
        known = versions.versions(s, criterion)
    forget(database, store, [version for version in known if version.status != "promoted"])
    old = [version.artifact for version in known[:-KEPT_CACHES] if version.status != "promoted"]
    return snapshots.prune(store, old)


def sweep_orphans(database: Database, store: ArtifactStore, criterion: int, older_than_s: float = 3600) -> int:
    """Remove artifacts that a kill left without a version row, once they are old; returns how many went."""
    ages = store.ages(f"models/{criterion}")
    with database.read() as s:
        known = {version.artifact for version in versions.versions(s, criterion)}
    gone = [name for name, age_s in ages.items() if age_s > older_than_s]
    gone = [name for name in gone if name.removesuffix(snapshots.CACHE).removesuffix(INDEX) not in known]
    for name in gone:
        store.remove(name)
    return len(gone)

"""Maps of what a version sees: made once, kept as artifacts beside the versions, and made again if they are lost.

    maps/CRITERION/VERSION-pca      ids and points, in the web process where the snapshot is at hand
    maps/CRITERION/VERSION-umap     the same, by UMAP in a process of its own (`app.map_job`)
    maps/CRITERION/VERSION-groups   ids, group and certainty of every item, by the answers up to `event`

All are caches: the newest versions keep theirs, older ones are made anew when somebody asks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from app.settings import Settings
from app.view import load_snapshot
from db import catalog, feedback, versions
from db.artifacts import ArtifactStore
from db.engine import Database
from db.errors import BadInput, Broken, NotFound
from db.nouns import Snapshot

KINDS = ("pca", "umap")
WHATS = (*KINDS, "groups")
JOBS = tuple(f"map_{what}" for what in WHATS)
FILE = "map.safetensors"
KEPT = 8  # newest versions whose maps stay on disk
Told = Callable[[int, int], object]


@dataclass(frozen=True)
class Chart:
    """One kept map or sorting. arrays: `ids` (N,) and what there is of each. checksum: of the artifact."""

    arrays: Mapping[str, np.ndarray]
    checksum: str

    @property
    def ids(self) -> np.ndarray:
        """(N,) int64, strictly rising."""
        return self.arrays["ids"]


def store_of(settings: Settings) -> ArtifactStore:
    """Where maps are kept."""
    return settings.store()


def name(criterion: int, version: int, what: str) -> str:
    """Of the artifact."""
    return f"maps/{criterion}/{version}-{what}"


def kept(store: ArtifactStore, criterion: int, version: int, what: str) -> Chart | None:
    """A map that was made before; None where there is none, or it is damaged."""
    try:
        checksum = store.manifest(name(criterion, version, what)).checksum
        return _load(store, name(criterion, version, what), checksum)
    except (NotFound, Broken):
        return None


@lru_cache(maxsize=12)
def _load(store: ArtifactStore, place: str, checksum: str) -> Chart:
    return Chart(load_file(store.open(place) / FILE), checksum)


def keep(store: ArtifactStore, criterion: int, version: int, what: str, arrays: Mapping[str, np.ndarray]) -> Chart:
    """Keep a map in the place of what was there."""
    place = name(criterion, version, what)
    content = to_bytes({key: np.ascontiguousarray(one) for key, one in arrays.items()})
    return Chart(dict(arrays), store.replace(place, {FILE: content}).checksum)


def pca_of(store: ArtifactStore, criterion: int, snapshot: Snapshot) -> Chart:
    """The PCA map of a snapshot, made now unless it was before: a tenth of a second for 100,000 items."""
    from trainer.planar import pca

    there = kept(store, criterion, snapshot.version, "pca")
    if there is not None and np.array_equal(there.ids, snapshot.ids):
        return there
    return keep(store, criterion, snapshot.version, "pca", {"ids": snapshot.ids, "points": pca(snapshot.vectors)})


def made(
    settings: Settings, database: Database, criterion: int, version: int, what: str, told: Told = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:  # fmt: skip
    """Make a map of a version, or sort its items into groups, and keep it. Empty if stopped.

    Raises: NotFound for an unknown version, BadInput for something else than pca, umap or groups.
    """
    if what not in WHATS:
        raise BadInput(f"what = {', '.join(WHATS)} expected, got '{what}'.")
    told(0, 1)
    if what == "groups":
        arrays = _groups(settings, database, criterion, version, told, stopped)
    else:
        arrays = _points(settings, database, criterion, version, what, told, stopped)
    if arrays is None:
        return {}
    store = store_of(settings)
    chart = keep(store, criterion, version, what, arrays)
    prune(database, store, criterion)
    return {"version": version, "what": what, "items": len(chart.ids), "checksum": chart.checksum}


def _points(
    settings: Settings, database: Database, criterion: int, version: int, what: str, told: Told,
    stopped: Callable[[], bool],
) -> dict[str, np.ndarray] | None:  # fmt: skip
    from trainer.planar import pca
    from trainer.umap_map import umap_map

    snapshot = _snapshot(settings, database, criterion, version)
    points = pca(snapshot.vectors) if what == "pca" else umap_map(snapshot, told, stopped)
    return None if points is None else {"ids": snapshot.ids, "points": points}


def _snapshot(settings: Settings, database: Database, criterion: int, version: int) -> Snapshot:
    """From its cache, which needs nothing else; only where that is gone from the features."""
    from trainer.snapshot import load

    with database.read() as s:
        about = catalog.criterion(s, criterion)
        collection = next(one.name for one in catalog.collections(s) if one.id == about.collection)
        wanted = versions.version(s, version)
    try:
        return load(store_of(settings), wanted.artifact, wanted.id)
    except (Broken, NotFound):
        return load_snapshot(settings, database, collection, wanted)


def _groups(
    settings: Settings, database: Database, criterion: int, version: int, told: Told, stopped: Callable[[], bool]
) -> dict[str, np.ndarray] | None:
    """Group of every item, and the chance that it is in it, by the answers of now; 0 where no answer tells."""
    from app.homes import seen
    from oracle.holdout import weighed

    def going_on(done: int, of: int) -> None:
        told(done, of)
        if stopped():
            raise _Stopped

    snapshot = _snapshot(settings, database, criterion, version)
    with database.read() as s:
        event = feedback.last_event(s, criterion)
        said = feedback.statements(s, criterion)
    try:
        found = seen(weighed(snapshot, said, going_on)[1])
    except _Stopped:
        return None
    counted = np.array([event], np.int64)
    return {"ids": snapshot.ids, "labels": found.labels.astype(np.int32), "sure": found.sure, "event": counted}


class _Stopped(Exception):
    """Somebody asked to stop."""


def prune(database: Database, store: ArtifactStore, criterion: int) -> int:
    """Drop the maps of old versions that are not served; returns how many went."""
    with database.read() as s:
        known = versions.versions(s, criterion)
    gone = [
        place
        for version in known[:-KEPT]
        if version.status != "promoted"
        for what in WHATS
        if store.exists(place := name(criterion, version.id, what))
    ]
    for place in gone:
        store.remove(place)
    return len(gone)

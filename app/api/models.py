"""The snapshots of versions, read once per version and kept in memory, and what searches one."""

from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from app.api.context import Context
from db import catalog, versions
from db.artifacts import ArtifactStore
from db.engine import Database
from db.errors import NotFound
from db.nouns import Snapshot
from db.versions import Version

if TYPE_CHECKING:
    from trainer.searching import Opening, Searchable

_OPENING = Lock()  # two requests at once must not build the same index twice


@lru_cache(maxsize=4)
def _load(store: ArtifactStore, artifact: str, version: int) -> Snapshot:
    """A verified snapshot from the artifact store. Raises Broken when it is missing or damaged."""
    from trainer import snapshot

    return snapshot.load(store, artifact, version)


def snapshot_of(here: Context, criterion: int | str) -> Snapshot:
    """The snapshot that asks this criterion's questions now. Raises NotFound before there is one."""
    return snapshot_of_version(here, current(here, criterion))


def current(here: Context, criterion: int | str) -> Version:
    """The version that asks this criterion's questions now. Raises NotFound before there is one."""
    with here.database.read() as s:
        about = catalog.criterion(s, criterion)
        found = versions.current(s, about.id)
    if found is None:
        raise NotFound(f"'{about.name}' has no model version yet. It appears once every picture has been looked at.")
    return found


def snapshot_of_version(here: Context, version: Version) -> Snapshot:
    """What any version sees, if its cache is still there. Raises Broken where it is not."""
    return _load(here.settings.store(), version.artifact, version.id)


@lru_cache(maxsize=2)
def _opening(database: Database, store: ArtifactStore, artifact: str, version: int, wanted: str) -> "Opening":
    from trainer.searching import Opening, Shelf, searchable

    vectors = _load(store, artifact, version).vectors
    return Opening(lambda: searchable(vectors, Shelf(store, artifact, version, database), wanted), vectors)


def index_of(here: Context, version: Version) -> "Searchable":
    """A version's vectors, ready to be searched: by comparing every item, beyond EXACT items only until the engine that
    fits is there.

    Raises: what kept the engine from being made; the next call tries again.
    """
    from trainer.index import EXACT
    from trainer.searching import Unbuilt

    store = here.settings.store()
    vectors = _load(store, version.artifact, version.id).vectors
    if len(vectors) <= EXACT:
        return Unbuilt(vectors)
    try:
        with _OPENING:
            return _opening(here.database, store, version.artifact, version.id, here.settings.search).now()
    except Exception:
        _opening.cache_clear()
        raise

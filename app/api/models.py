"""The snapshot of the version that asks now, read once per version and kept in memory."""

from functools import lru_cache

from app.api.context import Context
from db import catalog, versions
from db.artifacts import ArtifactStore
from db.errors import NotFound
from db.nouns import Snapshot


@lru_cache(maxsize=4)
def _load(root: str, artifact: str, version: int) -> Snapshot:
    """A verified snapshot from the artifact store. Raises Broken when it is missing or damaged."""
    from trainer import snapshot

    return snapshot.load(ArtifactStore(root), artifact, version)


def snapshot_of(here: Context, criterion: int | str) -> Snapshot:
    """The snapshot that asks this criterion's questions now. Raises NotFound before there is one."""
    with here.database.read() as s:
        about = catalog.criterion(s, criterion)
        current = versions.current(s, about.id)
    if current is None:
        raise NotFound(f"'{about.name}' has no model version yet. It appears once every picture has been looked at.")
    return _load(str(here.settings.folder / "artifacts"), current.artifact, current.id)

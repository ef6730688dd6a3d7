"""Backbone features of an archive by Pairwright's own importer and encoder, in a workspace that is thrown away."""

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from app.features import ensure_features
from app.importers import import_path
from app.settings import Settings
from db import catalog
from db.errors import NotFound

ENCODER = "lite0"


def embed(archive: Path, cache: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(N, D) float32 features and the metadata columns as text, also kept as `cache`/NAME.npz.

    Raises: NotFound where there is no such archive.
    """
    if not archive.exists():
        raise NotFound(
            f"no {archive}. Give the folder of the archives with --archives, or of features with --features."
        )
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(workspace=Path(folder))
        settings.make_workspace()
        with closing(settings.open()) as database:
            import_path(database, settings.folder, archive, archive.stem, metadata="metadata.csv")
            store, _ = ensure_features(database, settings.folder, archive.stem, ENCODER)
            with database.read() as s:
                known = {item.id: item for item in catalog.items(s, catalog.collection_id(s, archive.stem))}
        items, features = [known[int(row)] for row in store.ids], store.vectors()
    names = sorted({name for item in items for name in item.attributes})
    columns: dict[str, Any] = {
        name: np.array([str(item.attributes.get(name) or "") for item in items]) for name in names
    }
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(cache / f"{archive.stem}.npz", X=features, **columns)
    return features, columns

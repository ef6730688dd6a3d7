"""Bring a collection's backbone features up to date before something needs them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from db import catalog
from db.engine import Database
from db.errors import BadInput

if TYPE_CHECKING:
    from trainer.encoders import Encoder
    from trainer.features import Executor, FeatureStore


def ensure_features(
    database: Database,
    workspace: Path,
    collection: str,
    encoder: str = "lite0",
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    executor: "Executor | None" = None,
) -> "tuple[FeatureStore, int]":
    """Return (store with a row for every readable item of the collection, number of items computed now).

    executor: who encodes, see `trainer.features`.
    Raises: BadInput for an empty collection, NotFound for an unknown collection or encoder.
    """
    with database.read() as s:
        number = catalog.collection_id(s, collection)
        items = catalog.items(s, number)
    if not items:
        raise BadInput(f"the collection '{collection}' has no items. Import some first: pairwright import.")
    from trainer.features import feature_store

    store = feature_store(workspace, number, encoder)
    if {item.id for item in items} <= set(store.ids.tolist()) and not store.damaged():
        return store, 0
    computed = store.extend(encoder_of(workspace, encoder), items, workspace, progress, cancelled, executor)
    return store, computed


def encoder_of(workspace: Path, name: str) -> "Encoder":
    """The encoder of that name, trained here or installed. Raises NotFound."""
    from app.settings import Settings
    from trainer.trained import any_encoder

    return any_encoder(Settings(workspace).store(), name)

"""A workspace with features and label columns but without pictures: enough to simulate in."""

from hashlib import sha256
from pathlib import Path

import numpy as np

from app.settings import Settings
from db import catalog
from tests.small_world import DIM, FakeEncoder
from trainer.features import feature_store

WORDS = ("--collection", "things", "--criterion", "kind", "--oracle", "labels:kind")


def labelled(folder: Path, items: int = 45, groups: int = 3) -> Settings:
    """Items of `kind` k0, k1, ..., with `half` beside it; features show the kind, weakly."""
    settings, rng = Settings(workspace=folder, database_url=f"sqlite:///{folder}/db.sqlite"), np.random.default_rng(0)
    kind = np.arange(items) % groups
    features = (rng.normal(size=(groups, DIM))[kind] + 0.8 * rng.normal(size=(items, DIM))).astype(np.float32)
    pictures = [row.tobytes() for row in features]
    names = [sha256(picture).hexdigest() for picture in pictures]
    (folder / "media").mkdir(parents=True)
    for name, picture in zip(names, pictures, strict=True):
        (folder / "media" / name).write_bytes(picture)
    rows = [
        catalog.NewItem(name, 1, 1, f"media/{name}", attributes={"kind": f"k{k}", "half": "one" if k else "other"})
        for name, k in zip(names, kind, strict=True)
    ]
    database = settings.open()
    with database.write() as s:
        number = catalog.add_collection(s, "things")
        catalog.add_criterion(s, "kind", number, "Same kind?")
        catalog.add_items(s, number, rows)
        there = catalog.items(s, number)
    feature_store(folder, number, "lite0").extend(FakeEncoder(), there, folder)
    database.close()
    return settings

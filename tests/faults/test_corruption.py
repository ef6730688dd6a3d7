"""Caches are damaged again and again, each time in another place: the damage is found and the cache made anew."""

import random
from pathlib import Path

import numpy as np
import pytest

from db import catalog, versions
from db.artifacts import ArtifactStore
from db.errors import Broken
from tests.measured import tell, times
from tests.small_world import FakeEncoder, World, make_world
from tests.trainer.test_worker import round_of, worker_of
from trainer.features import feature_store
from trainer.snapshot import CACHE, load

FEATURES, SNAPSHOTS = times(8, 150), times(3, 150)


def harm(path: Path, chance: random.Random) -> str:
    """Change a file as disks and half-done copies do; how."""
    good = path.read_bytes()
    place = chance.randrange(len(good))
    done = {
        "a bit flipped": good[:place] + bytes([good[place] ^ (1 << chance.randrange(8))]) + good[place + 1 :],
        "cut short": good[:place],
        "a block overwritten": good[:place] + b"\xa5" * 64 + good[place + 64 :],
        "longer": good + b"\0",
    }
    how = chance.choice([name for name, bad in done.items() if bad != good])
    path.write_bytes(done[how])
    return how


def world_of(folder: Path) -> World:
    return make_world(folder, items=30)


@pytest.mark.timeout(900)
def test_damaged_features_are_found_and_computed_again(tmp_path: Path) -> None:
    world, chance = world_of(tmp_path), random.Random(5)
    store = feature_store(tmp_path, world.collection, "lite0")
    ids, good = store.load()
    with world.database.read() as s:
        items = catalog.items(s, world.collection)
    for _ in range(FEATURES):
        file = chance.choice(
            sorted(path for path in store.folder.iterdir() if path.name not in {"lock", "encoder.json"})
        )
        how = harm(file, chance)
        served, rows = store.load()
        assert all(np.array_equal(row, good[ids == id_][0]) for id_, row in zip(served, rows, strict=True)), how
        store.extend(FakeEncoder(), items, tmp_path)
        assert np.array_equal(store.vectors(), good) and not store.damaged(), how
    world.database.close()
    tell(6, features_damaged=FEATURES, features_served_wrong=0, features_rebuilt=FEATURES)


@pytest.mark.timeout(1800)
def test_damaged_snapshots_are_found_and_made_from_the_head_again(tmp_path: Path) -> None:
    world, chance = world_of(tmp_path), random.Random(6)
    store = ArtifactStore(tmp_path / "artifacts")
    round_of(worker_of(world))
    with world.database.read() as s:
        version = versions.current(s, world.criterion)
    good = load(store, version.artifact)
    folder = tmp_path / "artifacts" / (version.artifact + CACHE)
    for _ in range(SNAPSHOTS):
        how = harm(chance.choice(sorted(path for path in folder.iterdir() if path.is_file())), chance)
        with pytest.raises(Broken):
            load(store, version.artifact)
        worker = worker_of(world)
        for _ in range(2):
            round_of(worker)
        again = load(store, version.artifact)
        assert np.array_equal(again.vectors, good.vectors) and np.array_equal(again.neighbours, good.neighbours), how
    world.database.close()
    tell(6, snapshots_damaged=SNAPSHOTS, snapshots_loaded_silently=0, snapshots_rebuilt=SNAPSHOTS)

"""Which engine searches a version, and that what engines keep is a cache: checked, built again, dropped in time."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from app.settings import Settings
from db import versions
from db.artifacts import ArtifactStore
from db.engine import open_database
from db.errors import BadInput, NotFound
from tests.contracts.test_engines import opened, unit
from tests.small_world import make_world
from trainer import searching
from trainer.checkpoint import sweep, sweep_orphans
from trainer.searching import INDEX, Opening, Searchable, Shelf, Unbuilt, fitting, searchable

GIGA = 2**30


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Shelf]:
    """A store and a SQLite database."""
    with closing(open_database(f"sqlite:///{tmp_path / 'a.sqlite'}")) as database:
        yield Shelf(ArtifactStore(tmp_path / "artifacts"), "models/1/a", 7, database)


def test_the_engine_follows_from_size_memory_and_what_was_asked_for(local: Shelf) -> None:
    assert fitting(100_000, 64, local, free=0) == "exact" == fitting(100_000, 64, local, "shards")
    assert fitting(1_000_000, 64, local, free=4 * GIGA) == "lists"
    assert fitting(1_000_000, 64, local, free=GIGA // 4) == "shards"
    assert fitting(1_000_000, 64, local, "shards", free=64 * GIGA) == "shards"
    assert fitting(1_000_000, 64, local, "exact", free=0) == "exact"
    with pytest.raises(NotFound, match="pgvector"):
        fitting(10, 64, local, "pgvectr")


def test_without_pgvector_the_next_best_engine_searches_and_the_log_says_so(
    local: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    assert fitting(1_000_000, 64, local, "pgvector", free=64 * GIGA) == "lists"
    assert "CREATE EXTENSION vector" in caplog.text
    with pytest.raises(BadInput, match="needs PostgreSQL with pgvector"):
        opened("pgvector", unit(30), local)


@pytest.mark.parametrize("file", ["shard-00000.faiss", "shard-00001.faiss", "about.json", "manifest.json"])
def test_a_damaged_file_of_shards_is_found_and_written_again(local: Shelf, file: str) -> None:
    vectors = unit(900)
    before = opened("shards", vectors, local).search(vectors[:20], 5)
    folder = local.store.open(local.artifact + INDEX)
    path = folder / file
    whole = path.read_bytes()
    path.write_bytes(whole[:-60] + bytes([whole[-60] ^ 1]) + whole[-59:])
    after = opened("shards", vectors, local).search(vectors[:20], 5)
    np.testing.assert_array_equal(before[0], after[0])
    assert path.read_bytes() == whole, "built from the same vectors with the same seed"


def test_whole_files_are_not_written_again(local: Shelf) -> None:
    vectors = unit(900)
    opened("shards", vectors, local)
    file = local.store.open(local.artifact + INDEX) / "shard-00000.faiss"
    written = file.stat().st_mtime_ns
    opened("shards", vectors, local)
    assert file.stat().st_mtime_ns == written


def test_what_engines_keep_is_no_orphan_and_goes_when_the_version_is_served_no_longer(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    store, made = ArtifactStore(tmp_path / "artifacts"), []
    for number in range(2):
        artifact = f"models/{world.criterion}/{number}"
        with world.database.write() as s:
            row = {"parent": None, "last_event": 0, "metrics": {}, "encoder": "lite0"}
            made.append(versions.add(s, world.criterion, artifact=artifact, **row))
            versions.promote(s, made[-1])
        opened("shards", unit(60), Shelf(store, artifact, made[-1], world.database))
    names = [f"models/{world.criterion}/{number}{INDEX}" for number in range(2)]
    assert sweep_orphans(world.database, store, world.criterion, older_than_s=-1) == 0
    assert [store.exists(name) for name in names] == [True, True]
    sweep(world.database, store, world.criterion)
    assert [store.exists(name) for name in names] == [False, True]
    world.database.close()


def test_more_items_than_can_be_compared_are_searched_by_the_engine_that_fits(
    local: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "EXACT", 100)
    assert searchable(unit(90), local).kind == "exact" and searchable(unit(900), local).kind == "lists"
    assert searchable(unit(900), local, "shards").kind == "shards"


def test_a_setting_that_names_no_engine_is_refused_at_the_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(workspace=tmp_path).search == "auto"
    monkeypatch.setenv("PAIRWRIGHT_SEARCH", "shards")
    assert Settings(workspace=tmp_path).search == "shards"
    with pytest.raises(
        BadInput, match="PAIRWRIGHT_SEARCH must be one of auto, exact, lists, pgvector, shards, got 'hnsw'"
    ):
        Settings(workspace=tmp_path, search="hnsw")


@pytest.mark.parametrize(("k", "among"), [(5, None), (5, np.array([3, 20, 4])), (2, np.array([7])), (70, None)])
def test_before_an_engine_is_there_every_item_is_compared(local: Shelf, k: int, among: np.ndarray | None) -> None:
    vectors, queries = unit(60), unit(4, seed=5)
    exact = opened("exact", vectors, local).search(queries, k, among)
    rows, cosines = Unbuilt(vectors).search(queries, k, among)
    assert np.array_equal(rows, exact[0])
    there = rows >= 0
    np.testing.assert_allclose(cosines[there], exact[1][there], atol=1e-6)
    assert Unbuilt(vectors).search(queries[:0], k, among)[0].shape == (0, k)


def test_nobody_waits_while_an_engine_is_built(local: Shelf) -> None:
    vectors, go = unit(900), Event()

    def make() -> Searchable:
        assert go.wait(30)
        return opened("lists", vectors, local)

    opening = Opening(make, vectors)
    assert opening.now().kind == "exact" and opening.now().recall == 1
    second = Opening(lambda: opened("lists", vectors, local), vectors)
    second.thread.join(0.2)
    assert second.now().kind == "exact", "one index at a time"
    go.set()
    for one in (opening, second):
        one.thread.join(30)
        assert one.now().kind == "lists"


def test_what_kept_an_engine_from_being_built_is_told(local: Shelf) -> None:
    opening = Opening(lambda: opened("pgvector", unit(30), local), unit(30))
    opening.thread.join(30)
    with pytest.raises(BadInput, match="needs PostgreSQL with pgvector"):
        opening.now()

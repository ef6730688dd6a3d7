"""What every search engine promises. A file in trainer/engines is tested by being there."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.artifacts import ArtifactStore
from db.engine import open_database
from db.errors import BadInput
from db.versions import Version
from oracle import plugins
from trainer.searching import FAMILY, Searchable, Shelf, forget

NAMES = plugins.names(FAMILY)
KEEPING = {"shards", "pgvector"}  # something beside the vectors
pytestmark = pytest.mark.postgres


def unit(count: int, dim: int = 16, seed: int = 0, groups: int = 30) -> np.ndarray:
    """Rows around some centres."""
    rng = np.random.default_rng(seed)
    rows = 0.5 * rng.normal(size=(count, dim)) + rng.normal(size=(groups, dim))[rng.integers(0, groups, count)]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shelf(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shelf]:
    """A store, and a database of the kind the engine wants."""
    store = ArtifactStore(tmp_path / "artifacts")
    url = request.getfixturevalue("postgres_url") if name == "pgvector" else f"sqlite:///{tmp_path / 'a.sqlite'}"
    with closing(open_database(url)) as database:
        yield Shelf(store, "models/1/a", 7, database)


def opened(name: str, vectors: np.ndarray, shelf: Shelf, **settings: Any) -> Searchable:
    """An engine with several files where it has files."""
    more = {"rows": 400} if "rows" in plugins.settings_of(FAMILY, name) else {}
    found: Searchable = plugins.load(FAMILY, name, **more, **settings).opened(vectors, shelf)
    return found


def exactly(vectors: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    return np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :k]


def test_it_finds_enough_of_the_true_ten_and_says_how_many(name: str, shelf: Shelf) -> None:
    rows = unit(1260)
    vectors, queries = rows[:-60], rows[-60:]
    found = opened(name, vectors, shelf)
    positions, cosines = found.search(queries, 10)
    truth = exactly(vectors, queries, 10)
    hits = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(positions, truth, strict=True)])
    assert found.kind == name and 0.95 <= found.recall <= 1 and hits >= 0.92
    assert positions.dtype == np.int64 and cosines.dtype == np.float32 and positions.shape == cosines.shape == (60, 10)
    np.testing.assert_allclose(cosines, np.einsum("qd,qkd->qk", queries, vectors[positions]), atol=1e-5)
    assert (np.diff(cosines, axis=1) <= 1e-6).all(), "the most alike first"
    assert all(len(set(row)) == 10 for row in positions.tolist())


def test_a_few_items_are_found_as_exactly_as_by_comparing_all(name: str, shelf: Shelf) -> None:
    vectors = unit(60)
    found = opened(name, vectors, shelf)
    np.testing.assert_array_equal(found.search(vectors[:9], 10)[0], exactly(vectors, vectors[:9], 10))
    assert found.recall == 1


def test_among_some_items_the_search_is_exact_and_finds_no_others(name: str, shelf: Shelf) -> None:
    vectors = unit(900)
    some = np.sort(np.random.default_rng(1).choice(900, 40, replace=False))
    positions, cosines = opened(name, vectors, shelf).search(vectors[:4], 60, some)
    for query, found, near in zip(vectors[:4], positions, cosines, strict=True):
        assert found[:40].tolist() == some[np.argsort(-(vectors[some] @ query), kind="stable")].tolist()
        assert (found[40:] == -1).all() and near.dtype == np.float32
    assert (opened(name, vectors, shelf).search(vectors[:2], 3, np.zeros(0, np.int64))[0] == -1).all()


def test_items_that_are_gone_are_not_found_in_what_was_kept_before(name: str, shelf: Shelf) -> None:
    before, after = unit(900), unit(900)[:-300]
    assert opened(name, before, shelf).search(before[-5:], 1)[0][:, 0].tolist() == list(range(895, 900))
    positions, _ = opened(name, after, shelf).search(before[-5:], 600)
    assert positions.max() < 600 and set(positions[0].tolist()) - {-1} <= set(range(600))


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_item_can_be_searched(name: str, shelf: Shelf, count: int) -> None:
    vectors = unit(count, groups=1)
    positions, cosines = opened(name, vectors, shelf).search(unit(2, seed=3), 3)
    assert positions.shape == cosines.shape == (2, 3)
    assert positions[:, :count].tolist() == [[0] * count] * 2 and (positions[:, count:] == -1).all()
    assert opened(name, vectors, shelf).search(np.empty((0, 16), np.float32), 3)[0].shape == (0, 3)


def test_the_same_vectors_are_searched_alike_when_opened_again(name: str, shelf: Shelf) -> None:
    vectors = unit(1500)
    first, again = (opened(name, vectors, shelf) for _ in range(2))
    np.testing.assert_array_equal(first.search(vectors[:20], 5)[0], again.search(vectors[:20], 5)[0])
    assert first.recall == again.recall


def test_what_is_kept_may_be_dropped_at_any_time(name: str, shelf: Shelf) -> None:
    vectors, here = unit(60), shelf.database
    assert here is not None
    found = opened(name, vectors, shelf)
    before = found.search(vectors[:4], 3)[0]
    version = Version(shelf.version, 1, None, shelf.artifact, 0, {}, "lite0", "retired", None, datetime.now(UTC))
    assert forget(here, shelf.store, [version]) == (name in KEEPING) and not forget(here, shelf.store, [version])
    for one in (found, opened(name, vectors, shelf)):
        np.testing.assert_array_equal(one.search(vectors[:4], 3)[0], before)


def test_memory_mapped_vectors_do_as_well(name: str, shelf: Shelf, tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", unit(1500))
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        opened(name, mapped, shelf).search(np.asarray(mapped[:20]), 1)[0][:, 0], np.arange(20)
    )


def test_queries_that_are_not_numbers_are_refused(name: str, shelf: Shelf) -> None:
    found = opened(name, unit(30), shelf)
    with pytest.raises(BadInput, match="finite"):
        found.search(np.full((1, 16), np.nan, np.float32), 2)

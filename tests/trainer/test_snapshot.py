"""Snapshots: built, kept, found damaged, rebuilt."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as to_bytes

from db.artifacts import ArtifactStore
from db.errors import BadInput, Broken, NotFound
from trainer import index
from trainer.snapshot import CACHE, build, head_bytes, load, prune, save


def rows(count: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return 5 + 3 * np.arange(count), rng.normal(size=(count, 8)).astype(np.float32)


def test_a_snapshot_knows_the_nearest_others_of_every_item() -> None:
    ids, vectors = rows()
    snapshot = build(ids, vectors, version=4)
    cosines = snapshot.vectors @ snapshot.vectors.T
    np.fill_diagonal(cosines, -2)
    assert snapshot.neighbours.shape == (30, 20) and snapshot.version == 4
    assert np.allclose(np.linalg.norm(snapshot.vectors, axis=1), 1, atol=1e-6)
    assert np.array_equal(snapshot.neighbours[:, 0], cosines.argmax(1))
    assert np.allclose(snapshot.cosines, -np.sort(-cosines, axis=1)[:, :20], atol=1e-5)
    assert len(snapshot.start) == 30


def test_neighbours_are_exact_up_to_a_size_and_nearly_so_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    ids, vectors = rows(2000)
    exact = build(ids, vectors).neighbours
    monkeypatch.setattr(index, "EXACT", 2000)
    np.testing.assert_array_equal(build(ids, vectors).neighbours, exact)
    monkeypatch.setattr(index, "EXACT", 1999)
    near = build(ids, vectors).neighbours
    found = (near[:, :10, None] == exact[:, None, :10]).any(1).mean()
    assert 0.9 < found < 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_items_is_enough(count: int) -> None:
    ids, vectors = rows(count)
    assert build(ids, vectors).neighbours.shape == (count, count - 1)


def test_it_comes_back_bit_by_bit(tmp_path: Path) -> None:
    store, snapshot = ArtifactStore(tmp_path), build(*rows())
    save(store, "models/1/a", snapshot, b"the head")
    back = load(store, "models/1/a", version=9)
    for name in ("ids", "vectors", "neighbours", "cosines", "start", "finer"):
        assert np.array_equal(getattr(back, name), getattr(snapshot, name)), name
        assert getattr(back, name).dtype == getattr(snapshot, name).dtype, name
    assert (back.version, load(store, "models/1/a").version) == (9, 0)
    assert head_bytes(store, "models/1/a") == b"the head"


def test_a_cache_of_an_earlier_release_has_no_finer_groups(tmp_path: Path) -> None:
    store, snapshot = ArtifactStore(tmp_path), build(*rows())
    names = ("ids", "vectors", "cosines", "start")
    arrays = {name: getattr(snapshot, name) for name in names} | {"neighbours": snapshot.neighbours.astype(np.int32)}
    store.save("models/1/a" + CACHE, {"snapshot.safetensors": to_bytes(arrays | {"version": np.array([1])})})
    back = load(store, "models/1/a")
    assert len(back.finer) == 0 and np.array_equal(back.start, snapshot.start)


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    save(store, "models/1/a", build(*rows()), b"the head")
    for name in ("models/1/a", "models/1/a" + CACHE):
        file = next((tmp_path / name).glob("*.safetensors"))
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(bytes(content))
    with pytest.raises(Broken, match="damaged"):
        load(store, "models/1/a")
    with pytest.raises(Broken, match="damaged"):
        head_bytes(store, "models/1/a")


def test_pruning_drops_the_cache_and_keeps_the_head(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    save(store, "models/1/a", build(*rows()), b"the head")
    assert prune(store, ["models/1/a", "models/1/none"]) == 1
    assert head_bytes(store, "models/1/a") == b"the head"
    with pytest.raises(Broken, match="rebuilds it"):
        load(store, "models/1/a")
    with pytest.raises(NotFound):
        head_bytes(store, "models/1/none")


def test_bad_rows_are_refused_in_one_sentence() -> None:
    ids, vectors = rows(5)
    with pytest.raises(BadInput, match="rise strictly"):
        build(ids[::-1], vectors)
    with pytest.raises(BadInput, match="one row per item"):
        build(ids[:-1], vectors)
    vectors[2, 3] = np.nan
    with pytest.raises(BadInput, match="embed the items again"):
        build(ids, vectors)

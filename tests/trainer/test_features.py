"""The feature store: nothing computed twice, no damaged number served, no foreign row believed."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from db.errors import Broken
from db.nouns import Item
from trainer import shards
from trainer.features import FeatureStore, feature_store
from trainer.learner import Learner

DIM = 6


class Counting:
    """An encoder that is a formula of the bytes and remembers how often it was asked."""

    name, dim, input_size = "counting", DIM, 2

    def __init__(self, dim: int = DIM, name: str = "counting") -> None:
        self.dim, self.name, self.encoded = dim, name, 0

    def square(self, encoded: bytes) -> np.ndarray:
        if encoded == b"rubbish":
            raise Image.UnidentifiedImageError("not a picture")
        return np.full((2, 2, 3), int(encoded), np.uint8)

    def encode_squares(self, squares: np.ndarray) -> np.ndarray:
        self.encoded += len(squares)
        return squares[:, 0, 0, :1].astype(np.float32) + np.arange(self.dim, dtype=np.float32) / 8

    def encode(self, images: list[np.ndarray]) -> np.ndarray:
        return self.encode_squares(np.stack(images))


def expected(items: Sequence[Item]) -> np.ndarray:
    return np.array([[int(item.name) + k / 8 for k in range(DIM)] for item in items], np.float32).reshape(-1, DIM)


def make(workspace: Path, count: int, first: int = 1) -> list[Item]:
    """Items whose picture's bytes are a number."""
    (workspace / "media").mkdir(exist_ok=True, parents=True)
    items = []
    for id_ in range(first, first + count):
        (workspace / f"media/{id_}").write_bytes(str(id_ % 251).encode())
        items.append(Item(id_, 1, f"{id_:064x}"[::-1], 2, 2, f"media/{id_}", name=str(id_ % 251)))
    return items


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (shards, sys.modules["trainer.features"]):
        monkeypatch.setattr(module, "BATCH", 4)
    monkeypatch.setattr(shards, "SLOTS", 3)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return feature_store(tmp_path, 1, "counting")


def test_rows_come_back_in_the_order_of_ids(store: FeatureStore, tmp_path: Path) -> None:
    items = make(tmp_path, 30)
    ticks: list[tuple[int, int]] = []
    assert store.extend(Counting(), items[::-1], tmp_path, lambda done, total: ticks.append((done, total))) == 30
    np.testing.assert_array_equal(store.ids, np.arange(1, 31))
    np.testing.assert_array_equal(store.vectors(), expected(items))
    assert store.vectors().dtype == np.float32 and store.ids.dtype == np.int64
    assert ticks[0] == (0, 30) and ticks[-1] == (30, 30)
    assert len(list(store.folder.glob("shard-*.f16"))) == 3


def test_rows_on_the_disk_are_those_in_memory_and_teach_the_same(store: FeatureStore, tmp_path: Path) -> None:
    items = make(tmp_path, 40)
    store.extend(Counting(), items[20:], tmp_path)
    store.extend(Counting(), items[:20], tmp_path)  # later in the files, first by id
    (ids, rows), (known, held) = store.mapped(), store.load()
    np.testing.assert_array_equal(ids, known)
    assert rows.shape == held.shape and len(rows) == 40 and rows.dtype == np.float16
    for wanted in (slice(3, 29), slice(0, 40), np.array([39, 0, 21])):
        np.testing.assert_array_equal(rows[wanted].astype(np.float32), held[wanted])
    np.testing.assert_array_equal(np.asarray(rows, np.float32), held)
    one, other = (Learner(given, ids, seed=3) for given in (rows, held))
    np.testing.assert_array_equal(one.start().vectors, other.start().vectors)


def test_what_is_there_is_never_computed_again(store: FeatureStore, tmp_path: Path) -> None:
    items = make(tmp_path, 21)
    first, second = Counting(), Counting()
    store.extend(first, items[5:12], tmp_path)
    store.extend(first, items[:9], tmp_path)
    assert (first.encoded, store.extend(second, items, tmp_path)) == (12, 9)
    assert second.encoded == 9
    np.testing.assert_array_equal(FeatureStore(store.folder).vectors(), expected(items))
    assert store.extend(second, items, tmp_path) == 0


def test_an_empty_store_has_no_rows(store: FeatureStore) -> None:
    assert store.ids.shape == (0,)
    assert store.vectors().shape[0] == 0


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_flipped_byte_is_noticed_and_repaired(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = tmp_path_factory.mktemp("w")
    items = make(workspace, 19)
    store = feature_store(workspace, 1, "counting")
    store.extend(Counting(), items, workspace)
    files = sorted(path for path in store.folder.iterdir() if path.name != "lock")
    path = data.draw(st.sampled_from(files))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), place]))])
    ids, vectors = store.load()
    if path.name != "encoder.json":  # a foreign encoder name is noticed by `extend`, which knows the right one
        np.testing.assert_array_equal(vectors, expected([items[id_ - 1] for id_ in ids]))
    store.extend(Counting(), items, workspace)
    np.testing.assert_array_equal(store.vectors(), expected(items))
    assert store.damaged() == 0


def test_damaged_rows_are_told_not_served(store: FeatureStore, tmp_path: Path) -> None:
    store.extend(Counting(), make(tmp_path, 10), tmp_path)
    shard = store.folder / "shard-000000.f16"
    content = bytearray(shard.read_bytes())
    content[5] ^= 1
    shard.write_bytes(content)
    assert store.damaged() == 4
    with pytest.raises(Broken, match=r"4 features .* are damaged. Run `pairwright embed` to repair"):
        store.vectors()
    assert store.extend(encoder := Counting(), make(tmp_path, 10), tmp_path) == 4
    assert encoder.encoded == 4


def test_a_half_written_line_does_not_count(store: FeatureStore, tmp_path: Path) -> None:
    items = make(tmp_path, 8)
    store.extend(Counting(), items, tmp_path)
    manifest = store.folder / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    np.testing.assert_array_equal(store.ids, [1, 2, 3, 4])
    assert store.extend(Counting(), items, tmp_path) == 4
    np.testing.assert_array_equal(store.vectors(), expected(items))


def test_another_encoder_or_another_picture_under_an_old_id_starts_anew(store: FeatureStore, tmp_path: Path) -> None:
    from dataclasses import replace

    items = make(tmp_path, 9)
    store.extend(Counting(), items, tmp_path)
    assert store.extend(Counting(3), items, tmp_path) == 9
    assert store.vectors().shape == (9, 3)
    items[2] = replace(items[2], sha256="f" * 64)
    assert store.extend(Counting(3), items, tmp_path) == 9


def test_a_lost_picture_is_left_out_and_tried_again(store: FeatureStore, tmp_path: Path) -> None:
    items = make(tmp_path, 6)
    (tmp_path / "media/2").unlink()
    (tmp_path / "media/5").write_bytes(b"rubbish")
    assert store.extend(Counting(), items, tmp_path) == 4
    np.testing.assert_array_equal(store.ids, [1, 3, 4, 6])
    make(tmp_path, 6)
    assert store.extend(Counting(), items, tmp_path) == 2


def test_cancelling_keeps_whole_batches(store: FeatureStore, tmp_path: Path) -> None:
    items = make(tmp_path, 20)
    answers = iter([False, False, True])
    done = store.extend(Counting(), items, tmp_path, cancelled=lambda: next(answers))
    assert done == 8
    assert store.extend(Counting(), items, tmp_path) == 12


def test_numbers_too_large_for_float16_are_told(store: FeatureStore, tmp_path: Path) -> None:
    class Huge(Counting):
        def encode_squares(self, squares: np.ndarray) -> np.ndarray:
            return super().encode_squares(squares) * 1e6

    with pytest.raises(Broken, match="do not fit float16"):
        store.extend(Huge(), make(tmp_path, 3), tmp_path)
    assert len(store.ids) == 0


def test_a_strange_encoder_name_stays_in_the_workspace(tmp_path: Path) -> None:
    folder = feature_store(tmp_path, 3, "hf_hub:a/../../b").folder.resolve()
    assert folder.parent == tmp_path.resolve() / "features" / "3"


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from trainer import features, shards
from tests.trainer.test_features import Counting, make
features.BATCH = shards.BATCH = 4
shards.SLOTS = 3
workspace = Path({workspace!r})
seen = 0
class Slow(Counting):
    def encode_squares(self, squares):
        out = super().encode_squares(squares)
        print(self.encoded, flush=True)
        if self.encoded >= {until}:
            sys.stdin.read()
        return out
features.feature_store(workspace, 1, "counting").extend(Slow(), make(workspace, 40), workspace)
"""


@pytest.mark.parametrize("until", [4, 12, 28])
def test_after_kill_minus_nine_only_the_current_batch_is_computed_again(tmp_path: Path, until: int) -> None:
    root = str(Path(__file__).parents[2])
    program = KILLED.format(root=root, workspace=str(tmp_path), until=until)
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        while int(child.stdout.readline()) < until:
            pass
        os.kill(child.pid, signal.SIGKILL)
    items = make(tmp_path, 40)
    store = feature_store(tmp_path, 1, "counting")
    encoder = Counting()
    store.extend(encoder, items, tmp_path)
    assert encoder.encoded == 40 - (until - 4)
    np.testing.assert_array_equal(store.vectors(), expected(items))

"""The artifact store: whole and verified, or not there."""

import errno
import os
import threading

import pytest

from db import manifests
from db.artifacts import MANIFEST, ArtifactStore
from db.errors import BadInput, Broken, Conflict, NotFound

FILES = {"head.safetensors": bytes(range(256)) * 20, "more/notes.json": b"{}", "empty": b""}


@pytest.fixture
def store(tmp_path):
    return ArtifactStore(tmp_path / "artifacts")


def test_what_is_saved_is_opened_byte_for_byte(store):
    manifest = store.save("criterion-1/v3", FILES)
    folder = store.open("criterion-1/v3")
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert store.manifest("criterion-1/v3") == manifest
    assert store.exists("criterion-1/v3")
    assert len(manifest.checksum) == 64


def test_a_file_may_be_written_by_a_function(store):
    store.save("a", {"big.bin": lambda path: path.write_bytes(b"x" * 1000)})
    assert (store.open("a") / "big.bin").stat().st_size == 1000


def test_saving_the_same_again_is_no_change_and_other_content_a_conflict(store):
    assert store.save("a", FILES) == store.save("a", FILES)
    with pytest.raises(Conflict, match="exists with other content"):
        store.save("a", {"empty": b"not empty"})
    assert (store.open("a") / "empty").read_bytes() == b""


def test_any_single_byte_of_damage_is_detected(store):
    folder = store._home / "a"
    store.save("a", {"one": b"some bytes of a head", "two": b"and more"})
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        good = path.read_bytes()
        for position in range(len(good)):
            path.write_bytes(good[:position] + bytes([good[position] ^ 0x01]) + good[position + 1 :])
            with pytest.raises(Broken, match="damaged"):
                store.open("a")
        for damaged in (good[:-1], good + b"\0", b""):
            path.write_bytes(damaged)
            with pytest.raises(Broken, match="damaged"):
                store.open("a")
        path.write_bytes(good)
    assert store.open("a") == folder
    (folder / "one").unlink()
    with pytest.raises(Broken, match="'one' of artifact 'a' is damaged"):
        store.open("a")


def test_what_is_not_there_is_told(store):
    with pytest.raises(NotFound, match="no artifact named 'nothing'"):
        store.open("nothing")
    with pytest.raises(NotFound):
        store.manifest("nothing")
    store.remove("nothing")


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "/etc", "a//b", "a/../b", ".hidden", "a b", "a\x00", "a/", None, "ä"]
)
def test_names_cannot_leave_the_store(store, name):
    for use in (store.open, store.exists, store.remove, lambda given: store.save(given, {})):
        with pytest.raises(BadInput, match="an artifact's name must be"):
            use(name)


@pytest.mark.parametrize("file", ["../x", "/x", MANIFEST, "", "a/../../x"])
def test_files_cannot_leave_their_artifact(store, file):
    with pytest.raises(BadInput, match="a file's name in an artifact"):
        store.save("a", {file: b"x"})
    assert not store.exists("a")


def test_a_manifest_cannot_point_outside(store):
    store.save("a", {"one": b"1"})
    forged = manifests.Manifest("a", {"../../secret": ("0" * 64, 1)})
    (store._home / "a" / MANIFEST).write_bytes(forged.to_bytes())
    with pytest.raises(Broken, match="manifest of artifact 'a' is damaged"):
        store.open("a")


def test_a_full_disk_is_one_sentence_and_leaves_nothing(store):
    def fill(path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(Broken, match=r"disk of the artifacts is full\. Nothing was stored; free some space"):
        store.save("a", {"head": fill})
    assert not store.exists("a")
    assert list(store._home.iterdir()) == []
    store.save("a", FILES)


def test_a_disk_that_fails_while_flushing_stores_nothing(store, monkeypatch):
    def fail(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(manifests, "sync", fail)
    with pytest.raises(Broken, match="the artifact store failed: Input/output error"):
        store.save("a", FILES)
    assert not store.exists("a")


def test_what_a_killed_process_left_is_swept_once_it_is_old(store):
    left = store._home / ".unfinished-0"
    left.mkdir()
    (left / "head").write_bytes(b"half")
    assert store.sweep() == 0
    assert store.sweep(older_than_s=0) == 1
    assert not left.exists()


def test_a_removal_that_was_cut_short_does_not_block_the_name(store):
    store.save("a", FILES)
    (store._home / "a" / MANIFEST).unlink()
    assert not store.exists("a")
    store.save("a", {"new": b"1"})
    assert sorted(path.name for path in store.open("a").iterdir()) == [MANIFEST, "new"]
    store.remove("a")
    assert not (store._home / "a").exists()


def test_eight_savers_of_one_artifact_agree(store):
    results = []

    def save():
        results.append(store.save("a", FILES))

    threads = [threading.Thread(target=save) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert store.open("a")
    assert [path.name for path in store._home.iterdir()] == ["a"]


def test_eight_that_replace_one_cache_at_once_leave_one_of_them_whole(store):
    faults = []

    def replace(number):
        try:
            for _ in range(4):
                store.replace("a", {"one": bytes([number]) * 1000})
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=replace, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    content = (store.open("a") / "one").read_bytes()
    assert len(content) == 1000 and len(set(content)) == 1


def test_a_store_elsewhere_is_unpacked_verified_and_repaired(tmp_path):
    store = ArtifactStore("memory://models", cache=tmp_path / "cache")
    store.save("b/1", FILES)
    folder = store.open("b/1")
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    (folder / "empty").write_bytes(b"damaged")
    assert (store.open("b/1") / "empty").read_bytes() == b""
    store.fs.pipe_file(f"{store.root}/b/1/empty", b"damaged at the source")
    store.open("b/1")  # the verified copy still serves
    (folder / "empty").write_bytes(b"damaged too")
    with pytest.raises(Broken, match="'empty' of artifact 'b/1' is damaged"):
        store.open("b/1")
    store.remove("b/1")
    assert not store.exists("b/1")

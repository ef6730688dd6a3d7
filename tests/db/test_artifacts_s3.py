"""Artifacts in a bucket: the laws of the local store, with a real S3 server at the other end."""

import threading

import pytest

from db.artifacts import ArtifactStore
from db.errors import BadInput, Broken, Conflict, NotFound
from db.manifests import MANIFEST
from tests.s3 import bucket, s3_server

__all__ = ["bucket", "s3_server"]
FILES = {"head.safetensors": bytes(range(256)) * 20, "more/notes.json": b"{}", "empty": b""}


@pytest.fixture
def here(bucket, tmp_path):
    return ArtifactStore(f"{bucket.url}/models", cache=tmp_path / "here")


@pytest.fixture
def there(bucket, tmp_path):
    """The same store on another machine."""
    return ArtifactStore(f"{bucket.url}/models", cache=tmp_path / "there")


def test_what_one_machine_saves_another_opens_lists_replaces_and_removes(bucket, here, there):
    assert not there.exists("a/1") and there.names() == []
    manifest = here.save("a/1", FILES)
    assert there.exists("a/1") and there.names() == ["a/1"] and there.manifest("a/1") == manifest
    assert {name: (there.open("a/1") / name).read_bytes() for name in FILES} == FILES
    assert bucket.names()[-1] == "models/a/1/more/notes.json" and len(bucket.names()) == 4
    assert there.save("a/1", FILES) == manifest
    with pytest.raises(Conflict, match="exists with other content"):
        there.save("a/1", {"empty": b"not"})
    there.replace("a/1", {"new": b"1"})
    assert (here.open("a/1") / "new").read_bytes() == b"1" and not (here.open("a/1") / "empty").exists()
    here.remove("a/1")
    here.remove("a/1")
    assert bucket.names() == [] and not there.exists("a/1")
    for use in (there.open, there.manifest):
        with pytest.raises(NotFound, match="no artifact named 'a/1'"):
            use("a/1")


def test_an_upload_that_broke_off_is_not_there_and_is_swept(bucket, here, there, monkeypatch):
    put = here.fs.put_file

    def fail(source, target, **more):
        if target.endswith("notes.json"):
            raise ConnectionResetError(104, "Connection reset by peer")
        put(source, target, **more)

    with monkeypatch.context() as broken:
        broken.setattr(here.fs, "put_file", fail)
        with pytest.raises(Broken, match=r"the artifact store s3://test-\w+/models failed: Connection reset by peer"):
            here.save("a/1", FILES)
    assert bucket.names() == ["models/a/1/head.safetensors"], "a half"
    assert not there.exists("a/1") and there.names() == []
    assert [*there.ages("a")] == ["a/1"] and 0 <= there.ages("a")["a/1"] + 2 < 60
    assert here.save("a/1", FILES) == there.manifest("a/1"), "the name is free"
    assert (there.open("a/1") / "more/notes.json").read_bytes() == b"{}"


def test_damage_in_the_bucket_and_in_the_copy_is_detected(bucket, here, there):
    here.save("a", FILES)
    bucket.put("models/a/head.safetensors", FILES["head.safetensors"][:-1] + b"!")
    with pytest.raises(Broken, match=r"'head.safetensors' of artifact 'a' is damaged"):
        there.open("a")
    bucket.put("models/a/head.safetensors", FILES["head.safetensors"])
    (there.open("a") / "empty").write_bytes(b"damaged copy")
    assert (there.open("a") / "empty").read_bytes() == b""
    bucket.put(f"models/a/{MANIFEST}", b"{}")
    with pytest.raises(Broken, match="manifest of artifact 'a' is damaged"):
        there.open("a")


def test_copies_of_what_is_gone_are_swept_and_a_backup_has_all(bucket, here, there):
    here.save("a/1", FILES)
    here.save("b", FILES)
    there.mirror()
    assert (there._home / "a/1/empty").exists() and (there._home / "b/empty").exists()
    here.remove("b")
    assert there.sweep() == 1 and here.sweep() == 0
    assert (there._home / "a/1/empty").exists() and not (there._home / "b").exists()


def test_eight_that_save_the_same_at_once_agree(bucket, here, there):
    made = []
    threads = [
        threading.Thread(target=lambda at=at: made.append((here, there)[at % 2].save("a", FILES))) for at in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8 and len({one.checksum for one in made}) == 1
    assert there.open("a")


def test_a_wrong_bucket_is_one_sentence_and_makes_none(bucket, tmp_path):
    wrong = ArtifactStore("s3://pairwrihgt/models", cache=tmp_path)
    with pytest.raises(Broken, match=r"s3://pairwrihgt/models failed: .*bucket.*check the bucket's name"):
        wrong.save("a", FILES)
    assert "pairwrihgt" not in [one["Name"] for one in bucket.client.list_buckets()["Buckets"]]


def test_missing_credentials_a_silent_server_and_a_missing_package_are_one_sentence(bucket, tmp_path, monkeypatch):
    s3fs = pytest.importorskip("s3fs")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(Broken, match=r"failed: Unable to locate credentials\. Nothing was stored; check"):
        ArtifactStore(f"{bucket.url}/models", cache=tmp_path / "c").exists("a")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    with pytest.raises(Broken, match=r"failed: Could not connect to the endpoint URL"):
        ArtifactStore(f"{bucket.url}/models", cache=tmp_path / "c").exists("a")
    with pytest.raises(BadInput, match=r"kept in a folder or at s3://bucket/folder, got 'nfs9://x/y' \(Protocol not"):
        ArtifactStore("nfs9://x/y", cache=tmp_path / "c")

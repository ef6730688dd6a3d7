"""Pictures in a bucket: imported like a folder or an archive, from a real S3 server."""

import zipfile
from io import BytesIO

import pytest

from app.importers import addresses
from app.importers.columns import Columns
from app.importers.sources import open_source
from db.errors import BadInput
from tests.importers.conftest import Desk, paint
from tests.s3 import Bucket, bucket, s3_server

__all__ = ["bucket", "s3_server"]


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(addresses.VARIABLE, "1")


def test_a_folder_of_a_bucket_is_imported_with_its_metadata(bucket: Bucket, desk: Desk) -> None:
    rows = b"id,path,kind\none,a.png,cat\ntwo,deep/b.png,dog\nlost,no.png,cat\n"
    for name, content in {"a.png": paint(1), "deep/b.png": paint(2), "list.csv": rows}.items():
        bucket.put(f"set/{name}", content)
    bucket.put("other/c.png", paint(3))
    report = desk.run(f"{bucket.url}/set", metadata="list.csv")  # type: ignore[arg-type]
    assert report.added == 2 and [name for name, _ in report.skipped] == ["lost"]
    assert {item.name: item.attributes["kind"] for item in desk.items()} == {"one": "cat", "two": "dog"}
    assert desk.run(f"{bucket.url}/set", metadata="list.csv").added == 0  # type: ignore[arg-type]


def test_an_archive_of_a_bucket_is_read_in_place(bucket: Bucket, desk: Desk) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as pack:
        pack.writestr("x/a.png", paint(1))
    bucket.put("set.zip", packed.getvalue())
    assert desk.run(f"{bucket.url}/set.zip").added == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "words"), [("s3://no-such-bucket/set", "The specified bucket does not exist"), ("", "nothing behind")]
)
def test_a_wrong_bucket_or_folder_is_one_sentence(bucket: Bucket, place: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        open_source(place or f"{bucket.url}/nothing", None, Columns()).__enter__()


def test_missing_credentials_are_one_sentence(bucket: Bucket, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(desk.source))
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(BadInput, match=r"cannot be read \(NoCredentialsError: Unable to locate credentials\)"):
        open_source(f"{bucket.url}/set", None, Columns()).__enter__()

"""Sources behind an address: off unless allowed, object stores by name alone, and the web as for single pictures."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from app.importers import addresses, remote
from app.importers.columns import Columns
from app.importers.sources import open_source
from db.errors import BadInput
from tests.importers.conftest import Desk, paint

ELSEWHERE = [
    "file:///etc/passwd", "local:///etc/passwd", "ftp://h/x", "sftp://h/x", "smb://h/x", "github://a:b@/x", "dask://x",
    "simplecache::file:///etc/passwd", "zip://x::file:///etc/hosts", "memory://a::file:///etc", "reference://x", "S3X://b",
    "jupyter://h", "webhdfs://h/x", "dir:///etc", "generic://x", "git:///x", "s3://b::file:///etc/passwd", "://", "x://",
]  # fmt: skip


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(addresses.VARIABLE, "1")
    yield
    fsspec.filesystem("memory").rm("/pictures", recursive=True) if fsspec.filesystem("memory").exists(
        "/pictures"
    ) else None


def put(**files: bytes) -> None:
    for name, content in files.items():
        fsspec.filesystem("memory").pipe(f"/pictures/{name.replace('__', '/').replace('_', '.')}", content)


def test_a_folder_of_an_object_store_is_imported_like_any_other(allowed: None, desk: Desk) -> None:
    put(
        a_png=paint(1),
        deep__b_png=paint(2),
        list_csv=b"id,path,kind\none,a.png,cat\ntwo,deep/b.png,dog\nno,../c.png,x\n",
    )
    report = desk.run("memory://pictures", metadata="list.csv")
    assert report.added == 2 and [name for name, _ in report.skipped] == ["no"]
    assert {item.name: item.attributes["kind"] for item in desk.items()} == {"one": "cat", "two": "dog"}
    with open_source("memory://pictures", None, Columns()) as source:
        assert [entry.file for entry in source.entries] == ["a.png", "deep/b.png", "list.csv"]


def test_an_archive_there_is_fetched_and_read_in_place(allowed: None, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as pack:
        pack.writestr("x/a.png", paint())
        pack.writestr("../evil.png", paint())
    put(a_zip=(tmp_path / "a.zip").read_bytes())
    with open_source("memory://pictures/a.zip", None, Columns()) as source:
        assert [entry.file for entry in source.entries] == ["x/a.png"] and source.faults[0][0] == "../evil.png"
        assert source.read("x/a.png", 10**6) == paint()


def test_no_address_is_opened_unless_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(addresses.VARIABLE, raising=False)
    for url in ("memory://pictures", "s3://bucket/x", "https://example.com/a.zip", *ELSEWHERE):
        with pytest.raises(BadInput, match="PAIRWRIGHT_ADDRESSES=1"):
            open_source(url, None, Columns()).__enter__()


@pytest.mark.parametrize("url", ELSEWHERE)
def test_nothing_of_this_machine_or_its_network_is_a_store(url: str, allowed: None) -> None:
    with pytest.raises(BadInput, match="an address of s3://"):
        open_source(url, None, Columns()).__enter__()


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.zip", "http://[::1]/a.zip", "http://u:p@example.com/a.zip"])
def test_the_web_is_only_the_open_internet(url: str, allowed: None) -> None:
    with pytest.raises(BadInput, match="cannot be fetched"):
        open_source(url, None, Columns()).__enter__()


def test_an_empty_place_a_lost_file_and_a_missing_package_are_told(
    allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match="nothing behind the address"):
        open_source("memory://nowhere", None, Columns()).__enter__()
    put(a_png=paint())
    with open_source("memory://pictures", None, Columns()) as source:
        fsspec.filesystem("memory").rm("/pictures/a.png")
        with pytest.raises(Exception, match="the store does not give it"):
            source.read("a.png", 10)
        with pytest.raises(Exception, match="no such file"):
            source.read("../x", 10)

    def missing(url: str) -> object:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "url_to_fs", missing)
    with pytest.raises(BadInput, match=r"needs a package that is missing .Install s3fs"):
        open_source("s3://bucket/x", None, Columns()).__enter__()


def test_a_file_that_is_too_large_is_not_fetched(allowed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    put(a_zip=bytes(100))
    monkeypatch.setattr(remote, "MAX_BYTES", 99)
    with pytest.raises(BadInput, match="is larger than"):
        open_source("memory://pictures/a.zip", None, Columns()).__enter__()

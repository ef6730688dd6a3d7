"""Reading in place: hostile names, links, bombs and damage inside folders and archives."""

import os
import stat
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.importers import stores
from app.importers.columns import Columns
from app.importers.manifests import read_manifest
from app.importers.sources import open_source
from app.importers.stores import EntryFault, FolderStore, TarStore, ZipStore, open_store, tidy
from db.errors import BadInput

ESCAPES = ["../x.png", "a/../../x.png", "/etc/passwd", "\\\\host\\x.png", "C:\\x.png", "C:/x.png", "a\x00b", ".."]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    assert tidy(name) is None


@given(st.lists(st.sampled_from(["..", ".", "a", "b", "..a", ""]), max_size=8))
def test_a_tidy_name_stays_below_its_root(parts: list[str]) -> None:
    name = tidy("/".join(parts))
    if name is not None:
        inside = os.path.normpath(f"/somewhere/x/{name}")
        assert inside.startswith("/somewhere/x/")
        assert inside == f"/somewhere/x/{name}"


def test_a_zip_entry_with_an_escaping_name_or_a_link_is_listed_as_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "evil.zip"
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("../../up.png", b"x")
        pack.writestr("/abs.png", b"x")
        pack.writestr(link, "/etc/passwd")
        pack.writestr("__MACOSX/._a.png", b"x")
        pack.writestr("ok.png", b"fine")
    store = ZipStore(path)
    assert store.names == ["ok.png"]
    assert {name for name, _ in store.faults} == {"../../up.png", "/abs.png", "link.png"}
    assert store.read("ok.png", 10) == b"fine"
    assert store.read("ok.png", 2) == b"fin"  # one byte past the limit tells that it is too large
    store.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["evil.zip"]


def test_a_tar_gives_up_links_devices_and_escapes(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as pack:
        for name, kind in (("s.png", tarfile.SYMTYPE), ("h.png", tarfile.LNKTYPE), ("f.png", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            pack.addfile(info)
        for name in ("../up.png", "ok.png"):
            info = tarfile.TarInfo(name)
            info.size = 4
            pack.addfile(info, BytesIO(b"fine"))
    store = TarStore(path)
    assert store.names == ["ok.png"]
    assert {name for name, _ in store.faults} == {"s.png", "h.png", "f.png", "../up.png"}
    with pytest.raises(EntryFault):
        store.read("s.png", 10)
    store.close()


def test_a_locked_and_a_damaged_zip_entry_are_faults_of_that_entry(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("a.png", b"0123456789" * 20)
    bad = bytearray(path.read_bytes())
    bad[bad.index(b"0123456789") + 50] ^= 255
    path.write_bytes(bad)
    with pytest.raises(EntryFault, match="damaged inside the archive"):
        ZipStore(path).read("a.png", 10_000)


def test_an_archive_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FREE_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("zeros.png", bytes(5_000_000))
    with tarfile.open(tmp_path / "bomb.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("zeros.png")
        info.size = 5_000_000
        tar.addfile(info, BytesIO(bytes(5_000_000)))
    for name in ("bomb.zip", "bomb.tar.gz"):
        with pytest.raises(BadInput, match="200 times its size"):
            open_store(tmp_path / name)


def test_a_cut_archive_and_a_strange_file_are_bad_input(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("a.png")
        info.size = 200_000
        tar.addfile(info, BytesIO(os.urandom(200_000)))
    (tmp_path / "a.tar.gz").write_bytes((tmp_path / "a.tar.gz").read_bytes()[:-90_000])
    (tmp_path / "a.docx").write_bytes(b"PK but no")
    for name in ("a.tar.gz", "a.docx"):
        with pytest.raises(BadInput):
            open_store(tmp_path / name)
    with pytest.raises(BadInput, match="there is no file or folder"), open_source(tmp_path / "gone", None, Columns()):
        pass


def test_a_folder_is_not_left_by_any_link_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (root / "in" / "a.png").write_bytes(b"a")
    (root / "alias.png").symlink_to(root / "in" / "a.png")
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "outdir").symlink_to(tmp_path, target_is_directory=True)
    (root / ".hidden.png").write_bytes(b"h")
    os.mkfifo(root / "pipe.png")
    store = FolderStore(root)
    assert store.names == ["alias.png", "in/a.png", "out.png", "pipe.png"]
    assert store.read("alias.png", 9) == b"a"
    for name, reason in (("out.png", "leads out"), ("outdir/secret.png", "leads out"), ("pipe.png", "not a regular")):
        with pytest.raises(EntryFault, match=reason):
            store.read(name, 9)


def test_a_manifest_s_paths_stay_inside_its_source(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "m.csv").write_text("id,path\n" + "".join(f"r{n},{p}\n" for n, p in enumerate(
        ["../pics/a.png", "../../a.png", "/etc/passwd", "", "b/../c.png"])))  # fmt: skip
    with open_source(tmp_path, "meta/m.csv", Columns()) as source:
        assert [(entry.name, entry.file) for entry in source.entries] == [("r0", "pics/a.png"), ("r4", "meta/c.png")]
        assert [name for name, _ in source.faults] == ["r1", "r2", "r3"]


def test_metadata_is_found_by_its_end_or_the_manifests_there_are_listed(tmp_path: Path) -> None:
    for name in ("x/metadata.csv", "y/metadata.csv", "x/other.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("id,path\na,a.png\n")
    with open_source(tmp_path, "other.csv", Columns()) as source:
        assert source.base == "x"
    with pytest.raises(BadInput, match=r"several files end in 'metadata\.csv'.*x/metadata.csv, y/metadata.csv"):
        open_source(tmp_path, "metadata.csv", Columns()).__enter__()
    with pytest.raises(BadInput, match=r"there is no 'm\.csv'.*x/other.csv"):
        open_source(tmp_path, "m.csv", Columns()).__enter__()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"id,path\na,b,c\n"),
        ("a.csv", b"id,path\na\n"),
        ("a.csv", b"id,id\na,b\n"),
        ("a.csv", b"\xff\xfe\x00"),
        ("a.csv", b'id,path\na,"open'),
        ("a.jsonl", b"[1]\n"),
        ("a.jsonl", b"{"),
        ("a.jsonl", b"[" * 100_000),
        ("a.parquet", b"PAR1 not really"),
        ("a.txt", b"id"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_bad_input(name: str, content: bytes) -> None:
    with pytest.raises(BadInput, match="metadata"):
        read_manifest(content, name)


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.jsonl", "a.parquet", "a.tsv"]))
def test_any_bytes_as_a_manifest_give_rows_or_bad_input(content: bytes, name: str) -> None:
    try:
        columns, rows = read_manifest(content, name)
    except BadInput:
        return
    assert all(set(row) == set(columns) for row in rows)

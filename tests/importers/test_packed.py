"""Pictures in few big files: packs of the workspace, and tar and Parquet files left where they are."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app import doctor
from app.cli.main import run
from app.importers import keeping
from app.importers.media import media_bytes
from app.settings import Settings
from db.engine import open_database
from db.errors import BadInput, Broken
from tests.importers.conftest import Desk, paint
from trainer import packs
from trainer.originals import Damaged, Part, original, size
from trainer.pair_dataset import PairDataset
from trainer.squares import squares

COUNT = 8
PICTURES = {f"p{number}": paint(number, kind="JPEG" if number % 2 else "PNG") for number in range(COUNT)}
HASHES = {hashlib.sha256(one).hexdigest() for one in PICTURES.values()}


def fill(desk: Desk) -> None:
    for name, content in PICTURES.items():
        desk.put(f"{name}.png", content)  # the ending of a name says nothing, the bytes do


def shard(path: Path, names: list[str], mode: str = "w") -> Path:
    """A WebDataset shard."""
    with tarfile.open(path, mode) as tar:
        for name in names:
            for ending, content in (("jpg", PICTURES[name]), ("cls", name.encode())):
                about = tarfile.TarInfo(f"{name}.{ending}")
                about.size = len(content)
                tar.addfile(about, BytesIO(content))
    return path


def shards(desk: Desk) -> list[Path]:
    names = list(PICTURES)
    return [shard(desk.source / f"{n}.tar", names[n * 4 : n * 4 + 4]) for n in range(2)]


def table(desk: Desk) -> Path:
    path = desk.source / "train.parquet"
    rows = [{"image": {"bytes": one, "path": None}, "label": name} for name, one in PICTURES.items()]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=3)
    return path


def held(desk: Desk) -> set[str]:
    """Hashes of the pictures as they are read, each compared with its own on the way."""
    return {
        hashlib.sha256(original(desk.workspace, one.path, one.sha256)).hexdigest() for one in desk.items()
    }  # fmt: skip


def files(desk: Desk) -> list[str]:
    return sorted(
        path.relative_to(desk.workspace).as_posix()
        for path in desk.workspace.rglob("*")
        if path.is_file() and ".sqlite" not in path.name
    )


def test_a_packed_import_leaves_one_file_that_any_tar_reader_opens(desk: Desk) -> None:
    fill(desk)
    assert desk.run(packed=True).added == COUNT
    (pack,) = files(desk)
    with tarfile.open(desk.workspace / pack) as tar:
        assert {one.name.partition(".")[0] for one in tar} == HASHES
    assert held(desk) == HASHES
    for one in desk.items():
        assert size(desk.workspace, one.path) == len(original(desk.workspace, one.path))
        assert Path(one.path).suffix in (".png", ".jpg")


def test_importing_again_packs_nothing_twice_and_fills_several_packs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PACK_BYTES", 3000)
    fill(desk)
    assert desk.run(packed=True).added == COUNT
    before = files(desk)
    assert 2 <= len(before) <= COUNT
    again = desk.run(packed=True)
    assert (again.added, again.known) == (0, COUNT) and files(desk) == before and held(desk) == HASHES
    loose = desk.run()
    assert (loose.added, loose.known) == (0, COUNT) and held(desk) == HASHES


def test_a_known_picture_stays_where_it_is_without_its_thumbnail_too(desk: Desk) -> None:
    fill(desk)
    desk.run()
    shutil.rmtree(desk.workspace / "thumbs")
    report = desk.run(packed=True)
    assert (report.known, report.skipped) == (COUNT, []) and held(desk) == HASHES
    assert all(one.path.startswith("media/") for one in desk.items())


def test_packed_pictures_are_shown_embedded_and_exported_as_loose_ones_are(desk: Desk, tmp_path: Path) -> None:
    fill(desk)
    desk.run(packed=True)
    first = desk.items()[0]
    shown, _ = media_bytes(desk.workspace, first.sha256, first.path, 128)
    with Image.open(BytesIO(shown)) as image:
        assert max(image.size) <= 128
    pixels, ids = squares(tmp_path / "squares", desk.items(), desk.workspace, 16)
    assert len(ids) == COUNT and len(pixels) >= COUNT
    words = ["--collection", "pictures", "--format", "huggingface", "--workspace", str(desk.workspace)]
    assert run(["export", "dataset", str(tmp_path / "out"), *words]) == 0
    rows = pq.read_table(tmp_path / "out" / "data" / "train-00000.parquet").to_pylist()
    assert {hashlib.sha256(row["image"]["bytes"]).hexdigest() for row in rows} == HASHES
    (tmp_path / "pairs.csv").write_text(f"image1,image2,label\n{first.path},{desk.items()[1].path},1\n")
    assert PairDataset(tmp_path / "pairs.csv", desk.workspace)[0][0].size == (40, 30)


def test_a_pack_that_could_not_be_finished_is_named_by_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    fill(desk)
    monkeypatch.setattr(keeping.os, "fsync", full)
    with pytest.raises(Broken, match="No space left"):
        desk.run(packed=True)
    assert desk.items() == [] and files(desk) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from app.importers import import_path
from app.settings import Settings
from db import catalog, places
owner, name = {"rename": (Path, "rename"), "rows": (catalog, "add_items"), "note": (Path, "unlink")}[sys.argv[3]]
setattr(owner, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
if __name__ == "__main__":
    settings = Settings(Path(sys.argv[1]))
    import_path(settings.open(), settings.folder, Path(sys.argv[2]), "pictures", packed=True, workers=1)
"""


def killed(desk: Desk, tmp_path: Path, at: str) -> list[str]:
    """Import in a process that is killed; what it leaves, old enough to be nobody's."""
    fill(desk)
    (tmp_path / "killed.py").write_text(KILLED)
    there = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, str(tmp_path / "killed.py"), str(desk.workspace), str(desk.source), at]
    assert subprocess.run(words, env=there, timeout=240).returncode == -signal.SIGKILL
    assert packs.sweep(desk.database, desk.workspace) == 0  # it might be at work
    for left in (desk.workspace / "packs").iterdir():
        os.utime(left, (time.time() - 7300,) * 2)
    return files(desk)


@pytest.mark.parametrize("at", ["rename", "rows"])
def test_a_killed_import_leaves_what_the_next_one_takes_away(desk: Desk, tmp_path: Path, at: str) -> None:
    left = killed(desk, tmp_path, at)
    assert desk.items() == [] and len(left) == 2 and all(name.startswith("packs/") for name in left)
    settings = Settings(desk.workspace, f"sqlite:///{desk.workspace / 'pairwright.sqlite'}")
    with pytest.raises(Broken, match=r"killed imports left .* in .*packs"):
        doctor.packs(settings)
    assert desk.run(packed=True).added == COUNT
    assert len(files(desk)) == 1 and not {*left} & {*files(desk)} and held(desk) == HASHES
    assert doctor.packs(settings) == "no import left one half-done"


def test_a_pack_that_rows_name_stays_and_only_its_note_goes(desk: Desk, tmp_path: Path) -> None:
    pack, note = sorted(killed(desk, tmp_path, "note"), reverse=True)
    assert note.startswith("packs/.") and held(desk) == HASHES
    assert packs.sweep(desk.database, desk.workspace) == 0
    assert files(desk) == [pack] and held(desk) == HASHES


def test_a_pack_without_a_note_is_never_taken_away_not_even_by_the_wrong_database(desk: Desk, tmp_path: Path) -> None:
    fill(desk)
    desk.run(packed=True)
    (pack,) = files(desk)
    os.utime(desk.workspace / pack, (0, 0))
    with closing(open_database(f"sqlite:///{tmp_path / 'other.sqlite'}")) as other:
        assert packs.sweep(other, desk.workspace, older_than_s=0) == 0
    assert files(desk) == [pack] and held(desk) == HASHES


def test_an_import_whose_pack_was_taken_away_meanwhile_names_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = keeping.Packed.finish

    def swept(keeper: keeping.Packed) -> None:
        finish(keeper)
        assert packs.sweep(desk.database, desk.workspace, older_than_s=0) == 1  # as if it had slept for an hour

    fill(desk)
    monkeypatch.setattr(keeping.Packed, "finish", swept)
    with pytest.raises(Broken, match="No such file"):
        desk.run(packed=True)
    assert desk.items() == [] and files(desk) == []


@pytest.mark.parametrize("make", [shards, table])
def test_pictures_stay_in_the_big_files_they_lie_in(desk: Desk, make: object) -> None:
    make(desk)  # type: ignore[operator]
    assert desk.run(in_place=True).added == COUNT
    assert held(desk) == HASHES
    assert all(name.startswith("linked/") and name.endswith(".json") for name in files(desk))
    assert len(files(desk)) == (2 if make is shards else 1)


def test_a_shard_that_moved_is_one_sentence_and_another_import_finds_it(desk: Desk, tmp_path: Path) -> None:
    shards(desk)
    desk.run(in_place=True)
    moved = desk.source.rename(tmp_path / "elsewhere")
    with pytest.raises(Broken, match=r"0\.tar', which holds pictures, is gone .*, or import it again"):
        squares(tmp_path / "squares", desk.items(), desk.workspace, 16)
    assert desk.run(moved, in_place=True).known == COUNT
    assert held(desk) == HASHES


def test_a_shard_that_changed_is_noticed_and_its_pictures_are_taken_from_the_new_one(desk: Desk) -> None:
    first, _ = shards(desk)
    desk.run(in_place=True)
    whole = first.read_bytes()
    one = next(one for one in desk.items() if one.sha256 == hashlib.sha256(PICTURES["p0"]).hexdigest())
    first.write_bytes(whole.replace(PICTURES["p0"], PICTURES["p0"][::-1]))
    with pytest.raises(Damaged, match=r"'0\.tar' holds other bytes"):
        original(desk.workspace, one.path, one.sha256)
    shard(first, ["p3", "p2", "p1", "p0", "p4", "p5", "p6", "p7"])
    with pytest.raises(Broken, match=r"has changed: \d+ bytes expected, got \d+"):
        original(desk.workspace, one.path, one.sha256)
    assert desk.run(in_place=True).known == COUNT
    assert held(desk) == HASHES


def test_what_cannot_stay_where_it_is_is_said(desk: Desk) -> None:
    fill(desk)
    with pytest.raises(BadInput, match="tar or Parquet files of this machine"):
        desk.run(in_place=True)
    with pytest.raises(BadInput, match="one of the two"):
        desk.run(in_place=True, packed=True)
    shutil.rmtree(desk.source)
    desk.source.mkdir()
    packed = shard(desk.source / "a.tgz", ["p0", "p1"], "w:gz")
    report = desk.run(packed, in_place=True)
    assert report.added == 0 and {why for _, why in report.skipped} == {
        "It lies compressed in its archive, where it cannot be left."
    }


def test_a_backup_holds_packs_and_links(desk: Desk, tmp_path: Path) -> None:
    from app import backup

    fill(desk)
    desk.run(packed=True)
    settings = Settings(desk.workspace, f"sqlite:///{desk.workspace / 'pairwright.sqlite'}")
    made = backup.create(settings, desk.database, into=tmp_path / "backups")
    assert [path.name for path in (tmp_path / "backups" / made.name / "packs").iterdir()] == [Path(files(desk)[0]).name]


@given(st.booleans(), st.integers(0, 2**40), st.integers(0, 2**30))
def test_the_path_of_a_part_is_read_as_it_was_written(cell: bool, first: int, second: int) -> None:
    part = Part("linked/0af3", cell, first, second)
    assert Part.of(part.path("png")) == part


@pytest.mark.parametrize(
    "path", ["media/ab/x.png", "packs/../x.tar@0+5.png", "/packs/x.tar@0+5.png", "packs/a/b@0+5.png"]
)
def test_other_paths_are_no_parts(path: str) -> None:
    assert Part.of(path) is None

"""Whole imports: what ends up in the database and on the disk."""

import hashlib
import json
import os
import tarfile
import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest

from app.importers import decode, decoders, files, run
from app.importers.decode import Refused, Stored
from db.errors import BadInput, Broken
from tests.importers.conftest import Desk, Paint


def test_a_folder_is_imported_once_and_known_the_second_time(desk: Desk, paint: Paint) -> None:
    for seed in range(3):
        desk.put(f"cats/{seed}.png", paint(seed))
    desk.put("dogs/9.jpg", paint(9, (64, 48), "JPEG"))
    ticks: list[tuple[int, int]] = []
    first = desk.run(progress=lambda done, total: ticks.append((done, total)))
    before = {path: path.stat().st_mtime_ns for path in desk.workspace.rglob("*.webp")}
    second = desk.run()
    assert (first.added, first.known, first.skipped) == (4, 0, [])
    assert (second.added, second.known, second.skipped) == (0, 4, [])
    assert before == {path: path.stat().st_mtime_ns for path in desk.workspace.rglob("*.webp")}
    assert ticks[-1] == (4, 4)
    assert sorted(done for done, _ in ticks) == [done for done, _ in ticks]
    dog = next(item for item in desk.items() if item.attributes["folder"] == "dogs")
    assert (dog.width, dog.height, dog.name, dog.path) == (64, 48, "dogs/9.jpg", files.media_path(dog.sha256, "jpg"))


def test_every_row_has_its_bytes_and_its_thumbnail_on_the_disk(desk: Desk, paint: Paint) -> None:
    for seed in range(5):
        desk.put(f"{seed}.png", paint(seed, (600, 200)))
    desk.run()
    for item in desk.items():
        stored = (desk.workspace / item.path).read_bytes()
        assert hashlib.sha256(stored).hexdigest() == item.sha256
        assert (desk.workspace / files.thumbnail_path(item.sha256, 256)).exists()
    assert not [path for path in desk.workspace.rglob(".*") if path.is_file()], "temporary files were left"


def test_what_cannot_be_used_is_skipped_with_a_sentence_and_the_rest_goes_on(desk: Desk, paint: Paint) -> None:
    desk.put("good.png", paint(1))
    desk.put("same.png", paint(1))
    desk.put("text.jpg", b"hello, I am not a picture")
    desk.put("cut.jpg", paint(2, (400, 400), "JPEG")[:2000])
    desk.put("empty.png", b"")
    desk.put("frames.gif", _frames(65))
    (desk.source / "dangling.png").symlink_to(desk.source / "nowhere.png")
    (desk.source / "out.png").symlink_to("/etc/hostname")
    report = desk.run()
    reasons = dict(report.skipped)
    assert report.added == 1
    assert "same bytes as 'good.png'" in reasons["same.png"]
    assert "Not a picture" in reasons["text.jpg"] and "Not a picture" in reasons["empty.png"]
    assert "damaged" in reasons["cut.jpg"]
    assert "65 frames" in reasons["frames.gif"]
    assert "no such file" in reasons["dangling.png"]
    assert "leads out" in reasons["out.png"]
    assert all(reason[0].isupper() and reason.endswith(".") for reason in reasons.values())
    assert len(desk.items()) == 1


def _frames(count: int) -> bytes:
    from PIL import Image

    out = BytesIO()
    pictures = [Image.new("L", (4, 4), number) for number in range(count)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


def test_a_manifest_gives_names_attributes_time_place_groups_and_a_recording(desk: Desk, paint: Paint) -> None:
    desk.put("data/images/a.png", paint(1))
    desk.put("data/sound/a.wav", b"RIFF....WAVE")
    desk.put(
        "data/metadata.csv",
        b"id,path,when,lat,lon,note,wav,plant\n"
        b"first,images/a.png,2026-01-20T23:24:45+08:00,1.5,103.25,hello,sound/a.wav,p7\n",
    )
    settings = {"time_column": "when", "latitude_column": "lat", "longitude_column": "lon"}
    report = desk.run(
        desk.source / "data" / "metadata.csv",
        **settings, caption_column="note", audio_column="wav", group_columns=["plant"],
    )  # fmt: skip
    item = desk.items()[0]
    assert report.skipped == []
    assert (item.name, item.caption, item.latitude, item.longitude) == ("first", "hello", 1.5, 103.25)
    assert item.taken_at is not None and item.taken_at.replace(tzinfo=None) == datetime(2026, 1, 20, 15, 24, 45)
    assert item.groups == {"plant": "p7"}
    assert item.attributes["plant"] == "p7" and "path" not in item.attributes
    assert item.audio is not None and (desk.workspace / item.audio).read_bytes() == b"RIFF....WAVE"


def test_a_recording_must_begin_as_its_name_says(desk: Desk, paint: Paint) -> None:
    lines = [b"id,path,wav"]
    sounds = {"page.wav": b"<html>", "no.txt": b"RIFF", "good.flac": b"fLaC....", "../up.wav": b""}
    for number, (name, content) in enumerate(sounds.items()):
        desk.put(f"data/{number}.png", paint(number))
        if content:
            desk.put(f"data/{name}", content)
        lines.append(f"n{number},{number}.png,{name}".encode())
    desk.put("data/m.csv", b"\n".join(lines) + b"\n")
    reasons = dict(desk.run(desk.source / "data" / "m.csv", audio_column="wav").skipped)
    assert "'page.wav' does not begin as a .wav file does" in reasons["n0"]
    assert "is not a sound file (.wav, .flac" in reasons["n1"] and "inside the source" in reasons["n3"]
    assert [item.name for item in desk.items()] == ["n2"]


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_manifest_format_says_the_same(desk: Desk, paint: Paint, kind: str) -> None:
    rows = [{"id": f"n{seed}", "path": f"i/{seed}.png", "class": "odd" if seed % 2 else "even"} for seed in range(4)]
    for seed, row in enumerate(rows):
        desk.put(row["path"], paint(seed))
    manifest = _manifest(desk, rows, kind)
    report = desk.run(manifest, where=["class=odd"])
    assert report.added == 2
    assert {item.name: item.attributes["class"] for item in desk.items()} == {"n1": "odd", "n3": "odd"}


def _manifest(desk: Desk, rows: list[dict[str, str]], kind: str) -> Path:
    if kind == "jsonl":
        return desk.put("m.jsonl", "\n".join(json.dumps(row) for row in rows).encode())
    if kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), desk.source / "m.parquet")
        return desk.source / "m.parquet"
    comma = "," if kind == "csv" else "\t"
    lines = [comma.join(rows[0]), *(comma.join(row.values()) for row in rows)]
    return desk.put(f"m.{kind}", ("\ufeff" + "\r\n".join(lines)).encode())


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "tar.xz"])
def test_an_archive_is_read_in_place_with_its_metadata(desk: Desk, paint: Paint, ending: str) -> None:
    content = {"set/images/a.png": paint(1), "set/images/b.png": paint(2), "set/metadata.csv": b""}
    content["set/metadata.csv"] = b"id,path,k\na,images/a.png,x\nb,images/b.png,y\nc,../../up.png,z\n"
    archive = _archive(desk.source / f"set.{ending}", content)
    report = desk.run(archive, metadata="metadata.csv")
    assert report.added == 2
    assert dict(report.skipped) == {"c": "Its path leads out of the source."}
    assert {item.attributes["k"] for item in desk.items()} == {"x", "y"}
    assert sorted(path.name for path in desk.source.iterdir()) == [f"set.{ending}"]


def _archive(path: Path, content: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as pack:
            for name, data in content.items():
                pack.writestr(name, data)
        return path
    mode = {".tar": "w", ".gz": "w:gz", ".xz": "w:xz"}[path.suffix]
    with tarfile.open(path, mode) as pack:  # type: ignore[call-overload]
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            pack.addfile(info, BytesIO(data))
    return path


def test_metadata_given_later_reaches_known_items(desk: Desk, paint: Paint) -> None:
    desk.put("a.png", paint(1))
    desk.run()
    desk.put("m.csv", b"id,path,species\nx,a.png,fox\n")
    report = desk.run(desk.source / "m.csv")
    assert (report.added, report.known) == (0, 1)
    assert desk.items()[0].attributes["species"] == "fox"


def test_a_row_with_an_impossible_place_or_time_is_skipped_with_its_value(desk: Desk, paint: Paint) -> None:
    for seed in range(3):
        desk.put(f"{seed}.png", paint(seed))
    desk.put("m.csv", b"id,path,lat,t\na,0.png,95,\nb,1.png,4,yesterday\nc,2.png,,2026:01:31 12:00:00\n")
    report = desk.run(desk.source / "m.csv", latitude_column="lat", time_column="t")
    assert report.added == 1
    assert "'95'" in dict(report.skipped)["a"] or "95" in dict(report.skipped)["a"]
    assert "'yesterday'" in dict(report.skipped)["b"]


def test_cancelling_keeps_what_is_stored_and_a_second_run_completes_it(
    desk: Desk, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "WINDOW", 2)
    for seed in range(24):
        desk.put(f"{seed:02}.png", paint(seed))
    asked: list[int] = []

    def enough() -> bool:
        asked.append(1)
        return len(asked) > 2

    first = desk.run(cancelled=enough)
    stored = len(desk.items())
    assert first.cancelled and 0 < stored < 24
    assert first.added == stored
    second = desk.run()
    assert (second.added, second.known, second.cancelled) == (24 - stored, stored, False)


def test_a_picture_that_kills_its_process_is_refused_and_its_neighbours_are_not(desk: Desk, paint: Paint) -> None:
    with decoders.Decoders(desk.workspace, workers=2, task=_dies_of_poison) as pool:
        given = [paint(0), POISON, paint(1), paint(2)]
        pending = [pool.submit(encoded, hashlib.sha256(encoded).hexdigest()) for encoded in given]
        results = [pool.result(one) for one in pending]
        assert [type(result) for result in results] == [Stored, Refused, Stored, Stored]
        assert results[1] == Refused(decoders.KILLED)
        after = pool.submit(paint(4), hashlib.sha256(paint(4)).hexdigest())
        assert isinstance(pool.result(after), Stored)


POISON = b"poison"


def _dies_of_poison(encoded: bytes, sha: str, workspace: Path) -> Stored | Refused:
    if encoded == POISON:
        os.abort()
    return decode.store(encoded, sha, workspace)


def test_a_full_disk_is_our_fault_and_leaves_no_row(desk: Desk, paint: Paint) -> None:
    desk.put("a.png", paint(1))
    (desk.workspace / "media").write_text("a file where the folder should be")
    with pytest.raises(Broken, match="cannot write to the workspace"):
        desk.run()
    assert desk.items() == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"path_column": "file"}, "has no column 'file'. Its columns: id, path, kind."),
        ({"time_column": "when"}, "has no column 'when'. Its columns: id, path, kind."),
        ({"id_column": "key"}, "has no column 'key'"),
        ({"where": ["kin=x"]}, "has no column 'kin'"),
        ({"where": ["kind"]}, "expected COLUMN=VALUE, got 'kind'"),
        ({"where": ["kind=zebra"]}, "holds no picture to import with these filters"),
        ({"metadata": "m.csv"}, "not needed when the source is a manifest"),
    ],
)
def test_a_wrong_column_or_filter_is_told_with_what_there_is(
    desk: Desk, paint: Paint, settings: dict[str, object], sentence: str
) -> None:
    desk.put("a.png", paint(1))
    desk.put("m.csv", b"id,path,kind\na,a.png,x\n")
    with pytest.raises(BadInput, match=sentence.replace(".", r"\.")):
        desk.run(desk.source / "m.csv", **settings)
    assert desk.items() == []


def test_the_limits_are_the_promised_ones() -> None:
    assert (decode.MAX_PIXELS, decode.MAX_BYTES, decode.MAX_FRAMES) == (40_000_000, 25 * 1024 * 1024, 64)


SHARED = Path(__file__).parents[3] / "shared" / "data" / "trashnet.zip"


@pytest.mark.skipif(not SHARED.exists(), reason="the measuring archives are not on this machine")
def test_a_real_archive_is_read_in_place_and_its_copies_are_named(desk: Desk) -> None:
    report = desk.run(SHARED, metadata="metadata.csv", where=["material=trash", "material=metal"])
    assert report.added == len(desk.items()) > 400
    assert {item.attributes["material"] for item in desk.items()} == {"trash", "metal"}
    assert all(reason.startswith("It has the same bytes as") for _, reason in report.skipped)

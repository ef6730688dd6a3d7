"""Frames of a video become pictures that share a key with their shot; nothing else of the machine is opened."""

from pathlib import Path

import numpy as np
import pytest

from app.importers import videos
from app.importers.columns import Columns
from app.importers.decoders import Killed, in_a_child
from app.importers.sources import open_source
from db.errors import BadInput
from tests.importers.conftest import Desk, paint

av = pytest.importorskip("av")
RATE = 10
SHOTS = ((200, 20, 20), (20, 200, 20), (20, 20, 200))  # a second and a half each


def film(path: Path, shots: tuple[tuple[int, int, int], ...] = SHOTS, size: tuple[int, int] = (64, 48)) -> Path:
    """A grey square wanders over a plain ground, which changes its colour at each cut."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(15 * len(shots)):
            pixels = np.full((size[1], size[0], 3), shots[number // 15], np.uint8)
            pixels[4:14, number : number + 10] = 128
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_frames_of_one_shot_share_a_group_key(desk: Desk) -> None:
    film(desk.source / "cuts.mp4")
    report = desk.run(desk.source / "cuts.mp4")
    assert report.skipped == []
    found = [(item.attributes["second"], item.groups["shot"]) for item in desk.items()]
    assert found == [(0.0, "cuts.mp4#0"), (1.0, "cuts.mp4#0"), (1.5, "cuts.mp4#1"), (2.5, "cuts.mp4#1"),
                     (3.0, "cuts.mp4#2"), (4.0, "cuts.mp4#2")]  # fmt: skip
    assert {(item.width, item.height) for item in desk.items()} == {(64, 48)}
    assert desk.items()[0].name == "cuts.mp4@0.000s"
    assert desk.run(desk.source / "cuts.mp4").known == 6, "the same film again adds nothing"


def test_as_many_frames_a_second_as_asked_for_and_none_left_behind(tmp_path: Path) -> None:
    film(tmp_path / "a.mkv", SHOTS[:1])
    with open_source(tmp_path, None, Columns(), format="video:every=0.2") as source:
        assert [entry.row["second"] for entry in source.entries] == pytest.approx([0.2 * n for n in range(8)], abs=0.11)
        kept = source.store.folder  # type: ignore[attr-defined]
        assert source.read(source.entries[0].file, 10**6)[:2] == b"\xff\xd8"
    assert not kept.exists()
    with pytest.raises(BadInput, match="every = seconds above 0"):
        open_source(tmp_path, None, Columns(), format="video:every=0").__enter__()
    with pytest.raises(BadInput, match="video = float expected"):
        open_source(tmp_path, None, Columns(), format="video:every=often").__enter__()


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n"
HOSTILE = {
    "playlist.mp4": PLAYLIST.format("http://127.0.0.1:9/secret.ts").encode(),
    "local.mp4": PLAYLIST.format("other.mp4").encode(),
    "concat.mp4": b"ffconcat version 1.0\nfile other.mp4\n",
    "noise.mp4": bytes(range(256)) * 40,
    "empty.mp4": b"",
    "picture.mp4": paint(),
}


def test_what_is_no_video_or_points_elsewhere_is_refused_by_name(tmp_path: Path) -> None:
    source = tmp_path / "films"
    source.mkdir()
    film(source / "other.mp4", SHOTS[:1])
    (tmp_path / "out.mp4").write_bytes((source / "other.mp4").read_bytes())
    (source / "link.mp4").symlink_to(tmp_path / "out.mp4")
    whole = (source / "other.mp4").read_bytes()
    for name, content in (HOSTILE | {"cut.mp4": whole[: len(whole) // 3]}).items():
        (source / name).write_bytes(content)
    with open_source(source, None, Columns()) as found:
        assert {entry.row["video"] for entry in found.entries} == {"other.mp4"}
        assert {name for name, _ in found.faults} == {*HOSTILE, "cut.mp4", "link.mp4"}


def test_too_large_and_too_many_frames_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film(tmp_path / "a.mp4", SHOTS[:1])
    monkeypatch.setattr(videos, "MOST", 3)
    assert "more than 3 frames" in str(videos.extract(tmp_path / "a.mp4", tmp_path, 0.1))
    monkeypatch.setattr(videos.decode, "MAX_PIXELS", 1000)
    assert "its frames are 64 x 48" in str(videos.extract(tmp_path / "a.mp4", tmp_path, 0.1))


def die(_: object) -> None:
    import os

    os._exit(3)


def test_a_process_that_dies_is_told_apart() -> None:
    with pytest.raises(Killed):
        in_a_child(die, None)


def test_without_pyav_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    monkeypatch.setattr(videos, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"pairwright\[video\]"):
        open_source(tmp_path, None, Columns()).__enter__()

"""Recordings and camera folders: what is written is read again, a replay learns, a moved file is a placement."""

import csv
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from app import sorted_again as replaying
from app import watching
from app.cli.main import run
from app.recorded import Seen, Share, read, recorded, write
from app.sorted_again import Plan, replay
from app.watching import Noticed, watch
from db import placements, sessions
from db.errors import BadInput
from db.nouns import Item
from oracle.sorting import Costs
from tests.app.conftest import World
from tests.app.test_sessions import KINDS, Glass, look_at


def things_of(count: int = 40) -> list[Item]:
    """Two pictures of each thing, every second thing in bin a."""
    about = [{"bin": "ab"[number // 2 % 2], "thing": f"t{number // 2}"} for number in range(count)]
    return [Item(at + 1, 1, f"{at:064x}", 8, 8, "x", attributes=one) for at, one in enumerate(about)]


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = list(recorded(things_of(), "bin", "thing", Share(0.5, 0.3, 2), seed=3))
    assert write(tmp_path / "belt.jsonl", made) == 40 and read(tmp_path / "belt.jsonl") == made
    assert made == list(recorded(things_of(), "bin", "thing", Share(0.5, 0.3, 2), seed=3))
    assert made != list(recorded(things_of(), "bin", "thing", Share(0.5, 0.3, 2), seed=4))


def test_a_recording_holds_things_apart_as_wholes_and_only_positives(tmp_path: Path) -> None:
    made = list(recorded(things_of(), "bin", "thing", Share(1.0, 0.3, 2), seed=0))
    apart = {one.object for one in made if one.held}
    assert len(apart) == 6 and apart.isdisjoint(one.object for one in made if not one.held)
    assert all(one.put is None for one in made if one.held)
    assert sum(one.put is not None for one in made) == 14, "each other thing is put once, after it was seen"
    assert {one.put for one in made if one.put} == {"a", "b"}
    assert len({one.object for one in recorded(things_of(), "bin", None, Share(most=10), seed=0)}) == 10
    with pytest.raises(BadInput, match="Columns there are: bin, thing"):
        list(recorded(things_of(), "colour", None, Share(), seed=0))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "line 2 of 'belt.jsonl' is no JSON"),
        ('{"item": "%s", "wrong": 1}' % ("0" * 64), "got wrong"),
        ("[1]", "must be an object of"),
        ("{}", "needs either item or path"),
        ('{"path": 3}', "path must be text"),
        ('{"path": "a.png", "held": "yes"}', "held must be true or false"),
        ('{"path": "a.png", "seen_at": "noon"}', "seen_at must be a time"),
        ('{"item": "abc"}', "64 lower-case"),
        ('{"path": "a.png", "put": ""}', "1 to 80 characters"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "belt.jsonl"
    file.write_text(f'{{"path": "a.png"}}\n{line}\n')
    with pytest.raises(BadInput) as error:
        read(file)
    assert sentence in str(error.value) and "line 2" in str(error.value)


@pytest.fixture
def seeing(world: World, monkeypatch: pytest.MonkeyPatch) -> Glass:
    """A world in which commands see by sixteen colours."""
    glass = Glass(world)
    glass.stop = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setattr(replaying, "Eye", lambda settings: glass)
    monkeypatch.setattr(watching, "Eye", lambda settings: glass)
    return glass


def belt(folder: Path, stream: int = 30, held: int = 9) -> Path:
    """A recording of pictures beside the file."""
    lines, kinds = [], list(KINDS)
    for number in range(stream + held):
        kind = kinds[number % 3]
        (folder / f"{number}.png").write_bytes(look_at(kind, number))
        put = kind if number < stream and number % 2 else None
        lines.append(Seen(path=f"{number}.png", object=f"t{number}", put=put, bin=kind, held=number >= stream))
    write(folder / "belt.jsonl", lines)
    return folder / "belt.jsonl"


def test_a_replay_learns_to_sort_and_says_how_well(world: World, seeing: Glass, tmp_path: Path) -> None:
    report = tmp_path / "report"
    done = replay(world.settings, Plan(str(belt(tmp_path)), "shapes"), report)
    assert (done["things"], done["held"]) == (30, 9) and done["final"]["held_out_accuracy"] == 1
    assert 3 <= done["final"]["asked"] < 20 and done["final"]["placed"] >= 15
    with (report / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["objects"]) for row in rows][-1] == 30 and len(rows) == 20
    asked = [int(row["asked"]) for row in rows]
    assert asked == sorted(asked)
    page = (report / "report.html").read_text()
    assert "Questions asked by things seen" in page and "30 things came by" in page
    again = replay(world.settings, Plan(str(tmp_path / "belt.jsonl"), "shapes"), tmp_path / "again")
    waits = ("p50_ms", "p95_ms")
    assert {k: v for k, v in again["final"].items() if k not in waits} == {
        k: v for k, v in done["final"].items() if k not in waits
    }
    with world.database.read() as s:
        assert sessions.sessions(s, None, None, 9) == [], "the log of the workspace is not touched"


def test_a_replay_by_command(world: World, seeing: Glass, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--workspace", str(world.settings.folder)]
    words = [
        "robot",
        "replay",
        str(belt(tmp_path)),
        "--collection",
        "shapes",
        "--report",
        str(tmp_path / "r"),
        "--json",
    ]
    assert run([*words, *place]) == 0
    assert json.loads(capsys.readouterr().out)["things"] == 30
    (tmp_path / "belt.jsonl").write_text('{"path": "gone.png", "object": "x"}\n')
    assert run([*words, *place]) == 2 and "gone.png" in capsys.readouterr().err
    assert run(["robot", "replay", str(tmp_path / "no.jsonl"), *words[3:], *place]) == 2
    out = tmp_path / "made.jsonl"
    assert run(["robot", "record", str(out), "--collection", "shapes", "--column", "shape", "--json", *place]) == 0
    assert len(read(out)) == 24


def by_file(noticed: list[Noticed]) -> dict[str, tuple[str, str | None]]:
    return {one.file: (one.action, one.bin) for one in noticed}


def watched(world: World, folder: Path, **more: Any) -> list[Noticed]:
    found: list[Noticed] = []
    watch(world.settings, folder, "shape", Costs(), found.append, threading.Event(), **{"once": True, **more})
    return found


def test_a_watched_folder_answers_and_learns_from_moved_files(world: World, seeing: Glass, tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        for number in range(5):
            (tmp_path / kind / f"{kind}-{number}.png").write_bytes(look_at(kind, number))
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    first = by_file(watched(world, tmp_path))
    assert len(first) == 16 and first["red/red-0.png"] == ("placement", "red") and first["broken.png"][0] == "refused"
    (tmp_path / "new.png").write_bytes(look_at("green", 70))
    second = by_file(watched(world, tmp_path))
    assert second["new.png"] == ("sort", "green") and second["red/red-0.png"] == ("known", "red")
    (tmp_path / "new.png").rename(tmp_path / "blue" / "new.png")
    assert by_file(watched(world, tmp_path))["blue/new.png"] == ("placement", "blue")
    (tmp_path / "blue" / "new.png").rename(tmp_path / "green" / "new.png")
    assert by_file(watched(world, tmp_path))["green/new.png"] == ("correction", "green")
    with world.database.read() as s:
        (session,) = sessions.sessions(s, world.criterion, None, 9)
        assert placements.bins(s, world.criterion) == {"blue": 5, "green": 6, "red": 5}
        assert sessions.tally(s, session.id).observations == 16
    with pytest.raises(BadInput, match="is no folder"):
        watched(world, tmp_path / "nowhere")


def test_a_watcher_sees_files_as_they_come(world: World, seeing: Glass, tmp_path: Path) -> None:
    found: list[Noticed] = []
    stop, came = threading.Event(), threading.Event()

    def tell(one: Noticed) -> None:
        found.append(one)
        came.set()

    (tmp_path / "first.png").write_bytes(look_at("red", 1))
    thread = threading.Thread(target=watch, args=(world.settings, tmp_path, "shape", Costs(), tell, stop))
    thread.start()
    try:
        assert came.wait(60)
        for number in range(60):  # the system's notices begin some time after the watcher does
            came.clear()
            (tmp_path / f"later-{number}.png").write_bytes(look_at("green", number))
            if came.wait(1):
                break
        assert len(found) >= 2 and found[1].file.startswith("later")
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def test_the_command_watches_once(
    world: World, seeing: Glass, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(look_at("red", 1))
    words = [
        "robot",
        "watch",
        str(tmp_path),
        "--criterion",
        "shape",
        "--once",
        "--workspace",
        str(world.settings.folder),
    ]
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["action"] == "new"
    assert run(words) == 0 and "a.png: was handled before" in capsys.readouterr().out

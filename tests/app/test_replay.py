"""A run is replayed from its folder alone, byte for byte; where it departs, that is said."""

import json
from pathlib import Path

import pytest

from app import transcript
from app.cli.main import run as shell
from app.replay import replay
from app.settings import Settings
from app.simulate import Plan, simulate
from db.errors import BadInput, NotFound
from tests.labelled_world import WORDS, labelled

PLAN = Plan("things", "kind", "labels:kind", 12, noise_models=("uniform:0.1",), people=("ann", "bo=abstain:0.3"),
            latency="3", drift="half@7", training=("steps=10",))  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return labelled(tmp_path_factory.mktemp("world") / "ws")


@pytest.fixture(scope="module")
def ran(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    simulate(settings, PLAN, folder, drawn=False)
    return folder


def copied(ran: Path, to: Path) -> Path:
    to.mkdir()
    for name in (transcript.NAME, "curve.csv"):
        (to / name).write_bytes((ran / name).read_bytes())
    return to


def test_a_replay_gives_the_same_curve_byte_for_byte(settings: Settings, ran: Path, tmp_path: Path) -> None:
    found = replay(settings, ran, tmp_path)
    assert (found.same_curve, found.departures, found.screens) == (True, (), 12)
    for name in ("curve.csv", transcript.NAME, "groups.csv", "answers.jsonl"):
        assert (tmp_path / name).read_bytes() == (ran / name).read_bytes(), name


def test_a_run_that_was_killed_is_replayed_as_far_as_it_came(settings: Settings, ran: Path, tmp_path: Path) -> None:
    torn = copied(ran, tmp_path / "torn")
    lines = (ran / transcript.NAME).read_bytes().splitlines(keepends=True)
    (torn / transcript.NAME).write_bytes(b"".join(lines[:11]) + lines[11][:20])
    (torn / "curve.csv").write_bytes(b"".join((ran / "curve.csv").read_bytes().splitlines(keepends=True)[:3]))
    found = replay(settings, torn, tmp_path / "again")
    assert found.same_curve and found.screens == 10


def test_other_answers_are_told_by_the_screen_and_the_line(settings: Settings, ran: Path, tmp_path: Path) -> None:
    changed = copied(ran, tmp_path / "changed")
    lines = (ran / transcript.NAME).read_text().splitlines()
    second = json.loads(lines[2])
    second["question"]["anchor"] = "f" * 64
    head = json.loads(lines[0])
    head["versions"]["numpy"] = "0.0.1"
    (changed / transcript.NAME).write_text("\n".join([json.dumps(head), lines[1], json.dumps(second), *lines[3:]]))
    found = replay(settings, changed, tmp_path / "again")
    assert not found.same_curve
    assert found.departures[0].startswith("numpy is ") and "was 0.0.1" in found.departures[0]
    assert "screen 2 asks about" in found.departures[1] and "ffffffff" in found.departures[1]
    assert "curve.csv" in found.departures[-1]


def test_the_command_says_so_and_exits_with_three(
    settings: Settings, ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--workspace", str(settings.folder), "--database-url", settings.url]
    assert shell(["replay", str(ran), "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out)["same_curve"]
    other = copied(ran, tmp_path / "other")
    (other / "curve.csv").write_text("nothing\n")
    assert shell(["replay", str(other), *where]) == 3
    assert "departs" in capsys.readouterr().err
    assert shell(["diff", str(ran), str(ran), "--json", *where]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["merged"], found["split"], found["moved"]) == (45, [], [], [])


def test_what_cannot_be_replayed_is_refused(settings: Settings, ran: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="--report"):
        replay(settings, tmp_path, tmp_path / "x")
    with pytest.raises(BadInput, match="another folder"):
        replay(settings, ran, ran)
    (tmp_path / transcript.NAME).write_text("{}\n")
    with pytest.raises(BadInput, match="damaged"):
        replay(settings, tmp_path, tmp_path / "x")


@pytest.mark.parametrize(
    "words",
    [
        ["--annotators", "ann:0.1", "--annotator", "bo"],
        ["--annotators", "ann:0.1", "--noise-model", "uniform:0.1"],
        ["--noise-model", "unifrom:0.1"],
        ["--noise-model", "classes:k0>k9=0.1"],
        ["--drift", "half"],
        ["--drift", "haf@3"],
        ["--latency", "soon"],
        ["--annotator", "uniform:0.1"],
    ],
)
def test_a_misspelt_fault_leaves_nothing_behind(
    settings: Settings, tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--workspace", str(settings.folder), "--database-url", settings.url, "--report", str(tmp_path / "out")]
    assert shell(["simulate", *WORDS, "--budget", "3", *words, *where]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()

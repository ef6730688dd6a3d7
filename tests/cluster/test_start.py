"""What is said at the door before Ray does anything, and how the command and its workers talk."""

import sys
import time
from pathlib import Path

import pytest

from app.cli.main import run
from app.cluster.data import Bench
from app.cluster.desk import Desk, Ended
from app.cluster.start import QUIET, Reach, running
from db.errors import BadInput


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(list(words)) == 2
    out, err = capsys.readouterr()
    assert not out and len(err.strip().splitlines()) == 1
    return err


def test_one_of_two_starts_the_processes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("train", "simclr", "--collection", "tiles", "--workspace", str(tmp_path), "--ray", "2")
    assert "either --processes or --ray" in refused(capsys, *words, "--processes", "2")
    assert "views.area" in refused(capsys, *words, "--set", "views.area=2")  # before any worker starts
    assert "--ray" in refused(capsys, *words[:-1], "0")


@pytest.mark.parametrize("address", ["ray://one:10001", "one", "http://one:6379/"])
def test_an_address_is_a_host_and_a_port(
    address: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRWRIGHT_RAY_ADDRESS", address)
    words = ("train", "simclr", "--collection", "tiles", "--workspace", str(tmp_path), "--ray", "2")
    assert f"HOST:PORT, or auto, expected, got '{address}'" in refused(capsys, *words)


def test_without_ray_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput, match=r"pip install 'pairwright\[cluster\]'"), running(Reach(2)):
        pass


def test_nothing_is_told_to_the_makers_of_ray() -> None:
    assert QUIET["RAY_USAGE_STATS_ENABLED"] == "0"


def test_the_desk_passes_on_what_is_said_and_the_wish_to_stop() -> None:
    desk = Desk()
    for rank in (0, 1):
        desk.begin(rank)
    assert desk.tell(("training", 3, 12)) is False and desk.tell(None) is False
    assert desk.look(stop=True) == (("training", 3, 12), {}, 0) and desk.tell(None) is True
    desk.end(1, Ended(75))
    desk.begin(1)  # in place of the one that was lost
    assert desk.look(stop=False) == (("training", 3, 12), {}, 1) and desk.stop


def test_a_bench_makes_its_tool_once_and_hands_it_rows() -> None:
    made = []

    def make():
        made.append(time.monotonic())
        return lambda rows: [{"number": row["number"], "double": 2 * row["number"]} for row in rows]

    bench = Bench(make)
    assert [bench({"number": [1, 2]}), bench({"number": [3]})] == [
        {"number": [1, 2], "double": [2, 4]},
        {"number": [3], "double": [6]},
    ]
    assert len(made) == 1

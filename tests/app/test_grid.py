"""A grid goes on where it was killed and comes out the same; its verdict is the arithmetic it claims."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from app import grid, grid_report, grid_verdict
from app.cli.main import run as shell
from app.settings import Settings
from db.errors import BadInput, Conflict
from tests.labelled_world import labelled

FILE = """
collection = "things"
criterion = "kind"
budget = 6
acquisition = ["random", "mixed"]
seeds = 2
set = ["steps=5"]
[oracle.truthful]
spec = "labels:kind"
latency = 3
"""


def words(settings: Settings, file: Path, out: Path) -> list[str]:
    where = ["--workspace", str(settings.folder), "--database-url", settings.url]
    return ["grid", str(file), "--report", str(out), *where]


def curves(out: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in sorted(out.glob("cells/*/curve.csv"))}


@pytest.mark.slow
def test_killed_and_started_again_it_gives_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings, file = labelled(tmp_path / "ws"), tmp_path / "grid.toml"
    file.write_text(FILE)
    started = [sys.executable, "-m", "app.cli", *words(settings, file, tmp_path / "killed")]
    parent = subprocess.Popen(started, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    children: list[psutil.Process] = []
    while not list((tmp_path / "killed").glob("cells/*/summary.json")):
        assert parent.poll() is None
        children = psutil.Process(parent.pid).children() or children
        time.sleep(0.05)
    children += psutil.Process(parent.pid).children()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    psutil.wait_procs(children, timeout=20)
    assert not any(child.is_running() for child in children), "nobody is left behind"
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed").glob("cells/*/summary.json")}
    assert 0 < len(kept) < 4
    assert shell(words(settings, file, tmp_path / "killed")) == 0
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items()), "what was whole is not run again"
    assert shell([*words(settings, file, tmp_path / "whole"), "--jobs", "2"]) == 0
    assert curves(tmp_path / "killed") == curves(tmp_path / "whole") and len(curves(tmp_path / "whole")) == 4
    assert (tmp_path / "killed/grid.json").read_bytes() == (tmp_path / "whole/grid.json").read_bytes()
    assert (tmp_path / "killed/report.html").read_bytes() == (tmp_path / "whole/report.html").read_bytes()
    file.write_text(FILE.replace("budget = 6", "budget = 7"))
    assert shell(words(settings, file, tmp_path / "whole")) == 3
    assert "another grid" in capsys.readouterr().err


def line(height: float, seed: int, slope: float = 0.0) -> grid_verdict.Line:
    x = np.arange(0, 101, 10.0)
    return x, 4 * x, height + slope * x + 0.001 * seed * np.ones(11)


def test_a_clear_winner_is_named_with_what_it_saves() -> None:
    lines = {"slow": [line(0, s, 0.005) for s in range(4)], "fast": [line(0, 2 * s, 0.01) for s in range(4)]}
    found = grid_verdict.verdict("truthful", lines)
    assert found and (found.winner, found.clear) == ("fast", True)
    gaps = 0.25 + 0.001 * np.arange(4)
    assert found.gain == pytest.approx(gaps.mean())
    assert found.half == pytest.approx(3.182446 * gaps.std(ddof=1) / 2, rel=1e-5), "Student with 3 degrees"
    assert found.saved_screens == pytest.approx(50, abs=2) and found.saved_s == pytest.approx(200, abs=8)
    assert "fast wins" in found.words and "beyond the noise of 4 seeds" in found.words


def test_a_difference_within_noise_and_a_single_seed_are_called_so() -> None:
    lines = {"a": [line(0.5, s) for s in (0, 90, 0)], "b": [line(0.5, s) for s in (80, 0, 0)]}
    found = grid_verdict.verdict("o", lines)
    assert found and not found.clear and "within the noise" in found.words
    single = grid_verdict.verdict("o", {"a": [line(0.5, 0)], "b": [line(0.4, 0)]})
    assert single and not single.clear and "fewer than 3 seeds" in single.words
    assert grid_verdict.verdict("o", {"a": [line(0.5, 0)]}) is None


def test_the_page_holds_no_foreign_markup_and_asks_for_nothing() -> None:
    lines = {"<b>o</b>": {"<script>": [line(0.5, 0), line(0.5, 9)], "b": [line(0.4, 0), line(0.4, 3)]}}
    verdicts = [one for name, several in lines.items() if (one := grid_verdict.verdict(name, several))]
    page = grid_report.page("<img src=x>", "a & b", lines, verdicts)
    assert "<script" not in page and "<b>o" not in page and "<img" not in page and "a &amp; b" in page
    assert not re.search(r"(?:src|href)=|https?:|url\(", page.replace("&lt;img src=x&gt;", ""))
    assert "prefers-color-scheme: dark" in page and page.count("<polygon") == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("seeds = 2", "seed = 2"), "Did you mean 'seeds'"),
        (("seeds = 2", "seeds = 0"), "seeds"),
        (("seeds = 2", "seeds = [1, 1]"), "twice"),
        (("budget = 6", "budget = 'many'"), "budget"),
        (("budget = 6", ""), "no budget"),
        (("spec =", "spek ="), "Did you mean 'spec'"),
        (("[oracle.truthful]", "[oracle.'../../up']"), "letters, digits"),
        (("latency = 3", "noise_model = [3]"), "list of str"),
        (("seeds = 2", "seeds ="), "no TOML"),
    ],
)
def test_a_grid_that_cannot_be_read_is_explained(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    file = tmp_path / "grid.toml"
    file.write_text(FILE.replace(*change))
    with pytest.raises(BadInput, match=said):
        grid.read(file)


def test_a_folder_of_another_grid_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "grid.toml"
    file.write_text(FILE)
    cell = grid.read(file)[0]
    (tmp_path / "cells" / cell.name).mkdir(parents=True)
    (tmp_path / "cells" / cell.name / "summary.json").write_text('{"arguments": {}, "stopped": false}')
    with pytest.raises(Conflict, match="another grid"):
        grid.whole(tmp_path, cell)

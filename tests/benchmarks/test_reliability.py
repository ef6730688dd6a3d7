"""The promises: every one has tests that exist, and the page says what was measured."""

import re
from pathlib import Path

import pytest

from benchmarks._runs import lines
from benchmarks.reliability.__main__ import FILE, ROOT, main
from benchmarks.reliability.goals import GOALS, Goal
from benchmarks.reliability.report import page

LINE = {
    "goal": 2, "long": False, "passed": 5, "failed": 1, "skipped": 0, "seconds": 3.0, "load": 1.0, "date": "2026-01-01",
    "figures": [{"clients": 8, "lost": 0, "database": "sqlite"}, {"clients": 8, "lost": 2, "database": "postgresql"}],
}  # fmt: skip


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: str(goal.number))
def test_every_experiment_exists(goal: Goal) -> None:
    for test in goal.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), file
        assert not name or re.search(rf"def {name}\b", (ROOT / file).read_text(encoding="utf-8")), test


def test_the_goals_are_numbered_from_one_to_twenty() -> None:
    assert [goal.number for goal in GOALS] == list(range(1, 21))


def test_a_missed_promise_is_told_with_its_figures() -> None:
    row = next(line for line in page([LINE]).splitlines() if line.startswith("| 2 "))
    assert "5 of 6, MISSED" in row and "lost 0 and 2" in row and "database postgresql and sqlite" in row
    assert next(line for line in page([LINE]).splitlines() if line.startswith("| 3 ")).count("not measured") == 1


def test_a_long_run_counts_more_than_a_newer_short_one() -> None:
    text = page([{**LINE, "long": True, "passed": 6, "failed": 0}, LINE])
    assert "6 of 6" in text and "long form" in text and "MISSED" not in text


def test_the_page_is_what_the_results_say() -> None:
    kept = (ROOT / "docs" / "benchmarks" / "reliability.md").read_text(encoding="utf-8")
    assert kept == page(lines(FILE)), "run: python -m benchmarks.reliability report"


def test_the_command_runs_a_goal_and_keeps_what_it_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Goal(2, "x", "x", "x", "", ("tests/db/test_users.py::test_no_secret_is_stored",))
    monkeypatch.setattr("benchmarks.reliability.__main__.GOALS", [small])
    with pytest.raises(SystemExit):
        main(["run", "--goals", "2", "--results", str(tmp_path / "results.jsonl")])
    (line,) = lines(tmp_path / "results.jsonl")
    assert line["goal"] == 2 and line["passed"] + line["failed"] > 0

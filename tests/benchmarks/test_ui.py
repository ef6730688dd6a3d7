"""The benchmark of the screens: its page is what its results say, its goals are those it names."""

from pathlib import Path

from benchmarks._runs import lines
from benchmarks.ui.__main__ import FILE, GOALS, page
from benchmarks.ui.measures import main_tasks, quantiles
from benchmarks.ui.workspace import made

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_results_say() -> None:
    again = "run: python -m benchmarks.ui report"
    assert (DOCS / "benchmarks" / "ui.md").read_text(encoding="utf-8") == page(lines(FILE)), again


def test_a_goal_is_met_or_missed_by_its_own_quantile() -> None:
    slow = {"median": 4.0, "p95": 17.0, "count": 3, "longest": 61.0}
    parts = dict.fromkeys(("open", "scroll", "swapped", "paint", "frame", "task", "task_cpu"), slow)
    measured = {name: {**parts, **slow} for name, *_ in GOALS.values()}
    settings = {"pictures": 9}
    machine = {"processors": 2, "processor": "x", "load": 0.1}
    text = page([{"date": "today", "settings": settings, "measured": measured, "machine": machine}])
    row = next(line for line in text.splitlines() if "key press to the next question" in line)
    assert "median 5: met, p95 16: missed" in row and row.count("|") == 6
    assert "61 ms of processor time" in text


def test_tasks_of_the_main_thread_are_told_from_others() -> None:
    thread = {"name": "thread_name", "pid": 1, "tid": 2, "args": {"name": "CrRendererMain"}}
    task = {"name": "ThreadControllerImpl::RunTask", "ph": "X", "pid": 1, "tid": 2, "dur": 5000, "tdur": 2000}
    trace = {"traceEvents": [thread, task, task | {"tid": 3}, task | {"name": "Layout"}]}
    assert main_tasks(trace) == [(5.0, 2.0)]


def test_quantiles_are_of_the_ordered_times() -> None:
    assert quantiles([5.0, 1.0, 3.0]) == {"median": 3.0, "p95": 5.0, "count": 3}


def test_the_workspace_holds_two_collections_and_eight_annotators(tmp_path: Path) -> None:
    _, database, tokens = made(tmp_path, pictures=26, items=5)
    with database.read() as s:
        from db import catalog

        assert {one.name: one.items for one in catalog.collections(s)} == {"made up": 26, "very many": 5}
    assert len(set(tokens.values())) == 8
    database.close()

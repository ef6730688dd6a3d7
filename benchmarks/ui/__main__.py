"""How fast the screens are, in a real browser, while the trainer learns.

    python -m benchmarks.ui run
    python -m benchmarks.ui newcomer
    python -m benchmarks.ui report
    python -m benchmarks.ui screens

Appends a line to benchmarks/results/ui.jsonl; `report` writes docs/benchmarks/ui.md from it;
`screens` makes the pictures of docs/screens.md. Needs Chromium.
"""

import argparse
import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks._report import RESULTS, machine
from benchmarks._runs import Line, lines
from benchmarks.negatives.report import table

FILE = RESULTS / "ui.jsonl"
GOALS = {
    "key press to the next question, decoded": ("key", "swapped", 5, 16),
    "key press to its paint": ("key", "paint", None, None),
    "answer acknowledged, eight annotators": ("answers", None, None, 100),
    "first usable page": ("first", None, 2500, None),
    "first usable page, trainer at work": ("first_busy", None, None, None),
    "page of 100,000 pictures": ("many", "open", 2500, None),
    "a page of scrolling in it": ("many", "scroll", None, None),
    "frame while a group of 90,000 scrolls": ("gallery", "frame", None, None),
}  # words -> measure, part, goal of the median, goal of the 95th percentile, all in ms
TASKS = """
While that group scrolls, the longest task of the page's main thread took {cpu:.0f} ms of processor time and
{clock:.0f} ms by the clock; the longest time between two frames was {frame:.0f} ms (goal: below 50). What a task takes
by the clock beyond its processor time, other programs had the processors.
"""
HEAD = """# How fast the screens are

Made by `python -m benchmarks.ui report` from `benchmarks/results/ui.jsonl`; run with `python -m benchmarks.ui run`.

The real server and headless Chromium on the same machine, {pictures:,} made-up pictures; the trainer learns meanwhile
unless it says otherwise. Milliseconds. *Decoded*: the next question stands in the page with its pictures decoded;
*paint*: the frame after. A headless browser paints at most 60 times a second. Machine: {processors} x {processor},
load {load} before the run, {date}.
"""
NEWCOMER = """
## Somebody who has never seen it

A fresh `make demo`, a browser that has never been there, the keyboard alone, from asking for the page to everything
saved, tour included. With a second of thought for each pair: **{pairs} pairs in {seconds:.0f} s** ({in} questions; the
goal is 50 pairs in 180 s: {verdict}). With a second for each question: {questions} questions, {their_pairs} pairs, in
{their_seconds:.0f} s. Load {load}, {date}.
"""


def newcomer_alone() -> Line:
    """Only the first session of somebody new."""
    from playwright.sync_api import sync_playwright

    from benchmarks.ui.newcomer import newcomer

    before = machine()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        measured = {"newcomer": newcomer(browser)}
        browser.close()
    return {"date": _today(), "settings": {}, "measured": measured, "machine": before}


def _today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def run(presses: int, pictures: int, items: int, seconds: float) -> Line:
    """Everything, once."""
    from playwright.sync_api import sync_playwright

    from benchmarks.ui.measures import acknowledged, first_page, gallery, key_presses, very_many
    from benchmarks.ui.newcomer import newcomer
    from benchmarks.ui.workspace import made, served

    before, measured = machine(), {}
    with tempfile.TemporaryDirectory(prefix="ui-") as folder, sync_playwright() as driver:
        settings, database, tokens = made(Path(folder), pictures, items)
        database.close()
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with served(settings.folder) as address:
            first_page(browser, address, 1)  # the trainer has looked at the pictures and asked
            measured["answers"] = acknowledged(address, tokens, seconds)
            measured["key"] = key_presses(browser, address, presses)
            measured["first_busy"] = first_page(browser, address)
        with served(settings.folder, trainer=False) as address:
            measured["first"] = first_page(browser, address)
            measured["many"] = very_many(browser, address)
            measured["gallery"] = gallery(browser, address)
        measured["newcomer"] = newcomer(browser)
        browser.close()
    settings_used = {"presses": presses, "pictures": pictures, "items": items, "seconds": seconds}
    return {"date": _today(), "settings": settings_used, "measured": measured, "machine": before}


def page(found: list[Line]) -> str:
    """docs/benchmarks/ui.md: the newest lines."""
    last = next(one for one in reversed(found) if "key" in one["measured"])
    came = next((one for one in reversed(found) if "newcomer" in one["measured"]), None)
    measured = last["measured"]
    rows = [_row(words, measured, *goal) for words, goal in GOALS.items() if goal[0] in measured]
    head = HEAD.format(date=last["date"], pictures=last["settings"]["pictures"], **last["machine"])
    shown = table(["what", "times", "median", "p95", "goal"], rows)
    return f"{head}\n{shown}\n{_tasks(measured.get('gallery'))}{_newcomer(came)}"


def _tasks(seen: Any) -> str:
    if seen is None:
        return ""
    longest = {name: seen[name]["longest"] for name in ("task", "task_cpu", "frame")}
    return TASKS.format(cpu=longest["task_cpu"], clock=longest["task"], frame=longest["frame"])


def _newcomer(line: Line | None) -> str:
    if line is None:
        return ""
    of = line["measured"]["newcomer"]
    verdict = "met" if of["pairs"] >= 50 and of["seconds"] < 180 else "missed"
    return NEWCOMER.format(**of, verdict=verdict, load=line["machine"]["load"], date=line["date"])


def _row(words: str, measured: Any, name: str, part: str | None, median: float | None, p95: float | None) -> list[str]:
    of = measured[name] if part is None else measured[name][part]
    goals = [(of["median"], median, "median"), (of["p95"], p95, "p95")]
    said = [f"{what} {goal:,.0f}: {'met' if value <= goal else 'missed'}" for value, goal, what in goals if goal]
    return [words, str(of["count"]), f"{of['median']:,.1f}", f"{of['p95']:,.1f}", ", ".join(said) or "-"]


def main(arguments: list[str] | None = None) -> None:
    """Run or report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("what", choices=("run", "newcomer", "screens", "report"))
    parser.add_argument("--presses", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--results", type=Path, default=FILE)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    given = parser.parse_args(arguments)
    if given.what == "screens":
        from benchmarks.ui.screens import shoot

        return shoot(given.docs)
    if given.what != "report":
        everything = (given.presses, given.pictures, given.items, given.seconds)
        line = run(*everything) if given.what == "run" else newcomer_alone()
        given.results.parent.mkdir(parents=True, exist_ok=True)
        with given.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line["measured"], indent=2))
        return None
    (given.docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (given.docs / "benchmarks" / "ui.md").write_text(page(lines(given.results)), encoding="utf-8")
    return None


if __name__ == "__main__":
    main()

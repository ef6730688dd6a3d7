"""How fast the screens are, in a real browser, while the trainer learns.

    python -m benchmarks.ui run
    python -m benchmarks.ui report

Appends a line to benchmarks/results/ui.jsonl; `report` writes docs/benchmarks/ui.md from it. Needs Chromium.
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
}  # words -> measure, part, goal of the median, goal of the 95th percentile, all in ms
HEAD = """# How fast the screens are

Made by `python -m benchmarks.ui report` from `benchmarks/results/ui.jsonl`; run with `python -m benchmarks.ui run`.

The real server and headless Chromium on the same machine, {pictures:,} made-up pictures; the trainer learns meanwhile
unless it says otherwise. Milliseconds. *Decoded*: the next question stands in the page with its pictures decoded;
*paint*: the frame after. A headless browser paints at most 60 times a second. Machine: {processors} x {processor},
load {load} before the run, {date}.
"""


def run(presses: int, pictures: int, items: int, seconds: float) -> Line:
    """Everything, once."""
    from playwright.sync_api import sync_playwright

    from benchmarks.ui.measures import acknowledged, first_page, key_presses, very_many
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
        browser.close()
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    settings_used = {"presses": presses, "pictures": pictures, "items": items, "seconds": seconds}
    return {"date": date, "settings": settings_used, "measured": measured, "machine": before}


def page(found: list[Line]) -> str:
    """docs/benchmarks/ui.md: the newest line."""
    last = found[-1]
    rows = [_row(words, last["measured"], *goal) for words, goal in GOALS.items()]
    head = HEAD.format(date=last["date"], pictures=last["settings"]["pictures"], **last["machine"])
    return f"{head}\n{table(['what', 'times', 'median', 'p95', 'goal'], rows)}\n"


def _row(words: str, measured: Any, name: str, part: str | None, median: float | None, p95: float | None) -> list[str]:
    of = measured[name] if part is None else measured[name][part]
    goals = [(of["median"], median, "median"), (of["p95"], p95, "p95")]
    said = [f"{what} {goal:,.0f}: {'met' if value <= goal else 'missed'}" for value, goal, what in goals if goal]
    return [words, str(of["count"]), f"{of['median']:,.1f}", f"{of['p95']:,.1f}", ", ".join(said) or "-"]


def main(arguments: list[str] | None = None) -> None:
    """Run or report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("what", choices=("run", "report"))
    parser.add_argument("--presses", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--results", type=Path, default=FILE)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    given = parser.parse_args(arguments)
    if given.what == "run":
        line = run(given.presses, given.pictures, given.items, given.seconds)
        given.results.parent.mkdir(parents=True, exist_ok=True)
        with given.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line["measured"], indent=2))
        return
    (given.docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (given.docs / "benchmarks" / "ui.md").write_text(page(lines(given.results)), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Every promise of reliability and security, tried: kills, pauses, outages, damage, foreign sites, scripts, bombs.

    python -m benchmarks.reliability run
    python -m benchmarks.reliability run --long --goals 1 2 4 5 9
    python -m benchmarks.reliability report

Appends a line for every goal to benchmarks/results/reliability.jsonl; `report` writes docs/benchmarks/reliability.md
from it and runs nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from benchmarks._report import RESULTS, machine
from benchmarks._runs import Line, lines
from benchmarks.reliability import report
from benchmarks.reliability.goals import GOALS, Goal

FILE = RESULTS / "reliability.jsonl"
ROOT = Path(__file__).parents[2]


def run(goal: Goal, long: bool) -> Line:
    """Try one promise: what pytest counted, and what the experiments told."""
    before, began = machine(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="reliability-") as folder:
        figures, counted = Path(folder) / "figures.jsonl", Path(folder) / "counted.xml"
        environment = {
            **os.environ,
            "PAIRWRIGHT_FIGURES": str(figures),
            "PAIRWRIGHT_FAULTS": "long" if long else "short",
        }
        if long:
            environment |= {"PAIRWRIGHT_MACHINES": "100", "PAIRWRIGHT_FUZZ": "100"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={counted}"]
        command += ["-o", "timeout=3600"] if long else []
        subprocess.run([*command, *goal.tests], cwd=ROOT, env=environment, check=False)
        suite = ElementTree.parse(counted).getroot().find("testsuite")  # noqa: S314 - our own file
        told = [line for line in lines(figures) if line.pop("goal") == goal.number]
    assert suite is not None
    every, bad, skipped = (int(suite.attrib[name]) for name in ("tests", "failures", "skipped"))
    bad += int(suite.attrib["errors"])
    for line in told:
        line.pop("test"), line.pop("long")
    return {
        "goal": goal.number, "long": long, "passed": every - bad - skipped, "failed": bad, "skipped": skipped,
        "figures": told, "seconds": time.monotonic() - began, "load": before["load"],
        "date": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": before,
    }  # fmt: skip


def main(given: list[str] | None = None) -> None:
    """Run or report."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reliability",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=("run", "report"))
    parser.add_argument("--long", action="store_true", help="as often as the goals say, where the short form is quick")
    parser.add_argument("--goals", nargs="*", type=int, default=[goal.number for goal in GOALS])
    parser.add_argument("--results", type=Path, default=FILE)
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    chosen = parser.parse_args(given)
    if chosen.what == "report":
        report.write(lines(chosen.results), chosen.docs)
        return
    failed = 0
    for goal in GOALS:
        if goal.number in chosen.goals:
            line = run(goal, chosen.long)
            failed += line["failed"]
            with chosen.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Sorting from placements alone on photographs, with the protocol of Ghose et al. and the time an answer takes.

    python -m benchmarks.robot run --archives ../shared/data
    python -m benchmarks.robot report

Appends to benchmarks/results/robot.jsonl and skips what is there. `report` writes docs/benchmarks/robot.md and its plot
from it and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks._report import RESULTS
from benchmarks._runs import Job, Key, Line, go, lines
from benchmarks.label_efficiency.sets import Folders
from benchmarks.robot.sets import SETS

FILE = RESULTS / "robot.jsonl"
SEEDS = {"trashnet": 5, "clothing": 5, "fruits_multi": 40}  # fruits are few things: more draws of them
POOLS = 3


def key_of(line: Line) -> Key:
    """What makes a line the same run as another."""
    return line["what"], line["set"], line["seed"]


def _jobs(folders: Folders) -> Iterator[Job]:
    from benchmarks.robot.ghose import protocol
    from benchmarks.robot.trial import latency, sorting

    for name in SETS:
        for seed in range(SEEDS[name]):
            yield ("sorting", name, seed), partial(sorting, name, seed, folders)
    for name in SETS:
        yield ("latency", name, 0), partial(latency, name, 0, folders)
    for seed in range(POOLS):
        yield ("ghose", "trashnet", seed), partial(protocol, seed, folders)


def main(arguments: list[str] | None = None) -> None:
    """Run or report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robot", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("what", choices=("run", "report"))
    parser.add_argument("--archives", type=Path, default=Path("../shared/data"), help="folder of the zip archives")
    parser.add_argument("--results", type=Path, default=FILE)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    given = parser.parse_args(arguments)
    if given.what == "report":
        from benchmarks.robot.report import write

        write(lines(given.results), given.docs)
        return
    jobs = list(_jobs(Folders(archives=given.archives)))
    if failed := go("robot", jobs, given.results, key_of):
        raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


if __name__ == "__main__":
    main()

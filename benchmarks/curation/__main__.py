"""Does choosing what a step learns from help where 60 % of the captions are wrong? Every selector against none.

    python -m benchmarks.curation run --seeds 0 1 2
    python -m benchmarks.curation report

Appends to benchmarks/results/curation.jsonl and skips what is there. `report` writes docs/benchmarks/curation.md from
that file and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks._report import RESULTS
from benchmarks._runs import Key, Line, go, lines
from benchmarks.curation import report
from benchmarks.curation.sets import NOISES
from benchmarks.curation.trial import measure

FILE = RESULTS / "curation.jsonl"


def key_of(line: Line) -> Key:
    """What makes a line the same run as another."""
    return line["noise"], line["system"], line["seed"]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.curation", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("what", choices=("run", "report"))
    found.add_argument("--noises", nargs="*", default=list(NOISES), choices=list(NOISES))
    found.add_argument(
        "--systems", nargs="*", default=[], help="NAME or NAME:KEY=VALUE,...; default those of the noise"
    )
    found.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    found.add_argument("--results", type=Path, default=FILE)
    found.add_argument("--docs", type=Path, default=Path("docs"))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run or report."""
    given = parser().parse_args(arguments)
    if given.what == "report":
        report.write(lines(given.results), given.docs)
        return
    jobs = [
        ((noise, system, seed), partial(measure, system, noise, seed))
        for seed, noise in product(given.seeds, given.noises)
        for system in given.systems or report.SYSTEMS[noise]
    ]
    if failed := go("curation", jobs, given.results, key_of):
        raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


if __name__ == "__main__":
    main()

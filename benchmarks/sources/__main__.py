"""Are positives by metadata right, and do they help? Every source on three sets, equal budget.

    python -m benchmarks.sources run --archives ../shared/data --seeds 0 1 2
    python -m benchmarks.sources report

Appends to benchmarks/results/sources.jsonl and skips what is there. `report` writes docs/benchmarks/sources.md from
that file and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks._report import RESULTS
from benchmarks._runs import Key, Line, go, lines
from benchmarks.sources import report
from benchmarks.sources.sets import SETS
from benchmarks.sources.trial import START, measure

FILE = RESULTS / "sources.jsonl"


def key_of(line: Line) -> Key:
    """What makes a line the same run as another."""
    return line["set"], line["system"], line["seed"]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.sources", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("what", choices=("run", "report"))
    found.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    found.add_argument("--systems", nargs="*", default=[], help="NAME or NAME:KEY=VALUE,...; default those of the set")
    found.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    found.add_argument("--archives", type=Path, default=Path("../shared/data"), help="folder of the zip archives")
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
        ((name, system, seed), partial(measure, system, name, seed, given.archives))
        for seed, name in product(given.seeds, given.sets)
        for system in given.systems or (START, *SETS[name].systems)
    ]
    if failed := go("sources", jobs, given.results, key_of):
        raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


if __name__ == "__main__":
    main()

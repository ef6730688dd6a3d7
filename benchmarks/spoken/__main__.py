"""Do pictures, recordings and words find each other? Every cross-modal system on digits written, spoken and named.

    python -m benchmarks.spoken run --archives ../shared/data --seeds 0 1 2
    python -m benchmarks.spoken report

Appends to benchmarks/results/spoken.jsonl and skips what is there. `report` writes docs/benchmarks/spoken.md from that
file and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks._report import RESULTS
from benchmarks._runs import Key, Line, go, lines
from benchmarks.spoken import report
from benchmarks.spoken.report import SYSTEMS
from benchmarks.spoken.trial import START, measure

FILE = RESULTS / "spoken.jsonl"


def key_of(line: Line) -> Key:
    """What makes a line the same run as another."""
    return line["system"], line["seed"]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.spoken", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("what", choices=("run", "report"))
    found.add_argument("--systems", nargs="*", default=[START, *SYSTEMS], help="NAME or NAME:KEY=VALUE,...")
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
        ((system, seed), partial(measure, system, seed, given.archives))
        for seed, system in product(given.seeds, given.systems)
    ]
    if failed := go("spoken", jobs, given.results, key_of):
        raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


if __name__ == "__main__":
    main()

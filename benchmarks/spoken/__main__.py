"""Do pictures, recordings and words find each other? Every cross-modal system on digits written, spoken and named.

    python -m benchmarks.spoken run --archives ../shared/data --seeds 0 1 2
    python -m benchmarks.spoken report

Appends to benchmarks/results/spoken.jsonl and skips what is there. `report` writes docs/benchmarks/spoken.md from that
file and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from functools import partial
from itertools import product

from benchmarks._command import Command, archives
from benchmarks._runs import Job
from benchmarks.spoken import report
from benchmarks.spoken.report import SYSTEMS
from benchmarks.spoken.trial import START, measure


def add(found: argparse.ArgumentParser) -> None:
    """Its own options."""
    found.add_argument("--systems", nargs="*", default=[START, *SYSTEMS], help="NAME or NAME:KEY=VALUE,...")
    archives(found)


def jobs(given: argparse.Namespace) -> list[Job]:
    """Every system, seed by seed."""
    return [
        ((system, seed), partial(measure, system, seed, given.archives))
        for seed, system in product(given.seeds, given.systems)
    ]


main = Command("spoken", __doc__, ("system", "seed"), add, jobs, report.write)


if __name__ == "__main__":
    main()

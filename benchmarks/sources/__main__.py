"""Are positives by metadata right, and do they help? Every source on three sets, equal budget.

    python -m benchmarks.sources run --archives ../shared/data --seeds 0 1 2
    python -m benchmarks.sources report

Appends to benchmarks/results/sources.jsonl and skips what is there. `report` writes docs/benchmarks/sources.md from
that file and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from functools import partial
from itertools import product

from benchmarks._command import Command, archives
from benchmarks._runs import Job
from benchmarks.sources import report
from benchmarks.sources.sets import SETS
from benchmarks.sources.trial import START, measure


def add(found: argparse.ArgumentParser) -> None:
    """Its own options."""
    found.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    found.add_argument("--systems", nargs="*", default=[], help="NAME or NAME:KEY=VALUE,...; default those of the set")
    archives(found)


def jobs(given: argparse.Namespace) -> list[Job]:
    """Every source on every set, seed by seed."""
    return [
        ((name, system, seed), partial(measure, system, name, seed, given.archives))
        for seed, name in product(given.seeds, given.sets)
        for system in given.systems or (START, *SETS[name].systems)
    ]


main = Command("sources", __doc__, ("set", "system", "seed"), add, jobs, report.write)


if __name__ == "__main__":
    main()

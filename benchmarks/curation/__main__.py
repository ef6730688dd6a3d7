"""Does choosing what a step learns from help where 60 % of the captions are wrong? Every selector against none.

    python -m benchmarks.curation run --seeds 0 1 2
    python -m benchmarks.curation report

Appends to benchmarks/results/curation.jsonl and skips what is there. `report` writes docs/benchmarks/curation.md from
that file and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from functools import partial
from itertools import product

from benchmarks._command import Command
from benchmarks._runs import Job
from benchmarks.curation import report
from benchmarks.curation.sets import NOISES
from benchmarks.curation.trial import measure


def add(found: argparse.ArgumentParser) -> None:
    """Its own options."""
    found.add_argument("--noises", nargs="*", default=list(NOISES), choices=list(NOISES))
    found.add_argument(
        "--systems", nargs="*", default=[], help="NAME or NAME:KEY=VALUE,...; default those of the noise"
    )


def jobs(given: argparse.Namespace) -> list[Job]:
    """Every selector on every noise, seed by seed."""
    return [
        ((noise, system, seed), partial(measure, system, noise, seed))
        for seed, noise in product(given.seeds, given.noises)
        for system in given.systems or report.SYSTEMS[noise]
    ]


main = Command("curation", __doc__, ("noise", "system", "seed"), add, jobs, report.write)


if __name__ == "__main__":
    main()

"""Do networks that read pictures and words together look at the picture? Six systems tell digits from scikit-learn.

    python -m benchmarks.fusion run --seeds 0 1 2
    python -m benchmarks.fusion report

Appends to benchmarks/results/fusion.jsonl and skips what is there. `report` writes docs/benchmarks/fusion.md from that
file and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from functools import partial
from itertools import product

from benchmarks._command import Command
from benchmarks._runs import Job
from benchmarks.fusion import report
from benchmarks.fusion.trial import SYSTEMS, measure


def add(found: argparse.ArgumentParser) -> None:
    """Its own options."""
    found.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))


def jobs(given: argparse.Namespace) -> list[Job]:
    """Every system, seed by seed."""
    return [((system, seed), partial(measure, system, seed)) for seed, system in product(given.seeds, given.systems)]


main = Command("fusion", __doc__, ("system", "seed"), add, jobs, report.write)


if __name__ == "__main__":
    main()

"""Measure reviews of captions, and write the page that says how they did.

python -m benchmarks.captions run                        all sets, noises and seeds (some minutes of one core)
python -m benchmarks.captions run --sets fsa --seeds 0
python -m benchmarks.captions report                     docs/benchmarks/captions.md from the results file

Results are lines of JSON in benchmarks/results/captions.jsonl; what is there is not run again.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks._command import Command, archives
from benchmarks._runs import Job
from benchmarks.captions import report
from benchmarks.captions.sets import SETS
from benchmarks.captions.trial import RANDOM, measure

SYSTEMS = (RANDOM, "ngrams")


def add(found: argparse.ArgumentParser) -> None:
    """Its own options."""
    found.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    found.add_argument("--systems", nargs="*", default=list(SYSTEMS), help="random, or towers joined by +")
    found.add_argument("--noises", nargs="*", type=float, default=[0.0, 0.1])
    found.add_argument("--workspace", type=Path, default=Path("workspace-captions"), help="where pictures are imported")
    archives(found)


def jobs(given: argparse.Namespace) -> list[Job]:
    """Every system on every set and noise, seed by seed."""
    return [
        ((name, system, noise, seed), partial(measure, system, name, noise, seed, given.workspace, given.archives))
        for seed, name, noise, system in product(given.seeds, given.sets, given.noises, given.systems)
    ]


main = Command("captions", __doc__, ("set", "system", "noise", "seed"), add, jobs, report.write)


if __name__ == "__main__":
    main()

"""Named systems at equal budget, alone and with 500 answers, and beside lightly's parts for the same system.

    python -m benchmarks.methods run --archives ../shared/data
    python -m benchmarks.methods answers --archives ../shared/data
    python -m benchmarks.methods pace
    python -m benchmarks.methods bar
    python -m benchmarks.methods report

Appends to benchmarks/results/methods.jsonl and skips what is there. `report` writes docs/benchmarks/methods.md and
bars.md and docs/methods/ from it and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks._report import RESULTS
from benchmarks._runs import Job, Key, Line, go, lines
from benchmarks.methods import bars, pages, report
from benchmarks.methods.peers import PEERS
from benchmarks.methods.report import NAMES, SETS
from benchmarks.methods.trial import LIGHTLY, ONLY, Budget, bar, measure, pace
from benchmarks.negatives.__main__ import FILE as NEGATIVES
from benchmarks.negatives.trial import START

FILE = RESULTS / "methods.jsonl"
TAUGHT = (ONLY, f"{ONLY}@.003", "simclr", "supcon", "pairwright")


def key_of(line: Line) -> Key:
    """What makes a line the same run as another."""
    return line["experiment"], line["set"], line["system"], line["seed"], line.get("screen", 1)


def _jobs(given: argparse.Namespace) -> Iterator[Job]:
    if given.what == "bar":
        for seed, system in product(given.seeds, given.systems or [START, *NAMES, *bars.FITS]):
            yield ("bar", "fashion5k", system, seed, 1), partial(bar, system, seed, given.archives)
        return
    budget = Budget(given.epochs, given.batch, given.screen)
    for seed, name in product(given.seeds, given.sets):
        if given.what == "pace":
            for system in given.systems or PEERS:
                yield ("pace", name, system, seed, 1), partial(pace, system, name, seed, budget, given.archives)
            continue
        answered = given.what == "answers"
        theirs = [] if answered else [LIGHTLY + peer for peer in PEERS]
        for system in given.systems or ([*TAUGHT] if answered else [START, *NAMES, "simclr@.003", *theirs]):
            key = ("answers" if answered else "alone", name, system, seed, given.screen)
            yield key, partial(measure, system, name, seed, budget, given.archives, answered)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.methods", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("what", choices=("run", "answers", "pace", "bar", "report"))
    found.add_argument("--sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}")
    found.add_argument("--systems", nargs="*", default=[], help="NAME, NAME:KEY=VALUE,..., lightly:NAME or start")
    found.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    found.add_argument("--screen", type=int, default=Budget.screen, help="candidates of a question; 1: pairs")
    found.add_argument("--epochs", type=int, default=Budget.epochs)
    found.add_argument("--batch", type=int, default=Budget.batch)
    found.add_argument("--archives", type=Path, default=Path("../shared/data"), help="folder of the zip archives")
    found.add_argument("--results", type=Path, default=FILE)
    found.add_argument("--docs", type=Path, default=Path("docs"))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run or report."""
    given = parser().parse_args(arguments)
    if given.what == "report":
        found = lines(given.results)
        for each in (report, bars):
            each.write(found, given.docs)
        pages.write(lines(NEGATIVES), found, given.docs)
        return
    jobs = list(_jobs(given))
    if failed := go("methods", jobs, given.results, key_of):
        raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


if __name__ == "__main__":
    main()

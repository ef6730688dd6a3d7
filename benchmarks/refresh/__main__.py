"""Deep refresh against the head alone, five seeds on two sets of photographs.

    python -m benchmarks.refresh run --archives ../shared/data
    python -m benchmarks.refresh report

Appends to benchmarks/results/refresh.jsonl and skips what is there. `report` writes docs/benchmarks/refresh.md from it
and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks._report import RESULTS
from benchmarks._runs import Job, Key, Line, go, lines
from benchmarks.refresh.report import write
from benchmarks.refresh.trial import Budget, measure

FILE = RESULTS / "refresh.jsonl"
SETS = ("trashnet", "clothing")


def key_of(line: Line) -> Key:
    """What makes a line the same run as another."""
    return tuple(line[name] for name in ("set", "seed", "items", "screen", "method", "epochs"))


def _jobs(given: argparse.Namespace) -> Iterator[Job]:
    budget = Budget(given.items, given.screen, given.method, given.epochs)
    for seed, name in product(given.seeds, given.sets):
        key = (name, seed, budget.items, budget.screen, budget.method, budget.epochs)
        yield key, partial(measure, name, seed, budget, given.archives)


def main(arguments: list[str] | None = None) -> None:
    """Run or report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refresh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("what", choices=("run", "report"))
    parser.add_argument("--sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--items", type=int, default=Budget.items)
    parser.add_argument("--screen", type=int, default=Budget.screen, help="candidates of a question; 1: pairs")
    parser.add_argument("--method", default=Budget.method)
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument("--archives", type=Path, default=Path("../shared/data"), help="folder of the zip archives")
    parser.add_argument("--results", type=Path, default=FILE)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    given = parser.parse_args(arguments)
    if given.what == "report":
        write(lines(given.results), given.docs)
        return
    jobs = list(_jobs(given))
    if failed := go("refresh", jobs, given.results, key_of):
        raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


if __name__ == "__main__":
    main()

"""Which negatives help? Every named system, equal budget, three seeds; and what 500 answers add.

    python -m benchmarks.negatives run --archives ../shared/data
    python -m benchmarks.negatives answers --sets fashion
    python -m benchmarks.negatives report

Appends to benchmarks/results/negatives.jsonl and skips what is there. `report` writes docs/benchmarks/negatives.md and
docs/methods/ from that file and the docstrings; it runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks._report import RESULTS
from benchmarks._runs import Job, Line, go, lines
from benchmarks.negatives import pictures
from benchmarks.negatives.answers import SCREENS, experiment
from benchmarks.negatives.report import WARM, write
from benchmarks.negatives.trial import START, Budget, measure
from oracle import plugins

FILE = RESULTS / "negatives.jsonl"
FAMILY = "trainer.methods"


def key_of(line: Line) -> tuple[Any, ...]:
    """What makes a line the same run as another."""
    return line.get("experiment", "system"), line["set"], line["system"], line["seed"]


def _systems(given: argparse.Namespace, budget: Budget) -> Iterator[Job]:
    for seed, name, system in product(given.seeds, given.sets, given.systems or [START, WARM, *plugins.names(FAMILY)]):
        yield ("system", name, system, seed), _bound(measure, system, name, seed, budget, given.archives)


def _answers(given: argparse.Namespace, budget: Budget) -> Iterator[Job]:
    for seed, name, system, kind in product(given.seeds, given.sets, given.systems or ["simclr"], given.kinds):
        key = (f"answers:{kind}", name, system, seed)
        yield key, _bound(experiment, system, name, seed, budget, given.archives, kind)


def _bound(
    call: Callable[..., Any], system: str, name: str, seed: int, budget: Budget, folder: Path, *rest: str
) -> Any:
    return lambda: call(system, pictures.load(name, folder), seed, budget, *rest)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.negatives", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("what", choices=("run", "answers", "report"))
    found.add_argument("--sets", nargs="*", default=list(pictures.NAMES), help=f"of {', '.join(pictures.NAMES)}")
    found.add_argument("--systems", nargs="*", default=[], help="NAME or NAME:KEY=VALUE,...; default all, or simclr")
    found.add_argument("--seeds", nargs="*", type=int, help="default 0 1 2; for answers 0 to 4")
    found.add_argument("--kinds", nargs="*", default=list(SCREENS), choices=list(SCREENS), help="what an answer is")
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
        write(lines(given.results), given.docs)
        return
    given.seeds = given.seeds or ([0, 1, 2] if given.what == "run" else [0, 1, 2, 3, 4])
    make = _systems if given.what == "run" else _answers
    jobs = list(make(given, Budget(given.epochs, given.batch)))
    if failed := go("negatives", jobs, given.results, key_of):
        raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


if __name__ == "__main__":
    main()

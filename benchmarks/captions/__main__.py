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

from benchmarks._report import RESULTS
from benchmarks._runs import Key, Line, go, lines
from benchmarks.captions import report
from benchmarks.captions.sets import SETS
from benchmarks.captions.trial import RANDOM, measure

FILE = RESULTS / "captions.jsonl"
SYSTEMS = (RANDOM, "ngrams")


def key_of(line: Line) -> Key:
    """What makes a line the same run as another."""
    return line["set"], line["system"], line["noise"], line["seed"]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.captions", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("what", choices=("run", "report"))
    found.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    found.add_argument("--systems", nargs="*", default=list(SYSTEMS), help="random, or towers joined by +")
    found.add_argument("--noises", nargs="*", type=float, default=[0.0, 0.1])
    found.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    found.add_argument("--archives", type=Path, default=Path("../shared/data"), help="folder of the zip archives")
    found.add_argument("--workspace", type=Path, default=Path("workspace-captions"), help="where pictures are imported")
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
        ((name, system, noise, seed), partial(measure, system, name, noise, seed, given.workspace, given.archives))
        for seed, name, noise, system in product(given.seeds, given.sets, given.noises, given.systems)
    ]
    if failed := go("captions", jobs, given.results, key_of):
        raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


if __name__ == "__main__":
    main()

"""Do networks that read pictures and words together look at the picture? Six systems tell digits from scikit-learn.

    python -m benchmarks.fusion run --seeds 0 1 2
    python -m benchmarks.fusion report

Appends to benchmarks/results/fusion.jsonl and skips what is there. `report` writes docs/benchmarks/fusion.md from that
file and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks._report import RESULTS
from benchmarks._runs import Key, Line, go, lines
from benchmarks.fusion import report
from benchmarks.fusion.trial import SYSTEMS, measure

FILE = RESULTS / "fusion.jsonl"


def key_of(line: Line) -> Key:
    """What makes a line the same run as another."""
    return line["system"], line["seed"]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.fusion", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("what", choices=("run", "report"))
    found.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    found.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    found.add_argument("--results", type=Path, default=FILE)
    found.add_argument("--docs", type=Path, default=Path("docs"))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run or report."""
    given = parser().parse_args(arguments)
    if given.what == "report":
        report.write(lines(given.results), given.docs)
        return
    jobs = [((system, seed), partial(measure, system, seed)) for seed, system in product(given.seeds, given.systems)]
    if failed := go("fusion", jobs, given.results, key_of):
        raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


if __name__ == "__main__":
    main()

"""What every step costs as collections grow: time, memory and disk, from real embeddings, with a fitted cost model.

    python -m benchmarks.scale run --archives FOLDER --sizes 10000 100000 1000000
    python -m benchmarks.scale report

`run` takes the steps one after another, each in a process of its own, and appends every one to
benchmarks/results/scale.jsonl as it ends; what is there is not measured again. `report` writes docs/benchmarks/scale.md
and its plot from that file and runs nothing. Set OMP_NUM_THREADS=1.
"""

import argparse
import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks._report import RESULTS
from benchmarks._runs import Job, Key, Line, go, lines
from benchmarks.propose import CACHE
from benchmarks.scale import sets
from benchmarks.scale.place import Place
from benchmarks.scale.steps import STEPS, measured

FILE = RESULTS / "scale.jsonl"


def key_of(line: Line) -> Key:
    """What makes a line the same run as another."""
    return line["step"], line["items"], line["seed"]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("what", choices=("run", "step", "report"), help="step: one of them, in this process")
    found.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000, 1_000_000], help="items")
    found.add_argument("--steps", nargs="+", default=list(STEPS), choices=list(STEPS))
    found.add_argument("--seeds", nargs="+", type=int, default=[0])
    found.add_argument("--archives", type=Path, default=Path("../shared/data"), help="folder of ZIP files of pictures")
    found.add_argument("--fashion", type=Path, default=sets.FASHION, help="folder of Fashion-MNIST")
    found.add_argument("--real", type=int, default=6000, help="pictures that are really embedded, at most")
    found.add_argument("--folder", type=Path, default=CACHE / "scale", help="for embeddings while they are measured")
    found.add_argument("--keep", action="store_true", help="leave what was made of each size in the folder")
    found.add_argument("--results", type=Path, default=FILE)
    found.add_argument("--docs", type=Path, default=Path("docs"))
    return found


def place_of(given: argparse.Namespace, items: int, seed: int) -> Place:
    """Where a size and seed keeps its things."""
    return Place(items, seed, given.folder, given.archives, given.fashion, given.real)


def apart(given: argparse.Namespace, step: str, items: int, seed: int) -> Line:
    """One step in a process of its own. Raises RuntimeError with its last words where it fails."""
    command = [sys.executable, "-m", "benchmarks.scale", "step", "--steps", step, "--sizes", str(items), "--seeds",
               str(seed), "--archives", str(given.archives), "--fashion", str(given.fashion), "--real",
               str(given.real), "--folder", str(given.folder)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = next(iter(reversed(done.stderr.strip().splitlines())), f"it ended with {done.returncode}")
        raise RuntimeError(last)
    found: Line = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def jobs_of(given: argparse.Namespace, items: int) -> list[Job]:
    """Every step that is measured at this size."""
    wanted = [name for name in STEPS if name in given.steps and STEPS[name].least <= items <= STEPS[name].most]
    return [((name, items, seed), partial(apart, given, name, items, seed)) for seed in given.seeds for name in wanted]


def run(given: argparse.Namespace) -> None:
    """All sizes, the smallest first."""
    given.folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for items in sorted(given.sizes):
        for seed in given.seeds:
            apart(given, "prepare", items, seed)
        failed += go("scale", jobs_of(given, items), given.results, key_of)
        for seed in () if given.keep else given.seeds:
            shutil.rmtree(place_of(given, items, seed).home, ignore_errors=True)
    if failed:
        raise SystemExit(f"{failed} steps failed, see above.")


def main(arguments: list[str] | None = None) -> None:
    """Run, one step, or report."""
    given = parser().parse_args(arguments)
    if given.what == "report":
        from benchmarks.scale import report  # brings torch with it, which would count as every step's memory

        report.write(lines(given.results), given.docs)
    elif given.what == "step":
        print(json.dumps(measured(given.steps[0], place_of(given, given.sizes[0], given.seeds[0]))))
    else:
        run(given)


if __name__ == "__main__":
    main()

"""How good a partition do so many answers buy, from Pairwright and from its peers, with an oracle that lies?

    python -m benchmarks.label_efficiency --sets digits fashion --noise 0 .1 --systems pairs screens cobras
    python -m benchmarks.label_efficiency --systems pairs --set screen=1
    python -m benchmarks.label_efficiency report

Appends to benchmarks/results/label_efficiency.jsonl and skips what is there. `report` writes
docs/benchmarks/label_efficiency.md and its plots from that file and runs nothing.
"""

import argparse
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks._report import RESULTS
from benchmarks.label_efficiency import sets, systems
from benchmarks.label_efficiency.oracle import CHECKPOINTS
from benchmarks.label_efficiency.runner import Effort, Run, append, known, lines, measure, planned, stamp
from db.errors import BadInput, NotFound

NOISES = (0.0, 0.05, 0.1, 0.2)
FILE = RESULTS / "label_efficiency.jsonl"


@cache
def _set(name: str, folders: sets.Folders) -> sets.LabelledSet:
    return sets.load(name, folders)


def one(run: Run, folders: sets.Folders, effort: Effort) -> dict[str, Any]:
    """Measure one run. A line with `skipped`, where its set or its package is missing, or `failed` is not kept."""
    try:
        return measure(run, _set(run.set, folders), effort) | stamp()
    except BadInput as why:
        return {"skipped": str(why)}
    except Exception as why:  # one broken run of many must not end the others
        return {"failed": f"{type(why).__name__}: {why}"}


def go(runs: list[Run], folders: sets.Folders, effort: Effort, path: Path, jobs: int) -> int:
    """Run what is not in the file yet, with progress; the number of runs that failed."""
    done = known(path, max(effort.checkpoints))
    runs = [run for run in runs if run.key not in done]
    console, failed = Console(), 0
    with Progress(TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("label efficiency", total=len(runs))
        for run, line in _results(runs, folders, effort, jobs):
            bar.advance(task)
            bar.console.print(
                f"{run.set} {run.noise:g} {run.label} seed {run.seed}: {_summary(line)}", highlight=False, markup=False
            )
            failed += "failed" in line
            if "verdicts" in line:
                append(path, line)
    return failed


def _results(runs: list[Run], folders: sets.Folders, effort: Effort, jobs: int) -> Any:
    if jobs == 1:
        yield from ((run, one(run, folders, effort)) for run in runs)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting: dict[Future[dict[str, Any]], Run] = {pool.submit(one, run, folders, effort): run for run in runs}
        yield from ((waiting[done], done.result()) for done in as_completed(waiting))


def _summary(line: dict[str, Any]) -> str:
    for outcome in ("skipped", "failed"):
        if outcome in line:
            return f"{outcome}: {line[outcome]}"
    reached = [f"{point}: {scored['ari']:.3f}" for point, scored in line["verdicts"].items()]
    return f"{line['seconds']:.0f} s  ARI by verdicts {', '.join(reached)} {line['note']}"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.label_efficiency", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("what", nargs="?", choices=("run", "report"), default="run")
    found.add_argument("--sets", nargs="*", default=list(sets.NAMES), help=f"of {', '.join(sets.NAMES)}")
    found.add_argument("--noise", nargs="*", type=float, default=list(NOISES), help="chance of a wrong verdict")
    found.add_argument("--systems", nargs="*", default=[*systems.MODES, systems.BASELINE, *systems.PEERS],
                       help=systems.__doc__)  # fmt: skip
    found.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2, 3, 4])
    found.add_argument("--set", nargs="*", default=[], dest="options", metavar="KEY=VALUE",
                       help="settings of our acquisition, for instance screen=8")  # fmt: skip
    found.add_argument("--budget", type=int, default=max(CHECKPOINTS), help="screens after which a run ends")
    found.add_argument("--cap", type=float, default=900.0, help="seconds after which a run stops where it is")
    found.add_argument("--share", type=float, default=sets.SHARE, help="of a set that one seed sees")
    found.add_argument("--results", type=Path, default=FILE)
    found.add_argument("--docs", type=Path, default=Path("docs/benchmarks"))
    found.add_argument("--features", type=Path, help="folder of NAME.npz with X and the metadata columns")
    found.add_argument("--archives", type=Path, default=sets.Folders.archives, help="folder of the zip archives")
    found.add_argument("--cache", type=Path, default=sets.Folders.cache, help="where computed features are kept")
    found.add_argument("--jobs", type=int, default=1, help="processes; set OMP_NUM_THREADS=1 with more than one")
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run or report."""
    given = parser().parse_args(arguments)
    if given.what == "report":
        from benchmarks.label_efficiency.report import write

        write(list(lines(given.results)), given.docs)
        return
    folders = sets.Folders(given.cache, given.archives, given.features)
    checkpoints = (*(point for point in CHECKPOINTS if point < given.budget), given.budget)
    effort = Effort(checkpoints, given.cap, given.share)
    for option in given.options:
        if "=" not in option:
            raise NotFound(f"--set needs KEY=VALUE, got '{option}'.")
    runs = planned(given.sets, given.noise, given.systems, given.seeds, given.options)
    if failed := go(runs, folders, effort, given.results, given.jobs):
        raise SystemExit(f"{failed} of {len(runs)} runs failed, see above.")


if __name__ == "__main__":
    main()

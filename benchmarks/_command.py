"""`python -m benchmarks.NAME run|report`: what the benchmarks that keep lines of JSON have in common.

run     every job that is not in the results file yet, one after the other
report  the pages, from that file alone
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks._report import RESULTS
from benchmarks._runs import Job, Key, Line, go, lines

ARCHIVES = Path("../shared/data")


@dataclass(frozen=True)
class Command:
    """name: of the folder and of the results file. about: the docstring of its `__main__`. key: fields of a line that
    make it the same run as another. add: its own options. jobs: what `run`, or another of `more`, has to do. write: the
    pages, from the lines and the folder of the documentation. seeds: the usual ones."""

    name: str
    about: str
    key: tuple[str, ...]
    add: Callable[[argparse.ArgumentParser], object]
    jobs: Callable[[argparse.Namespace], list[Job]]
    write: Callable[[Sequence[Line], Path], None]
    seeds: tuple[int, ...] = (0, 1, 2)
    more: tuple[str, ...] = ()

    @property
    def file(self) -> Path:
        """Where the lines are kept."""
        return RESULTS / f"{self.name}.jsonl"

    def key_of(self, line: Line) -> Key:
        """What makes a line the same run as another."""
        return tuple(line[field] for field in self.key)

    def parser(self) -> argparse.ArgumentParser:
        """The command line."""
        found = argparse.ArgumentParser(prog=f"python -m benchmarks.{self.name}", description=self.about,
                                        formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        found.add_argument("what", choices=("run", *self.more, "report"))
        self.add(found)
        found.add_argument("--seeds", nargs="*", type=int, default=list(self.seeds))
        found.add_argument("--results", type=Path, default=self.file)
        found.add_argument("--docs", type=Path, default=Path("docs"))
        return found

    def __call__(self, arguments: list[str] | None = None) -> None:
        """Run or report. Raises: SystemExit where a run failed."""
        given = self.parser().parse_args(arguments)
        if given.what == "report":
            self.write(lines(given.results), given.docs)
            return
        jobs = self.jobs(given)
        if failed := go(self.name, jobs, given.results, self.key_of):
            raise SystemExit(f"{failed} of {len(jobs)} runs failed, see above.")


def archives(found: argparse.ArgumentParser) -> None:
    """Where the pictures are."""
    found.add_argument("--archives", type=Path, default=ARCHIVES, help="folder of the zip archives")

"""Runs of a benchmark, one line of JSON each: what is in the file is not run again; one failure ends no others."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks._report import machine
from db.errors import NotFound

Line = dict[str, Any]
Key = tuple[Any, ...]
Job = tuple[Key, Callable[[], Line]]


def lines(path: Path) -> list[Line]:
    """The results so far; a torn last line is left out."""
    if not path.exists():
        return []
    found = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found


def go(name: str, jobs: Sequence[Job], path: Path, key_of: Callable[[Line], Key]) -> int:
    """Run what is not in the file yet, with progress; the number of jobs that failed."""
    done = {key_of(line) for line in lines(path)}
    waiting = [(key, job) for key, job in jobs if key not in done]
    columns, failed = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()), 0
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=len(waiting))
        for key, job in waiting:
            bar.update(task, description=" ".join(map(str, key)))
            failed += not _kept(key, job, path, bar.console)
            bar.advance(task)
    return failed


def _kept(key: Key, job: Callable[[], Line], path: Path, console: Console) -> bool:
    """Run one job and append its line; a set that is not there is skipped, a failure told."""
    try:
        line = job()
    except NotFound as why:
        console.print(f"{key}: skipped, {why}", highlight=False, markup=False)
        return True
    except Exception as why:  # one broken run of many must not end the others
        console.print(f"{key}: failed, {type(why).__name__}: {why}", highlight=False, markup=False)
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    stamp = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": machine()}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | stamp) + "\n")
    return True

"""Run systems on sets and append one line of JSON per run; what is there already is not run again."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks._report import machine
from benchmarks.label_efficiency import sets, systems
from benchmarks.label_efficiency.oracle import CHECKPOINTS, Oracle, OutOfTime
from benchmarks.label_efficiency.scores import Track
from benchmarks.label_efficiency.trial import BudgetSpent, Trial

PACKAGES = ("pairwright", "numpy", "scikit-learn", "active-semi-supervised-clustering", "cobras-ts", "dedupe")


@dataclass(frozen=True)
class Run:
    """One line of the results. options: settings of our acquisition that differ from its defaults, "key=value"."""

    set: str
    noise: float
    system: str
    seed: int
    options: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, float, str, int]:
        return self.set, self.noise, self.label, self.seed

    @property
    def label(self) -> str:
        """The system's name in tables: with its options."""
        return f"{self.system}[{','.join(sorted(self.options))}]" if self.options else self.system


@dataclass(frozen=True)
class Effort:
    """How far and how long a run may go. share: of the set that one seed sees."""

    checkpoints: tuple[int, ...] = CHECKPOINTS
    cap_s: float = 900.0
    share: float = sets.SHARE


def planned(
    set_names: Iterable[str],
    noises: Iterable[float],
    system_names: Iterable[str],
    seeds: Iterable[int],
    options: Iterable[str] = (),
) -> list[Run]:
    """Every combination, set by set. Options go to our own systems only."""
    runs = [Run(*found) for found in product(set_names, noises, system_names, seeds)]
    return [replace(run, options=tuple(options)) if systems.is_ours(run.system) else run for run in runs]


def measure(run: Run, data: sets.LabelledSet, effort: Effort) -> dict[str, Any]:
    """The line of one run. A run out of time keeps the checkpoints it reached, and says so."""
    part = data.part(run.seed, effort.share)
    oracle = Oracle(part.truth, run.noise, run.seed, effort.cap_s)
    verdicts, screens = (Track(part.truth, effort.checkpoints) for _ in range(2))
    trial = Trial(part, oracle, run.seed, verdicts, screens)
    system = systems.find(run.system, dict(option.split("=", 1) for option in run.options))
    try:
        system(trial)
    except OutOfTime:
        trial.note = f"stopped after {effort.cap_s:.0f} s, {oracle.screens} screens, {oracle.verdicts} verdicts"
    except BudgetSpent:
        pass
    asked = {"screens": oracle.screens, "verdicts": oracle.verdicts, "wrong": oracle.wrong}
    return asdict(run) | {
        "label": run.label, "budget": trial.budget, "items": len(part.truth), "groups": part.groups, "asked": asked,
        "verdicts": trial.verdicts.at, "screens": trial.screens.at, "trace": trial.trace, "note": trial.note,
        "seconds": round(oracle.seconds, 2),
    }  # fmt: skip


def stamp() -> dict[str, Any]:
    """Machine, date and versions."""
    return {"machine": machine(), "date": datetime.now(UTC).strftime("%Y-%m-%d"), "versions": _versions()}


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """What is in a results file; none where there is no file."""
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.strip())


def key(line: dict[str, Any]) -> tuple[str, float, str, int]:
    """What makes a line the only one of its kind."""
    return line["set"], line["noise"], line["label"], line["seed"]


def known(path: Path, budget: int) -> set[tuple[str, float, str, int]]:
    """Runs that need not be run again: they went at least as far as `budget`."""
    return {key(line) for line in lines(path) if line.get("budget", max(CHECKPOINTS)) >= budget}


def append(path: Path, line: dict[str, Any]) -> None:
    """One line in one write: two processes may share the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")

"""A grid of simulated runs: acquisition x oracle x seed, several at once, each in a process and a folder of its own.

    FILE.toml -> cells -> DIR/cells/<acquisition>--<oracle>--<seed>/ -> DIR/grid.json, DIR/report.html

A cell is whole when its summary is there, and what is whole is not run again: killed and started again, a grid goes on
and comes out the same, since a cell depends on its plan alone.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import sleep
from typing import Any

import orjson

from app.children import spawn_with, stop
from app.settings import Settings
from app.simulate import Plan
from db.errors import BadInput, Broken, Conflict, NotFound, unknown

SAFE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
ONE = {"collection", "criterion", "budget", "budget_unit", "encoder", "set"}
GRID = {*ONE, "acquisition", "seeds", "oracle"}
ORACLE = {"spec", "labels", "noise_model", "annotator", "latency", "drift", "noise", "abstain"}
POLL_S = 0.1
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Cell:
    """One run. oracle: the name of its table in the file."""

    oracle: str
    plan: Plan

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.plan.acquisition}--{self.oracle}--{self.plan.seed}"


def read(file: Path) -> list[Cell]:
    """The cells of a grid file. Raises: NotFound, BadInput in one sentence."""
    if not file.is_file():
        raise NotFound(f"no grid file '{file}'. Write one as docs/simulate.md shows.")
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"'{file}' is no TOML: {error}. Mend that line.") from error
    return cells(given)


def cells(given: dict[str, Any]) -> list[Cell]:
    """Every cell of a grid, in the order of the file."""
    _known("key of a grid", given, GRID)
    missing = [name for name in ("collection", "criterion", "budget", "oracle") if name not in given]
    if missing:
        raise BadInput(f"a grid needs collection, criterion, budget and [oracle.NAME], got no {missing[0]}. Add it.")
    oracles = given["oracle"]
    if not isinstance(oracles, dict) or not oracles or not all(isinstance(one, dict) for one in oracles.values()):
        raise BadInput("oracle = tables [oracle.NAME] with a spec each expected. Try [oracle.truthful].")
    found = [
        Cell(name, _plan(given, table, name, asking, seed))
        for name, table in oracles.items()
        for asking in _several("acquisition", given.get("acquisition", ["mixed"]), str)
        for seed in _seeds(given.get("seeds", 3))
    ]
    if len({cell.name for cell in found}) < len(found):
        raise BadInput("each acquisition and each seed of a grid = once expected, got one of them twice. Leave it out.")
    return found


def _plan(given: dict[str, Any], table: dict[str, Any], name: str, asking: str, seed: int) -> Plan:
    _known(f"key of [oracle.{name}]", table, ORACLE)
    if not SAFE.fullmatch(name) or not SAFE.fullmatch(asking):
        raise BadInput(f"names of oracles = letters, digits, '_', '.' and '-' expected, got '{name}'. Rename it.")
    if not isinstance(table.get("spec"), str):
        raise BadInput(f"[oracle.{name}] needs spec = 'labels:COLUMN' or another oracle. Add it.")
    if isinstance(given["budget"], bool) or not isinstance(given["budget"], (int, float)):
        raise BadInput(f"budget = a number expected, got {given['budget']!r}. Try 100.")
    return Plan(
        collection=str(given["collection"]),
        criterion=str(given["criterion"]),
        oracle=table["spec"],
        budget=given["budget"],
        unit=given.get("budget_unit", "screens"),
        acquisition=asking,
        seed=seed,
        noise=float(table.get("noise", 0)),
        abstain=float(table.get("abstain", 0)),
        labels=table.get("labels"),
        encoder=given.get("encoder", "lite0"),
        training=tuple(_several("set", given.get("set", []), str)),
        noise_models=tuple(_several("noise_model", table.get("noise_model", []), str)),
        people=tuple(_several("annotator", table.get("annotator", []), str)),
        latency=None if "latency" not in table else str(table["latency"]),
        drift=table.get("drift"),
    )


def _known(what: str, given: dict[str, Any], known: set[str]) -> None:
    for name in given:
        if name not in known:
            raise unknown(what, name, known)


def _several(name: str, given: Any, kind: type) -> list[Any]:
    """A list, or one value for a list of one."""
    found = given if isinstance(given, list) else [given]
    if not all(isinstance(one, kind) and not isinstance(one, bool) for one in found):
        raise BadInput(f"{name} = a list of {kind.__name__} expected, got {given!r}. Mend it.")
    return found


def _seeds(given: Any) -> list[int]:
    """A number of seeds from 0 on, or the seeds themselves."""
    found = list(range(given)) if isinstance(given, int) and not isinstance(given, bool) else given
    if not isinstance(found, list) or not found:
        raise BadInput(f"seeds = a number above 0 or a list of seeds expected, got {given!r}. Try 5.")
    return _several("seeds", found, int)


def run(settings: Settings, grid: Sequence[Cell], folder: Path, jobs: int = 1, told: Told = lambda *_: None) -> None:
    """Run every cell that is not whole yet, `jobs` at a time. Whatever ends this, ends its children.

    Raises: Conflict where the folder holds another grid, Broken where a cell failed (the others are run all the same).
    """
    waiting = [cell for cell in grid if not whole(folder, cell)]
    running: dict[Cell, subprocess.Popen[bytes]] = {}
    failed: list[str] = []
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                cell = waiting.pop(0)
                running[cell] = _start(settings, folder, cell)
            over = [cell for cell, child in running.items() if child.poll() is not None]
            failed += [cell.name for cell in over if running.pop(cell).returncode or not whole(folder, cell)]
            told(len(grid) - len(waiting) - len(running), len(grid))
            sleep(POLL_S)
    finally:
        for child in running.values():
            child.terminate()
        for child in running.values():
            stop(child)
    if failed:
        why = _last_line(folder / "cells" / f"{failed[0]}.log")
        raise Broken(f"{len(failed)} of {len(grid)} runs failed, the first is {failed[0]}: {why} Start again to go on.")


def whole(folder: Path, cell: Cell) -> bool:
    """Whether the cell was run to its end, by this very plan. Raises Conflict for another one."""
    path = folder / "cells" / cell.name / "summary.json"
    if not path.is_file():
        return False
    summary = orjson.loads(path.read_bytes())
    if summary["arguments"] != orjson.loads(orjson.dumps(asdict(cell.plan))):
        raise Conflict(f"'{folder}' holds another grid: {cell.name} had other arguments. Use another folder.")
    return not summary["stopped"]


def _start(settings: Settings, folder: Path, cell: Cell) -> subprocess.Popen[bytes]:
    place = folder / "cells" / cell.name
    shutil.rmtree(place, ignore_errors=True)  # half a run is begun anew
    plan = orjson.dumps(asdict(cell.plan)).decode()
    where = ["--workspace", str(settings.folder), "--database-url", settings.url, "--report", str(place)]
    with (folder / "cells" / f"{cell.name}.log").open("wb") as log:
        return spawn_with([sys.executable, "-m", "app.grid_cell", *where, "--plan", plan], log)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.is_file() else []
    return lines[-1].removeprefix("pairwright: ") if lines else "it was killed."

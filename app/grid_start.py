"""A grid from its file to its report: what is wrong with the file is said before anything is run."""

from collections.abc import Sequence
from pathlib import Path

import orjson

from app import grid, grid_report, grid_verdict
from app.grid import Cell, Told
from app.grid_report import Lines
from app.grid_verdict import Verdict
from app.settings import Settings
from app.simulate import check


def compare(settings: Settings, file: Path, folder: Path, jobs: int = 1, told: Told = lambda *_: None) -> list[Verdict]:
    """Run what is missing, write grid.json and report.html into `folder`, return a verdict for each oracle.

    Raises: as `grid.read` and `grid.run`; NotFound for a name that does not exist, before the first run.
    """
    cells = grid.read(file)
    for cell in {(one.oracle, one.plan.acquisition): one for one in cells}.values():
        check(settings, cell.plan)  # features are computed here, once
    grid.run(settings, cells, folder, jobs, told)
    lines = _lines(folder, cells)
    verdicts = [found for name, several in lines.items() if (found := grid_verdict.verdict(name, several))]
    (folder / "grid.json").write_bytes(orjson.dumps(verdicts, option=orjson.OPT_INDENT_2) + b"\n")
    plan = cells[0].plan
    lead = f"{len(cells)} runs, {plan.budget:g} {plan.unit} each. Bands are 95 % intervals of the mean over seeds."
    page = grid_report.page(f"{plan.collection}: {plan.criterion}", lead, lines, verdicts)
    (folder / "report.html").write_text(page, encoding="utf-8")
    return verdicts


def _lines(folder: Path, cells: Sequence[Cell]) -> Lines:
    found: Lines = {}
    for cell in cells:
        found.setdefault(cell.oracle, {}).setdefault(cell.plan.acquisition, []).append(grid_verdict.curve(folder, cell))
    return found

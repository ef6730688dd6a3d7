"""Does asking well beat asking at random? Curves of ARI by effort, several seeds, on a labelled archive of images.

    python -m benchmarks.curves trashnet.zip material --reports /tmp/curves
    python -m benchmarks.curves clothing.zip type --where type_known=yes --reports /tmp/curves --seeds 0 1 2

The archive holds images and a metadata.csv. Runs that are already in the reports folder are read, not repeated. Prints
a Markdown table: final ARI and mean height of the curve by screens and by pair verdicts (over the verdicts both runs
of a
seed reached), beside k-means on the backbone features with the true number of groups.
"""

import argparse
import csv
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from app.importers import import_path
from app.settings import Settings
from app.simulate import Plan, simulate
from db import catalog


def prepare(settings: Settings, archive: Path, column: str, where: list[str]) -> None:
    """Import once; a second call finds everything known."""
    with closing(settings.open()) as database:
        import_path(database, settings.folder, archive, archive.stem, metadata="metadata.csv", where=where)
        with database.write() as s:
            catalog.add_criterion(s, column, catalog.collection_id(s, archive.stem), f"Same {column}?")


def report_of(settings: Settings, folder: Path, plan: Plan) -> dict[str, Any]:
    """The run's summary and curve, from disk if it has been run."""
    report = folder / f"{plan.collection}-{plan.acquisition}-{plan.seed}"
    if not (report / "summary.json").exists():
        simulate(settings, plan, report)
    summary = json.loads((report / "summary.json").read_text())
    with (report / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    curve = {name: np.array([float(row[name]) for row in rows]) for name in ("screens", "pair_verdicts", "ari")}
    return {"summary": summary, **curve}


def height(run: dict[str, Any], unit: str, reach: float) -> float:
    """Mean of the curve from 0 to `reach`, in ARI."""
    grid = np.linspace(0, reach, 1001)
    return float(np.interp(grid, run[unit], run["ari"]).mean())


def row(seed: int, asked: dict[str, Any], drawn: dict[str, Any]) -> list[float]:
    """One line of the table: seed, k-means, finals, heights of both by screens and by verdicts."""
    finals = [run["summary"]["final"]["ari"] for run in (asked, drawn)]
    heights = [
        height(run, unit, min(asked[unit][-1], drawn[unit][-1]))
        for unit in ("screens", "pair_verdicts")
        for run in (asked, drawn)
    ]
    return [seed, asked["summary"]["kmeans_ari"], *finals, *heights]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("column")
    parser.add_argument("--where", nargs="*", default=[])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--budget", type=float, default=300)
    parser.add_argument("--acquisition", default="mixed")
    parser.add_argument("--against", default="random")
    parser.add_argument("--reports", type=Path, required=True)
    given = parser.parse_args()
    settings = Settings(workspace=given.reports / "workspace")
    prepare(settings, given.archive, given.column, given.where)
    rows = []
    for seed in given.seeds:
        runs = []
        for acquisition in (given.acquisition, given.against):
            plan = Plan(given.archive.stem, given.column, f"labels:{given.column}", given.budget,
                        acquisition=acquisition, seed=seed)  # fmt: skip
            runs.append(report_of(settings, given.reports, plan))
        rows.append(row(seed, *runs))
    print(table(rows, given.acquisition, given.against))


def table(rows: list[list[float]], asked: str, drawn: str) -> str:
    """Markdown."""
    head = ["seed", "k-means", f"{asked} end", f"{drawn} end", f"{asked} by screens", f"{drawn} by screens",
            f"{asked} by verdicts", f"{drawn} by verdicts"]  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join([f"{line[0]:.0f}", *(f"{value:.3f}" for value in line[1:])]) + " |" for line in rows]
    mean = np.mean(rows, axis=0)
    return "\n".join([*lines, "| mean | " + " | ".join(f"{value:.3f}" for value in mean[1:]) + " |"])


if __name__ == "__main__":
    main()

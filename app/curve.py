"""The learning curve of one run: rows of figures over effort, as CSV, and the areas under it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

COLUMNS = (
    "screens",
    "pair_verdicts",
    "seconds",
    "ari",
    "nmi",
    "accuracy",
    "pair_precision",
    "pair_recall",
    "pair_f1",
    "knn_accuracy",
    "recall_at_10",
    "clusters",
    "wrong_answers",
    "conflicts_open",
    "model_version",
)
COUNTS = {"screens", "pair_verdicts", "clusters", "wrong_answers", "conflicts_open", "model_version"}
Row = dict[str, float]


@dataclass(frozen=True)
class Area:
    """The area under a curve. raw: sum of trapezoids. mean: raw / range, the mean height; nan without any range."""

    raw: float
    mean: float


@dataclass
class Curve:
    """Checkpoints in the order they were taken; each row is written to `path` at once, so a stopped run keeps them."""

    path: Path
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(COLUMNS)

    def add(self, row: Row) -> None:
        """Add one checkpoint. Figures that are not known (no labels to score against) are nan: an empty cell."""
        self.rows.append({name: row.get(name, float("nan")) for name in COLUMNS})
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(_cell(name, self.rows[-1][name]) for name in COLUMNS)

    def area(self, effort: str, figure: str = "ari") -> Area:
        """Area under `figure` by `effort` (screens, pair_verdicts or seconds)."""
        return area([row[effort] for row in self.rows], [row[figure] for row in self.rows])


def area(x: Sequence[float], y: Sequence[float]) -> Area:
    """Trapezoids over (x, y), x rising."""
    if len(x) < 2 or x[-1] == x[0]:
        return Area(0.0, float(y[-1]) if len(y) else float("nan"))
    raw = float(np.trapezoid(y, x))
    return Area(raw, raw / (x[-1] - x[0]))


def _cell(name: str, value: float) -> str:
    if np.isnan(value):
        return ""
    return str(int(value)) if name in COUNTS else f"{value:.6f}"

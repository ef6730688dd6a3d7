"""One small plot per set: ARI by effort, a panel for each noise."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.label_efficiency.results import END, Cell

OURS = (("verdicts", "#c2410c", "-"), ("screens", "#0f766e", "-"))
PEERS = ("#1d4ed8", "#7c3aed", "#4b5563")
NAMED = len(PEERS)  # the best peers get a colour and a name, the others are grey


def draw(cells: Sequence[Cell], path: Path, pairs: str, screens: str) -> None:
    """Write the plot as SVG; the same results give the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "pairwright", "svg.fonttype": "none", "font.size": 8, "path.simplify": True}):
        figure = Figure(figsize=(2.6 * len(cells) + 0.4, 2.5), layout="constrained")
        axes = figure.subplots(1, len(cells), squeeze=False, sharey=True)[0]
        for cell, axis in zip(cells, axes, strict=True):
            _panel(axis, cell, pairs, screens)
        axes[0].set_ylabel("ARI")
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _panel(axis: Any, cell: Cell, pairs: str, screens: str) -> None:
    ranked = sorted(cell.peers, key=lambda label: -cell.curve(label, "verdicts").get(END, -1.0))
    for label in ranked[NAMED:]:
        _line(axis, cell, label, "verdicts", "#d1d5db", "")
    for label, colour in zip(ranked, PEERS, strict=False):
        _line(axis, cell, label, "verdicts", colour, label)
    for label, (unit, colour, _) in zip((pairs, screens), OURS, strict=True):
        _line(axis, cell, label, unit, colour, f"{label} (ours)", band=True)
    axis.set(title=f"{cell.set}, {cell.noise:.0%} wrong", xlabel="screens", xlim=(0, END), ylim=(None, 1.01))
    axis.grid(alpha=0.2)
    axis.legend(fontsize=6, frameon=False, loc="best")


def _line(axis: Any, cell: Cell, label: str, unit: str, colour: str, title: str, *, band: bool = False) -> None:
    spread = cell.spread(label, unit)
    if not spread:
        return
    points, means = list(spread), [mean for mean, _, _ in spread.values()]
    axis.plot(points, means, color=colour, lw=1.6 if band else 1.1, label=title or "_other")
    if band:
        low = [mean - std for mean, std, _ in spread.values()]
        high = [mean + std for mean, std, _ in spread.values()]
        axis.fill_between(points, low, high, color=colour, alpha=0.15, lw=0)

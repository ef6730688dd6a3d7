"""What a grid says: means and confidence bands over seeds, and who wins by how much, in words."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from app.grid import Cell

POINTS = 60
LEVEL = 0.95
ENOUGH = 3  # seeds: two can agree by chance, and then their interval has no width
Line = tuple[np.ndarray, np.ndarray, np.ndarray]  # screens, seconds, ari


@dataclass(frozen=True, eq=False)
class Band:
    """Mean over seeds and the half width of its 95 % interval (nan for a single seed), at each effort."""

    effort: np.ndarray
    mean: np.ndarray
    half: np.ndarray


@dataclass(frozen=True)
class Verdict:
    """One oracle. gain: mean ARI by screens of the winner less the other's, with its half width over paired seeds.

    clear: the interval leaves out 0. saved_screens, saved_s: what the winner needs less to reach where the other ends;
    None where one of them never gets there.
    """

    oracle: str
    winner: str
    other: str
    gain: float
    half: float
    clear: bool
    level: float
    saved_screens: float | None
    saved_s: float | None
    words: str


def curve(folder: Path, cell: Cell) -> Line:
    """The cell's curve; cells without labels to score against are nan."""
    with (folder / "cells" / cell.name / "curve.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return tuple(np.array([float(row[name] or "nan") for row in rows]) for name in ("screens", "seconds", "ari"))  # type: ignore[return-value]


def band(lines: Sequence[Line], by: int) -> Band:
    """Over the range of effort that every seed covers. by: 0 screens, 1 seconds."""
    effort = np.linspace(0, min(line[by][-1] for line in lines), POINTS)
    heights = np.stack([np.interp(effort, line[by], line[2]) for line in lines])  # (seeds, points)
    return Band(effort, heights.mean(0), half_width(heights, LEVEL))


def half_width(values: np.ndarray, level: float) -> np.ndarray:
    """Of Student's interval for the mean over axis 0; nan for one value."""
    count = len(values)
    if count < 2:
        return np.full(values.shape[1:], np.nan)
    return student.ppf(0.5 + level / 2, count - 1) * values.std(0, ddof=1) / np.sqrt(count)


def verdict(oracle: str, lines: dict[str, list[Line]]) -> Verdict | None:
    """Who asks best of several strategies, against the next best. lines: by strategy, seed by seed in one order.

    Seeds are paired: the same seed brings the same mistakes of the oracle. The level is shared among the comparisons.
    """
    end = min(line[0][-1] for several in lines.values() for line in several)
    grid = np.linspace(0, end, POINTS)
    mean = {name: np.array([np.interp(grid, x, y).mean() for x, _, y in several]) for name, several in lines.items()}
    order = sorted(mean, key=lambda name: -mean[name].mean())
    if len(order) < 2 or not np.isfinite(mean[order[0]]).all():
        return None
    first, second = order[:2]
    gaps = mean[first] - mean[second]
    level = 1 - (1 - LEVEL) / (len(order) - 1)
    half = float(half_width(gaps, level))
    gain, clear = float(gaps.mean()), bool(gaps.mean() > half) and len(gaps) >= ENOUGH
    saved = [_saved(band(lines[first], by), band(lines[second], by)) for by in (0, 1)]
    words = _words(oracle, first, second, gain, half, clear, level, len(gaps), saved)
    return Verdict(oracle, first, second, gain, half, clear, level, saved[0], saved[1], words)


def _saved(first: Band, second: Band) -> float | None:
    """Effort the first needs less than the second to reach where the second ends."""
    aim = second.mean[-1]
    there = [np.flatnonzero(one.mean >= aim - 1e-12) for one in (first, second)]
    if not len(there[0]):
        return None
    return float(second.effort[there[1][0]] - first.effort[there[0][0]])


def _words(
    oracle: str, first: str, second: str, gain: float, half: float, clear: bool, level: float, seeds: int,
    saved: Sequence[float | None],
) -> str:  # fmt: skip
    if seeds < ENOUGH:
        sure = f"With fewer than {ENOUGH} seeds nothing can be said about noise"
    elif clear:
        sure = (
            f"That is beyond the noise of {seeds} seeds ({level:.1%} interval {gain - half:+.3f} to {gain + half:+.3f})"
        )
    else:
        sure = (
            f"That is within the noise of {seeds} seeds ({level:.1%} interval {gain - half:+.3f} to {gain + half:+.3f})"
        )
    lead = f"{oracle}: {first} {'wins' if clear else 'is ahead'}, mean ARI over screens {gain:+.3f} against {second}."
    if saved[0] is None or saved[1] is None:
        return f"{lead} {sure}. It does not reach where {second} ends."
    less = " and ".join(
        f"{abs(value):.0f} {unit} {'fewer' if value >= 0 else 'more'}"
        for value, unit in zip(saved, ("screens", "seconds"), strict=True)
        if value is not None
    )
    return f"{lead} {sure}. To reach where {second} ends it needs {less}."

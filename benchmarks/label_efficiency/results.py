"""The lines of the results file, gathered: mean and spread over the seeds at each checkpoint."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.label_efficiency.acceptance import Curve, Verdict, judge, largest_drop
from benchmarks.label_efficiency.oracle import CHECKPOINTS
from benchmarks.label_efficiency.sets import NAMES
from benchmarks.label_efficiency.systems import BASELINE, is_ours

Line = dict[str, Any]
END = max(CHECKPOINTS)


@dataclass
class Cell:
    """All systems on one set at one noise. by_system: label -> its lines, one per seed."""

    set: str
    noise: float
    by_system: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))

    def spread(self, label: str, unit: str, metric: str = "ari") -> dict[int, tuple[float, float, int]]:
        """Checkpoint -> mean, standard deviation and number of the seeds that got there."""
        heights = defaultdict(list)
        for line in self.by_system.get(label, []):
            for point, scored in line[unit].items():
                heights[int(point)].append(scored[metric])
        return {at: (float(np.mean(of)), float(np.std(of)), len(of)) for at, of in sorted(heights.items())}

    def curve(self, label: str, unit: str) -> Curve:
        """Mean ARI by effort, at the checkpoints that every seed of this system reached."""
        seeds = len(self.by_system.get(label, []))
        return {at: mean for at, (mean, _, count) in self.spread(label, unit).items() if count == seeds}

    @property
    def peers(self) -> list[str]:
        """The other people's systems that are here."""
        return [label for label in self.by_system if not is_ours(label) and label != BASELINE]

    def verdict(self, pairs: str, screens: str) -> Verdict | None:
        """The goals, for these two of our systems."""
        peers = {label: self.curve(label, "verdicts") for label in self.peers}
        return judge(
            self.curve(pairs, "verdicts"), self.curve(screens, "screens"), peers, self.drops(pairs, screens), END
        )

    def drops(self, *labels: str) -> list[float]:
        """The most each truthful run of these fell back; none where the oracle lied."""
        if self.noise:
            return []
        return [
            largest_drop([point[2] for point in line["trace"]]) for of in labels for line in self.by_system.get(of, [])
        ]


def gather(lines: Iterable[Line]) -> list[Cell]:
    """Cells in the order of the sets, then by noise. Of two lines of one run the longer one counts, then the later."""
    kept: dict[tuple[Any, ...], Line] = {}
    for line in lines:
        key = line["set"], line["noise"], line["label"], line["seed"]
        if key not in kept or line.get("budget", END) >= kept[key].get("budget", END):
            kept[key] = line
    cells: dict[tuple[str, float], Cell] = {}
    for (name, noise, label, _), line in sorted(kept.items()):
        cells.setdefault((name, noise), Cell(name, noise)).by_system[label].append(line)
    return sorted(cells.values(), key=lambda cell: (_place(cell.set), cell.noise))


def _place(name: str) -> int:
    return NAMES.index(name) if name in NAMES else len(NAMES)

"""docs/benchmarks/bars.md: does each system do more than nothing? One setting for all, and a bar to clear.

5,000 pictures of Fashion-MNIST, six epochs in batches of 256, kNN-20 on 2,000 test pictures.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks._runs import Line
from benchmarks.methods.trial import LABELLED
from benchmarks.negatives.report import table
from benchmarks.negatives.trial import START

NAME = "Six epochs on 5,000 pictures"
RISE, LEAST_RISE = 3.0, 1.0  # points of kNN over the untrained network; SURE ones, the rest
SURE = ("simclr", "supcon", "vicreg", "dino", "swav", "seed", "pairwright")
LEAST_RANK = 15
FITTED: Mapping[str, str] = {
    "simclr": "views.area=.5", "vicreg": "views.area=.5", "pairwright": "views.area=.5",
    "swav": "area=.5,small=0,epsilon=.05@.003", "dino": "momentum=.9,area=.5,small=0@.002",
}  # fmt: skip  # garments fill their pictures, and half of 28 pixels is too little to know one by
FITS = tuple(f"{name}:{settings}" for name, settings in FITTED.items())
PLAIN: Mapping[str, float] = {
    "start": 72.1, "simclr": 77.6, "supcon": 78.3, "moco": 74.6, "byol": 73.7, "simsiam": 73.8, "barlow_twins": 72.4,
    "vicreg": 76.1, "swav": 75.2, "dino": 75.7, "nnclr": 73.8, "msf": 74.4, "all4one": 74.5, "seed": 76.2,
}  # fmt: skip  # textbook implementations, one step size for all, one seed
HEAD = f"""# Bars

Made by `python -m benchmarks.methods report`; run with `python -m benchmarks.methods bar --archives FOLDER`.

{NAME} of Fashion-MNIST, a network of 84,000 weights, batches of 256, one processor thread; kNN-20 on
2,000 test pictures, per cent, mean ± standard deviation over the seeds. {", ".join(LABELLED)} see the labels, no
other does. NAME:SETTINGS is the system with settings for small grey pictures: crops of at least half a picture, since
garments fill theirs, no views of 14 pixels; *@*: its highest step size. Chosen on seed 10, not shown. *Plain*: what
textbook implementations of the same systems reached from an untrained network of 72.1, one step size for all and
one seed. The bar: {RISE:.0f} points of kNN over the untrained network for {", ".join(SURE)},
{LEAST_RISE:.0f} for the others, and an effective rank above {LEAST_RANK}.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "bars.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/bars.md."""
    text = bars(lines)
    return f"{HEAD}\n{text}\n" if text else f"{HEAD}\nNothing measured yet.\n"


def bars(lines: Sequence[Line], only: str | None = None) -> str:
    """The table, best first; of one system alone where it is named. Empty where nothing was measured."""
    runs = [line for line in lines if line["experiment"] == "bar"]
    names = {line["system"] for line in runs}
    if START not in names or (only and only not in {_base(name) for name in names}):
        return ""
    start = {line["seed"]: 100 * line["knn"] for line in runs if line["system"] == START}
    kept = [name for name in sorted(names) if only is None or _base(name) in (only, START)]
    rows = [_row(name, [line for line in runs if line["system"] == name], start) for name in kept]
    rows.sort(key=lambda row: -float(row[2].split()[0]))
    head = ["system", "seeds", "kNN %", "plain", "over untrained", "bar", "rank", "linear %", "NMI %", "time"]
    return table(head, rows)


def _row(name: str, runs: Sequence[Line], start: Mapping[int, float]) -> list[str]:
    knn = [100 * line["knn"] for line in runs]
    rise = float(np.mean([value - start[line["seed"]] for value, line in zip(knn, runs, strict=True)]))
    rank = float(np.mean([line["rank"] for line in runs]))
    met = rise >= (RISE if _base(name) in SURE else LEAST_RISE) and rank > LEAST_RANK
    plain = f"{PLAIN[name]:.1f}" if name in PLAIN else "-"
    own = ["-", "-"] if name == START else [f"{rise:+.1f}", "met" if met else "missed"]
    spent = "-" if name == START else f"{np.mean([line['train_s'] for line in runs]):.0f} s"
    others = [f"{100 * np.mean([line[figure] for line in runs]):.1f}" for figure in ("linear", "nmi")]
    spread = f" ± {np.std(knn):.1f}" if len(knn) > 1 else ""
    return [name, str(len(runs)), f"{np.mean(knn):.1f}{spread}", plain, *own, f"{rank:.0f}", *others, spent]


def _base(name: str) -> str:
    return name.partition(":")[0]

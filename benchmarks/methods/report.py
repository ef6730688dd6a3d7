"""docs/benchmarks/methods.md from the results file."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks._runs import Line
from benchmarks.methods.trial import LIGHTLY, ONLY
from benchmarks.negatives.report import table
from benchmarks.negatives.trial import START
from trainer.systems import systems

SETS = ("fashion", "trashnet", "clothing")
HALF = ("positives", "no negatives", "prototypes", "clusters", "ours")  # families of the positive half
NAMES = tuple(
    one.name for one in systems() if one.said["Family"].startswith(HALF) or one.name in ("simclr", "simcse", "cpc")
    or one.name.startswith("moco")
)  # fmt: skip
FIGURES = ("knn", "linear", "nmi")
HEAD = """# Methods

Made by `python -m benchmarks.methods report` from `benchmarks/results/methods.jsonl`.

Every system trains the same small network from the same start on the same 2,000 pictures for the same number of steps
({budget}), with AdamW at its own highest step size (*@*: at this one) and the views
it wants. Fashion-MNIST at 28 pixels, photographs at 64. Measured on pictures that were not trained on: kNN-20 and
linear accuracy, NMI of k-means with as many clusters as classes, effective rank; per cent, mean ± standard deviation
over the seeds. *Time* is processor time of a step, *memory* what the run took at its peak beyond the pictures and
libraries. `start` is the network before its first step.
"""
BESIDE = """## Beside lightly

lightly's heads, losses, memory bank and momentum for the same system, as wide as ours, on the same backbone, batches,
optimizer and schedule. *Time*: processor time of our step over theirs, taken in turns in one process, median and range
over sets. *As lightly has it*: with lightly's transform for the system, which draws picture by picture; as many views,
as large and as often blurred. *Its parts alone*: with our views, so that little but the network is left, which both
share. *kNN*: ours less its parts' in points, with our views, paired by set and seed.
"""
ANSWERS = """## With 500 answers

Train SimCLR without answers, ask 500 questions about that embedding (scripted, truthful, the default acquisition), then
train every system anew from the same start with these answers. *{only}* sees nothing but the pictures that
answers placed, for as many steps. `simclr, no answers` is the row of the tables above. A *{kind}* answer is {what}.
"""
NOTE = """Some dozens of steps on 2,000 small pictures say what works here; they do not repeat the papers. A difference
below twice the standard deviation is noise.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "methods.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/methods.md."""
    alone = [line for line in lines if line["experiment"] == "alone"]
    budgets = sorted({f"{line['epochs']} epochs in batches of {line['batch']}" for line in alone})
    parts = [HEAD.format(budget="; ".join(budgets) or "nothing measured yet"), NOTE]
    parts += [_set(name, [line for line in alone if line["set"] == name]) for name in SETS]
    parts += [_beside(alone, [line for line in lines if line["experiment"] == "pace"])]
    taught = [line for line in lines if line["experiment"] == "answers"]
    parts += [_answers(screen, taught, alone) for screen in sorted({line["screen"] for line in taught}, reverse=True)]
    return "\n".join(part for part in parts if part)


def _set(name: str, alone: Sequence[Line]) -> str:
    """Ours, best first; lightly's stand in their own table."""
    ours = [line for line in alone if not line["system"].startswith(LIGHTLY)]
    if not ours:
        return ""
    found = sorted({line["system"] for line in ours}, key=lambda system: (-_mean(_of(ours, system), "knn"), system))
    rows = []
    for system in found:
        of = _of(ours, system)
        cost = ["-", "-"] if system == START else [
            f"{1000 * median(line['train_s'] / line['steps'] for line in of):.0f} ms",
            f"{median(line['memory_mb'] for line in of):.0f} MB",
        ]  # fmt: skip
        rows.append(
            [system, str(len(of)), *(_cell(of, figure) for figure in FIGURES), f"{_mean(of, 'rank'):.0f}", *cost]
        )
    head = ["system", "seeds", "kNN %", "linear %", "NMI %", "rank", "time", "memory"]
    return f"## {name}\n\n{table(head, rows)}\n"


def _beside(alone: Sequence[Line], paces: Sequence[Line]) -> str:
    rows, medians = [], []
    for system in sorted({line["system"] for line in paces}):
        of = [[line[figure] for line in _of(paces, system)] for figure in ("whole", "ratio")]
        gains = _gains(_of(alone, system), _of(alone, LIGHTLY + system))
        medians.append([median(one) for one in of])
        times = [f"{median(one):.2f} ({min(one):.2f} to {max(one):.2f})" for one in of]
        rows.append([system, *times, _points(gains), str(len(gains))])
    if not rows:
        return ""
    head = ["system", "time, as lightly has it", "time, its parts alone", "kNN, points", "runs"]
    whole, parts = (median(one) for one in zip(*medians, strict=True))
    said = f"Median of the times: {whole:.2f} as lightly has it, {parts:.2f} its parts alone."
    return f"{BESIDE}\n{table(head, rows)}\n\n{said}\n"


def _answers(screen: int, taught: Sequence[Line], alone: Sequence[Line]) -> str:
    of_kind = [line for line in taught if line["screen"] == screen]
    plain = [
        line | {"system": f"{name}, no answers"} for name in ("simclr", "simclr@.003") for line in _of(alone, name)
    ]
    text = (
        ["pair", "one verdict on one pair"] if screen == 1 else ["screen", f"one screen of up to {screen} candidates"]
    )
    parts = [ANSWERS.format(only=ONLY, kind=text[0], what=text[1])]
    for name in SETS:
        here = [line for line in of_kind if line["set"] == name]
        if here:
            here += [line for line in plain if line["set"] == name]
            found = sorted({line["system"] for line in here}, key=lambda s: (-_mean(_of(here, s), "knn"), s))
            rows = [[s, str(len(_of(here, s))), *(_cell(_of(here, s), figure) for figure in FIGURES)] for s in found]
            parts.append(f"### {name}\n\n{table(['system', 'seeds', 'kNN %', 'linear %', 'NMI %'], rows)}\n")
    return "\n".join(parts)


def _of(lines: Sequence[Line], system: str) -> list[Line]:
    return [line for line in lines if line["system"] == system]


def _gains(ours: Sequence[Line], theirs: Sequence[Line]) -> list[float]:
    """Differences in kNN accuracy of runs on the same set from the same seed."""
    other = {(line["set"], line["seed"]): line["knn"] for line in theirs}
    return [line["knn"] - other[line["set"], line["seed"]] for line in ours if (line["set"], line["seed"]) in other]


def _points(gains: Sequence[float]) -> str:
    return f"{100 * np.mean(gains):+.1f}" if gains else "-"


def _mean(lines: Sequence[Line], figure: str) -> float:
    return float(np.mean([line[figure] for line in lines]))


def _cell(lines: Sequence[Line], figure: str) -> str:
    """Per cent; a spread only where there is more than one seed."""
    found = [100 * line[figure] for line in lines]
    return f"{np.mean(found):.1f}" + (f" ± {np.std(found):.1f}" if len(found) > 1 else "")

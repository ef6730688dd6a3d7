"""docs/benchmarks/negatives.md from the results file."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.negatives.pictures import NAMES
from benchmarks.negatives.trial import START

Line = dict[str, Any]
WARM = "simclr:temperature=0.5"
BASES = ("simclr", "moco", WARM)  # uncurated negatives
BASE_OF = dict.fromkeys(("mochi", "synco", "adco"), "moco") | dict.fromkeys(
    ("debiased", "hcl", "sscl", "unremix", "pucl"), WARM
)  # what a system adds to: the same target and temperature; the others add to simclr
HEAD = """# Negatives

Made by `python -m benchmarks.negatives report` from `benchmarks/results/negatives.jsonl`.

Every system trains the same network of 84,000 weights from the same start on the same pictures for the same number of
steps ({budget}), AdamW with a step size of .001 and the same views; only its parts differ.
Measured: kNN-20 and linear accuracy of the features on pictures that were not trained on, in per cent, mean ± standard
deviation over the seeds. `start` is the network before its first step.

*False* is the share of false negatives that still push: of the negative weight, and of the negative mass
w exp(s (1 + beta)), how much sits on real pictures with the anchor's own label, over the second half of training.
Debiasing subtracts a mass that is no pair's in particular, and nnPU does the same in its risk: neither lowers it. What
pushes from synthetic negatives or a learnt bank is not in it.
"""
NOTE = """
Read it with care: a hundred steps on 2,000 small pictures say which parts are harmless or harmful here, not how the
papers' systems compare at their own scale. A difference below twice the standard deviation is noise, and one seed shows
no deviation: between seeds of one system kNN accuracy moves by about half a point.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "negatives.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/negatives.md."""
    runs = [line for line in lines if "experiment" not in line]
    budgets = sorted({f"{line['epochs']} epochs in batches of {line['batch']}" for line in runs})
    parts = [HEAD.format(budget="; ".join(budgets) or "nothing measured yet")]
    parts += [_set(name, [line for line in runs if line["set"] == name]) for name in NAMES]
    answers = [line for line in lines if "experiment" in line]
    parts += [_overall(runs), f"{NOTE.strip()}\n", _answers(answers), _times(runs)]
    return "\n".join(part for part in parts if part) + "\n"


def _set(name: str, runs: Sequence[Line]) -> str:
    if not runs:
        return ""
    found = sorted({line["system"] for line in runs}, key=lambda s: (-_mean(runs, name, s, "knn"), s))
    rows = [
        [_bold(s), str(len(_of(runs, name, s))), cell(runs, name, s, "knn"), cell(runs, name, s, "linear"),
         cell(runs, name, s, "false"), cell(runs, name, s, "false_mass"), _plain(runs, name, s, "rank")]
        for s in found
    ]  # fmt: skip
    head = ["system", "seeds", "kNN %", "linear %", "false, of weight %", "false, of mass %", "effective rank"]
    return f"## {name}\n\n{table(head, rows)}\n"


def _overall(runs: Sequence[Line]) -> str:
    """Mean over the sets of the difference to the base a system is built on, and how often it was ahead."""
    sets = [name for name in NAMES if any(line["set"] == name for line in runs)]
    found = sorted({line["system"] for line in runs} - set(BASES) - {START})
    rows = []
    for system in found:
        base = BASE_OF.get(system, BASES[0])
        gains = {figure: _gains(runs, sets, system, base, figure) for figure in ("knn", "linear")}
        ahead = sum(gain > 0 for gain in gains["knn"])
        if gains["knn"]:
            rows.append([system, base, *(f"{100 * np.mean(gains[f]):+.1f}" for f in gains),
                         f"{ahead} of {len(gains['knn'])}"])  # fmt: skip
    if not rows:
        return ""
    rows.sort(key=lambda row: -float(row[2]))
    head = ["system", "against", "kNN, points", "linear, points", "runs ahead in kNN"]
    return f"## Against uncurated negatives, over all sets\n\nPaired by set and seed.\n\n{table(head, rows)}\n"


def _gains(runs: Sequence[Line], sets: Sequence[str], system: str, base: str, figure: str) -> list[float]:
    """Differences of runs on the same set from the same seed."""
    gains = []
    for name in sets:
        ours, theirs = ({line["seed"]: line[figure] for line in _of(runs, name, s)} for s in (system, base))
        gains += [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    return gains


def _answers(lines: Sequence[Line]) -> str:
    """Attraction by answers against the same training without."""
    groups: dict[tuple[str, str, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line["experiment"].partition(":")[2], line["set"], line["system"]].append(line)
    if not groups:
        return ""
    rows = []
    for (kind, name, system), of in sorted(groups.items(), key=lambda item: (item[0][0] != "screens", item[0])):
        gains = [line["with"]["knn"] - line["without"]["knn"] for line in of]
        rows.append([
            kind, name, system, f"{np.mean([line['verdicts'] for line in of]):.0f}",
            *(f"{100 * np.mean([line[when][f] for line in of]):.1f}" for f in ("knn", "linear") for when in WHEN),
            f"{sum(gain > 0 for gain in gains)} of {len(gains)}", " ".join(f"{100 * gain:+.1f}" for gain in gains),
        ])  # fmt: skip
    head = ["an answer is", "set", "system", "pair verdicts", "kNN without", "kNN with", "linear without",
            "linear with", "seeds ahead", "kNN gain by seed"]  # fmt: skip
    return f"{ANSWERED}\n{table(head, rows)}\n"


WHEN = ("without", "with")
ANSWERED = """## What 500 answers add

Train without answers, ask 500 questions about that embedding (scripted, truthful; the default acquisition), then train
anew from the same start and seed for as many steps: must-links attract, cannot-links are confirmed negatives, answered
items meet more often. A *screens* answer is one screen of up to twelve candidates, a *pairs* answer one pair.
"""


def _times(runs: Sequence[Line]) -> str:
    seconds: dict[str, list[float]] = defaultdict(list)
    for line in runs:
        if line.get("train_s"):
            seconds[line["system"]].append(line["train_s"] / line["steps"])
    if not seconds:
        return ""
    medians = sorted((float(np.median(of)), system) for system, of in seconds.items())
    cost = table(["system", "ms"], [[system, f"{1000 * median:.0f}"] for median, system in medians])
    return f"## Cost\n\nProcessor time of a step, one thread on a machine shared with others.\n\n{cost}\n"


def _of(runs: Sequence[Line], name: str, system: str) -> list[Line]:
    return [line for line in runs if line["set"] == name and line["system"] == system]


def _mean(runs: Sequence[Line], name: str, system: str, figure: str) -> float:
    found = [line[figure] for line in _of(runs, name, system) if line.get(figure) is not None]
    return float(np.mean(found)) if found else float("nan")


def cell(runs: Sequence[Line], name: str, system: str, figure: str) -> str:
    """Per cent; a spread only where there is more than one seed."""
    found = [100 * line[figure] for line in _of(runs, name, system) if line.get(figure) is not None]
    spread = f" ± {np.std(found):.1f}" if len(found) > 1 else ""
    return f"{np.mean(found):.1f}{spread}" if found else "-"


def _plain(runs: Sequence[Line], name: str, system: str, figure: str) -> str:
    value = _mean(runs, name, system, figure)
    return "-" if np.isnan(value) else f"{value:.1f}"


def _bold(system: str) -> str:
    return f"**{system}**" if system in BASES else system


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

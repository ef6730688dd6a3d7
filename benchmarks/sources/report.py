"""docs/benchmarks/sources.md from the results file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks._runs import Line
from benchmarks.negatives.report import table
from benchmarks.sources.sets import SETS, SIDE
from benchmarks.sources.trial import START

HEAD = f"""# Positives from metadata

Made by `python -m benchmarks.sources report` from `benchmarks/results/sources.jsonl`.

Are pictures that metadata relates of one kind, and does training with them help? Every system trains the small network
from the same start on the same pictures of {SIDE} pixels for as many steps with AdamW at 1e-3. *Right*: of the
partners drawn in five epochs, how many share the label; *chance*: of any two pictures. *Paired*: pictures that have a
partner. *kNN*: 20 neighbours, on pictures that were not trained on; *gain*: points over `simclr` (for `ayush` over
`moco_v2`, which it is without metadata) with the same seed. Mean ± standard deviation over the seeds, per cent. *Time*:
processor time of the training. `start` is the network before its first step. A source that pairs by a label's own
column is right by construction there, so its gain is what labels would give; look at the other columns.
"""
BASES = {"ayush": "moco_v2"}


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "sources.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/sources.md."""
    parts = [HEAD, *(_set(name, lines) for name in SETS if any(line["set"] == name for line in lines))]
    return "\n".join([*parts, _verdict(lines)])


def _set(name: str, lines: Sequence[Line]) -> str:
    here = [line for line in lines if line["set"] == name]
    one, labels = here[0], SETS[name].labels
    base = {label: f"{100 * one['chance'][label]:.0f}" for label in labels}
    head = ["system", "seeds", "paired"]
    for label in labels:
        head += [f"right: {label} (chance {base[label]})", f"kNN: {label}", "gain"]
    known = [system for system in (START, *SETS[name].systems) if any(line["system"] == system for line in here)]
    rows = [_row(system, here, labels) for system in known]
    about = f"{one['pictures']} pictures trained on, {one['asked']} asked, {one['epochs']} epochs of {one['batch']}."
    return f"## {name}\n\n{about}\n\n{table([*head, 'time'], rows)}\n"


def _row(system: str, here: Sequence[Line], labels: Sequence[str]) -> list[str]:
    runs = [line for line in here if line["system"] == system]
    cells = [f"`{system}`", str(len(runs)), f"{100 * np.mean([line['share'] for line in runs]):.0f}"]
    for label in labels:
        right = [
            line["precision"][label] for line in runs if line["precision"] and line["precision"][label] is not None
        ]
        knn = [line["knn"][label] for line in runs]
        cells += [_spread(right), _spread(knn), _spread(gains(system, label, here), "+")]
    return [*cells, f"{np.mean([line['train_s'] for line in runs]):.0f} s"]


def gains(system: str, label: str, here: Sequence[Line]) -> list[float]:
    """Differences in kNN accuracy of runs from the same seed."""
    base = BASES.get(system.partition(":")[0], "simclr")
    if system in (START, "simclr") or system.partition(":")[0] == "moco_v2":
        return []
    theirs = {line["seed"]: line["knn"][label] for line in here if line["system"].partition(":")[0] == base}
    ours = [line for line in here if line["system"] == system and line["seed"] in theirs]
    return [line["knn"][label] - theirs[line["seed"]] for line in ours]


def _verdict(lines: Sequence[Line]) -> str:
    """Which gains are more than noise, either way, counted."""
    told: dict[str, list[str]] = {"up": [], "down": [], "level": []}
    for name, about in SETS.items():
        here = [line for line in lines if line["set"] == name]
        for system in about.systems:
            for label in about.labels:
                found = gains(system, label, here)
                if len(found) < 2:
                    continue
                mean, noise = float(np.mean(found)), 2 * float(np.std(found, ddof=1)) / len(found) ** 0.5
                kind = "level" if abs(mean) <= noise else "up" if mean > 0 else "down"
                told[kind].append(f"`{system}` on {name} {label} ({100 * mean:+.1f})")
    if not any(told.values()):
        return "## In words\n\nOne seed each: no difference here can be told from noise yet.\n"
    words = {"up": "Better than without", "down": "Worse than without", "level": "No difference beyond noise"}
    return "## In words\n\n" + "\n".join(
        f"- {words[kind]}: {', '.join(found) or 'none'}." for kind, found in told.items()
    ) + "\n\nNoise: two standard errors of the paired differences.\n"  # fmt: skip


def _spread(found: Sequence[float], sign: str = "") -> str:
    if not found:
        return "-"
    text = format(100 * float(np.mean(found)), f"{sign}.1f")
    return text + (f" ± {100 * np.std(found):.1f}" if len(found) > 1 else "")

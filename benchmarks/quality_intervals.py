"""How often the intervals of the Quality screen hold the truth, on logs of the real loop. Run by `benchmarks.quality`.

Every seed sees its own items of a set. The default rule asks, scripted oracles answer, wrong now and then
(`quality_logs`); after 50, 100 and 200 screens pair precision, recall and F1 are estimated and compared with the truth
of that partition, and everybody's error rate with the rate the oracle was given. Appended to
benchmarks/results/quality_intervals.jsonl; what is there is not measured again.
"""

import argparse
import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks._report import RESULTS
from benchmarks.label_efficiency import sets
from benchmarks.quality_logs import Log, log
from oracle.audits import separate
from oracle.holdout import grown
from oracle.measuring import builder
from oracle.quality import judged_by
from oracle.slips import error_of, sources
from oracle.truths import agreement
from oracle.weighing import judged

FILE = RESULTS / "quality_intervals.jsonl"
FIGURES, LEVELS, SCREENS = ("precision", "recall", "f1"), (0.9, 0.95), (50, 100, 200)
NOISES, SEEDS = ["0", "0.1", "0.02+0.1+0.2"], [20, 24]  # constants were chosen on seeds below 20
SLACK, NEAR = 1e-6, 0.005  # of rounding; of an error rate


def estimated(one: Log, screens: int) -> dict[str, Any]:
    """Truth, value and interval of each figure after so many screens; None where the audits are too few."""
    said = one.until(screens)
    graph = builder(judged(tuple(said)))([])
    belief = grown(one.snapshot, said, graph)
    witnesses = separate(said, lambda _: True)[1]
    error = error_of(belief, witnesses, said)
    found = {level: judged_by(witnesses, belief, graph, error=error, level=level) for level in LEVELS}
    true = dict(zip(FIGURES, agreement(one.truth, belief.labels), strict=True))
    rates = sources(belief, said)
    row: dict[str, Any] = {"people": [[truth, *rates[name]] for name, truth in one.rates.items() if name in rates]}
    row |= {"audits": len({said.answer for said in witnesses}), "error": round(error.mean, 4)}
    for name in FIGURES:
        estimates = {level: getattr(audit, name) for level, audit in found.items()}
        bounds = {str(level): [made.low, made.high] for level, made in estimates.items()}
        row[name] = {"truth": true[name], "value": estimates[LEVELS[0]].value, "bounds": bounds}
    return row


def table(rows: list[dict[str, Any]], *, apart: bool = True) -> str:
    """Coverage by noise and, if apart, by set too, as Markdown."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        for name in ("all", row["set"])[: 1 + apart]:
            groups[row["noise"], name].append(row)
    lines = ["| wrong | set | figure | known | held of 90 % | held of 95 % | width | off by | value - truth |"]
    lines.append("|---" * 9 + "|")
    for (noise, name), some in sorted(groups.items()):
        about = f"| {in_words(noise)} | {name}"
        lines += [f"{about} | {figure} | {_cells([one[figure] for one in some])} |" for figure in FIGURES]
    return "\n".join(lines)


def people_table(rows: list[dict[str, Any]]) -> str:
    """Error rates against what the oracles were given, as Markdown."""
    groups: dict[tuple[str, float], list[list[float]]] = defaultdict(list)
    for row in rows:
        for truth, *found in row["people"]:
            groups[row["noise"], truth].append([truth, *found])
    lines = ["| answers of | true rate | estimates | mean estimate | off by | held of 90 % |", "|---" * 6 + "|"]
    for (noise, rate), some in sorted(groups.items()):
        truth, mean, low, high = np.array(some).T
        held = np.mean((low - NEAR <= truth) & (truth <= high + NEAR))
        who = "one person" if "+" not in noise else "one of three"
        lines.append(
            f"| {who} | {rate:.2f} | {len(some)} | {mean.mean():.3f} | {np.abs(mean - truth).mean():.3f} | {held:.2f} |"
        )
    return "\n".join(lines)


def in_words(noise: str) -> str:
    """Shares of wrong answers in per cent."""
    return ", ".join(f"{100 * float(one):.0f}" for one in noise.split("+")) + " %"


def _cells(found: list[dict[str, Any]]) -> str:
    known = [one for one in found if one["value"] is not None]
    if not known:
        return f"0 of {len(found)} | | | | |"
    held = [np.mean([_holds(one, str(level)) for one in known]) for level in LEVELS]
    gap = np.array([one["value"] - one["truth"] for one in known])
    width = np.mean([one["bounds"]["0.9"][1] - one["bounds"]["0.9"][0] for one in known])
    numbers = [*held, width, np.abs(gap).mean(), gap.mean()]
    return f"{len(known)} of {len(found)} | " + " | ".join(f"{one:.3f}" for one in numbers)


def _holds(one: dict[str, Any], level: str) -> bool:
    low, high = one["bounds"][level]
    return bool(low - SLACK <= one["truth"] <= high + SLACK)


def kept(file: Path) -> list[dict[str, Any]]:
    """Rows measured before."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def logs(given: argparse.Namespace) -> list[tuple[str, str, int]]:
    """Set, noise and seed of every log, seed by seed."""
    return [(name, noise, seed) for seed in range(*given.seeds) for name in given.sets for noise in given.noise]


def measure(given: argparse.Namespace) -> None:
    """Every log that was not measured yet."""
    done, data = {(row["set"], row["noise"], row["seed"], row["screens"]) for row in kept(FILE)}, {}
    for name, noise, seed in logs(given):
        todo = [screens for screens in SCREENS if (name, noise, seed, screens) not in done]
        if not todo:
            continue
        if name not in data:
            data[name] = sets.load(name, sets.Folders(features=given.features))
        one = log(data[name], noise, seed, max(SCREENS), given.items, given.logs)
        for screens in todo:
            keep(FILE, {"set": name, "noise": noise, "seed": seed, "screens": screens, **estimated(one, screens)})


def keep(file: Path, row: dict[str, Any]) -> None:
    """Append a row with the date and the machine, in general words."""
    memory = f"{round(psutil.virtual_memory().total / 2**30)} GB"
    row |= {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": f"{psutil.cpu_count()} cores, {memory}"}
    print({key: row[key] for key in ("set", "noise", "seed", "screens")}, flush=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")

"""How often the intervals of the Quality screen hold the truth, on logs the real loop made.

    python -m benchmarks.quality_intervals [--sets digits trashnet fashion] [--noise 0 0.1] [--seeds 20]
    python -m benchmarks.quality_intervals --table

Every seed sees its own items of a set. The default rule asks, a scripted oracle answers, wrong now and then
(`quality_logs`); after 50, 100 and 200 screens pair precision, recall and F1 are estimated and compared with the truth
of that partition. Appended to benchmarks/results/quality_intervals.jsonl; what is there is not measured again.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._report import RESULTS
from benchmarks.label_efficiency import sets
from benchmarks.quality_logs import Log, log
from oracle.audits import separate
from oracle.holdout import grown
from oracle.measuring import builder
from oracle.quality import judged_by
from oracle.slips import error_of
from oracle.truths import agreement
from oracle.weighing import judged

FILE = RESULTS / "quality_intervals.jsonl"
FIGURES, LEVELS, SCREENS = ("precision", "recall", "f1"), (0.9, 0.95), (50, 100, 200)
SLACK = 1e-6  # of rounding


def estimated(one: Log, screens: int) -> dict[str, Any]:
    """Truth, value and interval of each figure after so many screens; None where the audits are too few."""
    said = one.until(screens)
    graph = builder(judged(tuple(said)))([])
    belief = grown(one.snapshot, said, graph)
    witnesses = separate(said, lambda _: True)[1]
    error = error_of(belief, witnesses, said)
    found = {level: judged_by(witnesses, belief, graph, error=error, level=level) for level in LEVELS}
    truth = dict(zip(FIGURES, agreement(one.truth, belief.labels), strict=True))
    row: dict[str, Any] = {"audits": len({said.answer for said in witnesses}), "error": round(error.mean, 4)}
    for name in FIGURES:
        estimates = {level: getattr(audit, name) for level, audit in found.items()}
        bounds = {str(level): [made.low, made.high] for level, made in estimates.items()}
        row[name] = {"truth": truth[name], "value": estimates[LEVELS[0]].value, "bounds": bounds}
    return row


def table(rows: list[dict[str, Any]]) -> str:
    """Coverage by set and noise, and by screens and noise, as Markdown."""
    groups: dict[tuple[str, float, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups["all", row["noise"], "all"].append(row)
        groups[row["set"], row["noise"], "all"].append(row)
        groups["all", row["noise"], str(row["screens"])].append(row)
    lines = [
        "| set | wrong | screens | figure | known | held of 90 % | held of 95 % | width | off by | value - truth |"
    ]
    lines.append("|---" * 10 + "|")
    for (name, noise, screens), some in sorted(groups.items(), key=str):
        about = f"| {name} | {100 * noise:.0f} % | {screens}"
        lines += [f"{about} | {figure} | {_cells([one[figure] for one in some])} |" for figure in FIGURES]
    return "\n".join(lines)


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


def logs(given: argparse.Namespace) -> list[tuple[str, float, int]]:
    """Set, noise and seed of every log, seed by seed."""
    return [(name, noise, seed) for seed in range(given.seeds) for name in given.sets for noise in given.noise]


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """What both benchmarks of the Quality screen are told."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["digits", "trashnet", "fashion"])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.1])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--items", type=int, default=700, help="items of a set that one seed sees")
    parser.add_argument("--logs", type=Path, default=sets.CACHE / "quality", help="where played logs are kept")
    parser.add_argument("--features", type=Path, help="folder with NAME.npz features of photographs")
    parser.add_argument("--table", action="store_true", help="print what was measured, measure nothing")
    return parser


def main() -> None:
    given = arguments(__doc__).parse_args()
    rows = kept(FILE)
    if given.table:
        print(table(rows))
        return
    done, data = {(row["set"], row["noise"], row["seed"], row["screens"]) for row in rows}, {}
    for name, noise, seed in logs(given):
        todo = [screens for screens in SCREENS if (name, noise, seed, screens) not in done]
        if not todo:
            continue
        if name not in data:
            data[name] = sets.load(name, sets.Folders(features=given.features))
        one = log(data[name], noise, seed, max(SCREENS), given.items, given.logs)
        for screens in todo:
            row = {"set": name, "noise": noise, "seed": seed, "screens": screens, **estimated(one, screens)}
            print({key: value for key, value in row.items() if key not in FIGURES}, flush=True)
            with FILE.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()

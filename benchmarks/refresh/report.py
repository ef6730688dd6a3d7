"""docs/benchmarks/refresh.md from the results file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks._runs import Line
from benchmarks.negatives.report import table

HEAD = """# Deep refresh

Made by `python -m benchmarks.refresh report` from `benchmarks/results/refresh.jsonl`; run with
`python -m benchmarks.refresh run --archives FOLDER`.

One run is the product itself: a workspace with the first {items} pictures of the shuffled set, {answers} scripted,
truthful answers in its log, then `app.refresh` with its defaults. 30 % of the items are never asked about; *pair F1* is
the best one over all pairs of these. *Head alone*: a head taught all answers on the pretrained features, as the online
loop serves it. *Refreshed*: the version that the refresh made. *Judged*: what the refresh itself read off its own held
answers before it decided. *CPU* is processor time of the refresh, one thread. Machine: {machine}, {dates}.
"""


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/refresh.md."""
    if not lines:
        return "# Deep refresh\n\nNothing measured yet.\n"
    kinds = sorted({(line["set"], line["method"], line["screen"], line["epochs"] or 0) for line in lines})
    one = lines[0]
    dates = sorted({line["date"] for line in lines})
    words = HEAD.format(
        items=one["items"], answers=one["answers"], dates=" to ".join(dict.fromkeys((dates[0], dates[-1]))),
        machine=f"{one['machine']['processors']} cores of {one['machine']['processor']}, shared with other work",
    )  # fmt: skip
    return "\n".join([words, *(_part(lines, *kind) for kind in kinds)])


def _part(lines: Sequence[Line], name: str, method: str, screen: int, epochs: int) -> str:
    """One set under one method."""
    wanted = (name, method, screen, epochs)
    rows = [one for one in lines if (one["set"], one["method"], one["screen"], one["epochs"] or 0) == wanted]
    rows = sorted(rows, key=lambda one: int(one["seed"]))
    gains = np.array([one["refreshed"] - one["head"] for one in rows])
    right = sum(one["served"] == (one["refreshed"] > one["head"]) for one in rows)
    said = (
        f"Better on {int((gains > 0).sum())} of {len(rows)} seeds, by {100 * gains.mean():+.1f} points in the mean; "
        f"the decision was right on {right}."
    )
    how = f"{method}, {'pair verdicts' if screen == 1 else f'screens of up to {screen}'}"
    header = ["seed", "head alone", "refreshed", "judged", "served", "witnesses", "CPU s"]
    cells = [
        [str(one["seed"]), f"{100 * one['head']:.1f}", f"{100 * one['refreshed']:.1f}", _judged(one),
         "yes" if one["served"] else "no", str(one["witnesses"]), f"{one['cpu_s']:.0f}"] for one in rows
    ]  # fmt: skip
    return "\n".join(
        [f"## {name}: {how}{f', {epochs} epochs' if epochs else ''}", "", said, "", table(header, cells), ""]
    )


def _judged(one: Line) -> str:
    if one["judged_before"] is None:
        return "too few"
    return f"{100 * one['judged_before']:.1f} to {100 * one['judged_after']:.1f} ({one['sure']:.0%})"


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks" / "refresh.md").write_text(page(lines), encoding="utf-8")

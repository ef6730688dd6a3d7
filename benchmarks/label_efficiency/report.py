"""docs/benchmarks/label_efficiency.md and its plots, from the results alone: nothing in them is typed by hand."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.label_efficiency import prototype, systems
from benchmarks.label_efficiency.acceptance import ABOVE, BACK, BEHIND, Verdict
from benchmarks.label_efficiency.results import END, Cell, Line, gather

SHOWN = (50, 100, 200, 300, 500)
NAME = "label_efficiency"
PAIRS, SCREENS = "pairs", "screens"

HEAD = """# How good a partition do so many answers buy?

Pairwright and its peers on the same features with the same oracle, which lies about the same pairs whoever asks. ARI
over all items of a system's own partition, mean ± standard deviation over the seeds; each seed sees a random 90 % of a
set. Written by `python -m benchmarks.label_efficiency report` from
[label_efficiency.jsonl](../../benchmarks/results/label_efficiency.jsonl), which holds NMI, pair F1, seconds, machine,
date and package versions too. {made}

    apt-get install dataset-fashion-mnist; pip install -e '.[benchmarks]'
    python -m benchmarks.label_efficiency --sets digits fashion --noise 0 .1 --systems pairs screens cobras
    python -m benchmarks.label_efficiency report

**Ours.** `pairs`: one pair a question, one verdict a screen. `screens`: all kinds of questions, up to twelve candidates
a screen, each verdict wrong on its own; shown by screens and by pair verdicts. `picks`: up to five candidates, answered
at once. Features stay frozen unless it says `+learn`. None is told the number of groups.

**Peers.** `random`, `explore`, `minmax`, `npu`: Random, ExploreConsolidate, MinMax and NPU of PyPI's
`active-semi-supervised-clustering` with its PCKMeans or MPCKMeans. They are told the true number of groups, which is
generous. Their slow loops run on arrays with the same steps and draws. COPKMeans, MPCKMeansMF, MKMeans and RCAKMeans
are not run. `cobras`: the authors' `cobras-ts`, not told the number. `dedupe`: its active learner, classifier, blocking
and clustering on records made of distances and k-means cells; not told the number, and built for many small groups.
`kmeans`: no answer, told the number. A run stopped by the clock keeps what it reached; of one that ended on its own the
last partition stands.
"""

MISSED = """**What is missed, and why.** Truthful answers cost at most {back} ARI over the whole run in
{runs}.
Where they cost more, it is mostly one of the first hundred pair verdicts, or of the first twenty screens: it joins or
parts two whole start clusters, and it is the only thing known about either; later verdicts mend it. On `clothing` start
groups are also read more finely before that helps. Both are the best trades found (docs/why.md, with what was tried and
dropped). On many tiny groups (`fruit_object`, 65) most objects are still unseen after 500 verdicts; what keeps them
apart is that start groups are read more finely as soon as answers call for it, and with wrong answers on screens they
do so too late to reach the best peer. `clothing` (17 kinds) and `alphabet` (8 alphabets of 242 letters) are barely
visible in the features: they need four fifths of the truthful pair verdicts of their best peer, and a tenth of its
screens. Of the prototype's numbers (below) those missed lie within the spread of the seeds, but for the first hundred
verdicts on `parity`. NPU and dedupe take two to fifteen minutes a run: NPU was given one seed on every set with
truthful answers and with one in ten wrong, dedupe one where it has a row.
"""


def write(lines: Sequence[Line], folder: Path, pairs: str = PAIRS, screens: str = SCREENS) -> Path:
    """The page and one plot per set, into `folder`."""
    from benchmarks.label_efficiency import plots

    (folder / NAME).mkdir(parents=True, exist_ok=True)
    for name, cells in _by_set(gather(lines)).items():
        plots.draw(cells, folder / NAME / f"{name}.svg", pairs, screens)
    written = folder / f"{NAME}.md"
    written.write_text(page(lines, pairs, screens), encoding="utf-8")
    return written


def page(lines: Sequence[Line], pairs: str = PAIRS, screens: str = SCREENS) -> str:
    """Markdown: what was run, the goals, a section for each set, the times."""
    cells = gather(lines)
    sections = [_section(name, of) for name, of in _by_set(cells).items()]
    return "\n".join(
        [
            HEAD.format(made=_made(lines)),
            _codes(cells),
            _goals(cells, pairs, screens),
            prototype.section(cells),
            *sections,
            _times(lines),
        ]
    )


def _by_set(cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    return {name: [cell for cell in cells if cell.set == name] for name in dict.fromkeys(cell.set for cell in cells)}


def _made(lines: Sequence[Line]) -> str:
    dates = sorted({line["date"] for line in lines})
    machines = sorted({f"{line['machine']['processors']} x {line['machine']['processor']}" for line in lines})
    span = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    return f"{len(lines)} runs, {span}, on {' and '.join(machines)}."


def _codes(cells: Sequence[Cell]) -> str:
    """Which rows of ours were measured with the newest code, or which were not, whichever are fewer; nothing if all
    were on one day."""
    days = {
        (cell.set, cell.noise, label): max(line["date"] for line in of)
        for cell in cells for label, of in cell.by_system.items() if systems.is_ours(label)
    }  # fmt: skip
    newest = max(days.values(), default="")
    older = [of for of, day in days.items() if day < newest]
    if not older:
        return ""
    span = " to ".join(sorted({min(days[of] for of in older), max(days[of] for of in older)}))
    if 2 * len(older) >= len(days):
        said = f"{newest}, with the code of that day: {_named([of for of in days if of not in older])}. All other rows "
        said += f"of ours: code of {span}."
    else:
        said = f"Code of {span}: {_named(older)}. All other rows of ours: {newest}, with the code of that day."
    return textwrap.fill(f"**Which code.** {said}", 118, break_on_hyphens=False) + "\n"


def _named(of: Sequence[tuple[str, float, str]]) -> str:
    return ", ".join(f"`{label}` on {name} {noise:.0%}" for name, noise, label in of)


def _goals(cells: Sequence[Cell], pairs: str, screens: str) -> str:
    judged = [(cell, verdict) for cell in cells if (verdict := cell.verdict(pairs, screens)) is not None]
    head = ["set", "wrong", "best peer at 500", "its ARI", "our verdicts for that", "our screens for that",
            f"worst deficit above {ABOVE}", "largest drop, truthful"]  # fmt: skip
    rows = [_goal_row(cell, verdict) for cell, verdict in judged]
    return "\n".join([
        "## The goals", "",
        "Verdicts and screens are shares of the peer's 500 (at most 50 % and 20 %), by lines between the mean\n"
        "ARI at the checkpoints. Worst deficit: the furthest any peer is ahead of\n"
        f"`{pairs}` at the same number of verdicts (at most {BEHIND}). Largest drop: the most a run with truthful\n"
        f"answers fell back, worst seed of `{pairs}` and `{screens}`, every ten screens (at most {BACK}).", "",
        table(head, rows), "", *_totals(judged), "", _missed(cells, pairs, screens),
    ])  # fmt: skip


def _missed(cells: Sequence[Cell], pairs: str, screens: str) -> str:
    """Which goals are missed, and why."""
    kept = {label: [drop <= BACK for cell in cells for drop in cell.drops(label)] for label in (pairs, screens)}
    if not all(kept.values()):
        return ""
    runs = [f"{sum(of)} of {len(of)} runs of `{label}`" for label, of in kept.items()]
    return MISSED.format(runs=" and ".join(runs), back=BACK)


def _goal_row(cell: Cell, verdict: Verdict) -> list[str]:
    deficit = "-" if verdict.deficit is None or verdict.deficit_at is None else (
        f"{verdict.deficit:+.3f} at {verdict.deficit_at}{_mark(verdict.never_behind)}")  # fmt: skip
    drop = "-" if verdict.drop is None else f"{verdict.drop:.3f}{_mark(verdict.never_back)}"
    return [
        cell.set, f"{cell.noise:.0%}", verdict.peer, f"{verdict.level:.3f}",
        _share(verdict.verdicts) + _mark(verdict.few_verdicts), _share(verdict.screens) + _mark(verdict.few_screens),
        deficit, drop,
    ]  # fmt: skip


def _totals(judged: Sequence[tuple[Cell, Verdict]]) -> list[str]:
    """How many sets meet each goal, by noise."""
    lines = []
    for noise in sorted({cell.noise for cell, _ in judged}):
        verdicts = [verdict for cell, verdict in judged if cell.noise == noise]
        counts = [
            f"{title} {sum(value is True for value in met)} of {sum(value is not None for value in met)}"
            for title, met in (
                ("few verdicts on", [v.few_verdicts for v in verdicts]),
                ("few screens on", [v.few_screens for v in verdicts]),
                ("never behind on", [v.never_behind for v in verdicts]),
                ("never back on", [v.never_back for v in verdicts]),
            )
            if any(value is not None for value in met)
        ]
        if counts:
            lines.append(f"- {noise:.0%} wrong: {', '.join(counts)} sets.")
    return lines


def _section(name: str, cells: Sequence[Cell]) -> str:
    some = next(iter(cells[0].by_system.values()))[0]
    parts = [f"## {name}", "", f"{some['items']:,} items a seed, {some['groups']} groups.", "",
             f"![ARI by effort on {name}]({NAME}/{name}.svg)", ""]  # fmt: skip
    for cell in cells:
        parts += [f"{cell.noise:.0%} wrong:", "", table(["system", "seeds", *map(str, SHOWN)], _rows(cell)), ""]
    return "\n".join(parts)


def _rows(cell: Cell) -> list[list[str]]:
    """Ours first, then the peers from the best to the worst at the end."""
    ours = [label for label in cell.by_system if systems.is_ours(label)]
    others = [label for label in cell.by_system if label not in ours]
    others.sort(key=lambda label: -cell.curve(label, "verdicts").get(END, -1.0))
    rows = []
    for label in ours:
        units = ["verdicts"] if label.startswith(PAIRS) else ["screens", "verdicts"]
        rows += [_row(cell, label, unit, f"**{label}**" + (f", by {unit}" if len(units) > 1 else "")) for unit in units]
    return rows + [_row(cell, label, "verdicts", label) for label in others]


def _row(cell: Cell, label: str, unit: str, title: str) -> list[str]:
    spread, seeds = cell.spread(label, unit), len(cell.by_system[label])
    found = [spread.get(point) for point in SHOWN]
    heights = [
        "-" if of is None else f"{of[0]:.3f} ± {of[1]:.3f}" + ("" if of[2] == seeds else f" ({of[2]})") for of in found
    ]
    return [title, str(seeds), *heights]


def _times(lines: Sequence[Line]) -> str:
    seconds: dict[str, list[float]] = {}
    for line in lines:
        seconds.setdefault(line["label"], []).append(line["seconds"])
    stopped = {label: sum(bool(line["note"]) for line in lines if line["label"] == label) for label in seconds}
    rows = [[label, str(len(of)), f"{np.median(of):.0f}", f"{max(of):.0f}", str(stopped[label])]
            for label, of in sorted(seconds.items())]  # fmt: skip
    head = ["system", "runs", "median s", "longest s", "stopped by the clock"]
    return "\n".join(
        ["## Time of a run", "", "One process on a machine shared with others.", "", table(head, rows), ""]
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share(value: float | None) -> str:
    if value is None:
        return "-"
    return "never" if math.isinf(value) else f"{value:.0%}"


def _mark(met: bool | None) -> str:
    return "" if met is None else " ✓" if met else " ✗"

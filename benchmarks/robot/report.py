"""docs/benchmarks/robot.md and its plot from the results file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._runs import Line
from benchmarks.negatives.report import table
from benchmarks.robot.peers import PEERS
from benchmarks.robot.sets import HELD, SETS, VIEWS
from benchmarks.robot.trial import JUDGED, PASSIVE

NAMES = ("ours", *PEERS)
COLOURS = {"ours": "#c2410c", "class mean": "#1d4ed8", "kNN": "#7c3aed", "linear probe": "#4b5563"}
PLOT = "robot.svg"
BINS = {"trashnet": "material", "clothing": "type", "fruits_multi": "fruit"}
GHOSE = {
    "raw": "frozen features",
    "human": "human loss alone",
    "contrastive": "contrastive clustering (instance and cluster loss)",
    "ghose": "Ghose et al. (instance, cluster and human loss)",
    "picking": "ours, one bin (`oracle.picking`)",
    "sorter": "ours, all pools as bins of one session (`oracle.sorting`)",
}
HEAD = """# Sorting by a robot

Made by `python -m benchmarks.robot report` from `benchmarks/results/robot.jsonl`; run with `python -m
benchmarks.robot run --archives FOLDER`. Machine: {machine}, {dates}.

## From placements alone

Things come by one at a time, each with up to {views} views; {held:.0%} of the things are held out as wholes. The
robot sees a thing, and a person places it if the robot asks, or unasked for {passive:.0%} of the rest. Nothing
negative is ever said, and of what nobody places nothing is known. *Accuracy* is the share of held-out things that
would go into the right bin, all views pooled. The others learn from the very same placements of the very same raw
features, and pool views too: nearest class mean (cosine), 5 nearest neighbours, logistic regression as scikit-learn
sets it.

The sorter's penalty and the prior weights of its experts, the same for all sets, were chosen by looking at held-out
things of trashnet and fruits under such splits, so its figures there flatter it a little; clothing only helped decide
what to leave out. The others stand at their usual settings.

![Sorting accuracy and questions by share of the stream]({plot})

After {judged:.0%} of the stream:
"""
FULL = """
## Against full labels

The same model after {judged:.0%} of the stream, with placements alone, against itself with a label on every thing: of
the same {judged:.0%}, and of the whole stream. The goal is 90 %. Of fruits, {judged:.0%} of the stream are {early}
things and the whole is {fruits}: the second comparison says more about that than about placements.
"""
SURE = """
## How sure, and how often it asks

*Confidence* is its mean over held-out things and should equal the accuracy. *Alone*: the share that it would sort
without asking (a question costs 4 s, a mistake 20 s), and how many of these go right. *Asked*: questions by then.
"""
LATENCY = """
## How long an answer takes

Beyond the backbone's own time: the whole way of an observation through session, log and sorter to its stored reply
(`app.robots`), and of a placement, on SQLite, one thread, every thing placed. By the clock, on a machine with the load
given (waiting processes), and in processor time. Goal: 95 % of observations within 150 ms.
"""
PROTOCOL = """
## The protocol of Ghose et al. (2023)

Three random pools of 40 positives per category; a candidate scores the mean of its five highest cosines with the
pool; F1 at the best threshold, mean over categories and pools. Theirs: ten categories, 1,502 crops from a belt,
which are not public. Here: {items} pictures of TrashNet, six categories, heads on frozen features
(`benchmarks/robot/ghose.py` says what differs). What they report: the human loss alone is poor, with the instance
loss alone it does not help, all three beat contrastive clustering by 4.93 % on average; online, with 10 to 30
picked things, F1 between .65 and .85. Theirs are
figures of other pictures; what can be compared is the order of the systems.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page and its plot."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "robot.md").write_text(page(lines), encoding="utf-8")
    if any(one["what"] == "sorting" for one in lines):
        draw(_sorting(lines), docs / "benchmarks" / PLOT)


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/robot.md."""
    found = _sorting(lines)
    if not found:
        return "# Sorting by a robot\n\nNothing measured yet.\n"
    dates, one = sorted({line["date"] for line in lines}), lines[0]["machine"]
    facts = {"views": VIEWS, "held": HELD, "passive": PASSIVE, "judged": JUDGED, "plot": PLOT}
    facts |= {"machine": f"{one['processors']} cores of {one['processor']}, shared with other work"}
    facts |= {"dates": " to ".join(dict.fromkeys((dates[0], dates[-1])))}
    parts = [HEAD.format(**facts), _against_peers(found)]
    fruits = next((rows[0]["things"] for name, rows in found.items() if name == "fruits_multi"), 0)
    words = FULL.format(judged=JUDGED, fruits=fruits, early=round(JUDGED * fruits))
    parts += [words, _against_full(found), SURE, _how_sure(found)]
    if timed := [line for line in lines if line["what"] == "latency"]:
        parts += [LATENCY, _latency(timed)]
    if pools := [line for line in lines if line["what"] == "ghose"]:
        parts += [PROTOCOL.format(items=pools[0]["items"]), _protocol(pools)]
    return "\n".join(parts).rstrip() + "\n"


def _sorting(lines: Sequence[Line]) -> dict[str, list[Line]]:
    return {
        name: rows
        for name in SETS
        if (rows := [line for line in lines if line["what"] == "sorting" and line["set"] == name])
    }


def _at(rows: Sequence[Line], what: str, share: float = JUDGED) -> np.ndarray:
    """(seeds,) a figure at a share of the stream."""
    return np.array([next(point[what] for point in row["curve"] if point["share"] == share) for row in rows])


def _percent(values: np.ndarray) -> str:
    spread = np.nanstd(values, ddof=1) if len(values) > 1 else 0.0
    return f"{100 * np.nanmean(values):.1f} ± {100 * spread:.1f}"


def _against_peers(found: dict[str, list[Line]]) -> str:
    body = []
    for name, rows in found.items():
        ours = _at(rows, "ours")
        beaten = [peer for peer in PEERS if ours.mean() > _at(rows, peer).mean()]
        body.append([
            f"{name}, {BINS[name]} ({rows[0]['bins']} bins)", str(len(rows)),
            f"{rows[0]['things']}, {rows[0]['held']} held",
            *(_percent(_at(rows, one)) for one in NAMES), f"{len(beaten)} of {len(PEERS)}",
        ])  # fmt: skip
    return table(["set", "seeds", "things", *NAMES, "beaten by ours"], body)


def _against_full(found: dict[str, list[Line]]) -> str:
    body = []
    for name, rows in found.items():
        ours, same, whole = (
            _at(rows, "ours"), np.array([row["full_same"] for row in rows]), np.array([row["full"] for row in rows])
        )  # fmt: skip
        body.append([
            name, _percent(ours), _percent(same), f"{100 * ours.mean() / same.mean():.1f} %", _percent(whole),
            f"{100 * ours.mean() / whole.mean():.1f} %",
        ])  # fmt: skip
    header = ["set", "placements alone", "labels on the same things", "share", "labels on the whole stream", "share"]
    return table(header, body)


def _how_sure(found: dict[str, list[Line]]) -> str:
    body = [
        [
            name, _percent(_at(rows, "ours")), _percent(_at(rows, "confidence")), _percent(_at(rows, "alone")),
            _percent(_at(rows, "alone_right")),
            f"{_at(rows, 'asked').mean():.0f} of {_at(rows, 'seen').mean():.0f}",
            f"{_at(rows, 'asked', 1.0).mean():.0f} of {_at(rows, 'seen', 1.0).mean():.0f}",
        ]
        for name, rows in found.items()
    ]  # fmt: skip
    header = ["set", "accuracy", "confidence", "alone", "right alone", f"asked by {JUDGED:.0%}", "asked in all"]
    return table(header, body)


def _latency(lines: Sequence[Line]) -> str:
    header = ["set", "what", "times", "p50", "p95", "p99", "processor p50", "p95", "p99", "load"]
    body = [
        [
            line["set"], what, str(line["looks"] if key == "look" else line["puts"]),
            *(f"{line[f'{key}{kind}_p{at}_ms']:.0f} ms" for kind in ("", "_cpu") for at in (50, 95, 99)),
            f"{line['machine']['load']:.1f}",
        ]
        for line in lines
        for key, what in (("look", "observation"), ("put", "placement"))
    ]  # fmt: skip
    return table(header, body)


def _protocol(lines: Sequence[Line]) -> str:
    body = [[words, _percent(np.array([line["f1"][name] for line in lines]))] for name, words in GHOSE.items()]
    return table(["system", "F1"], body)


def draw(found: dict[str, list[Line]], path: Path) -> None:
    """Write the plot as SVG; the same results give the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "pairwright", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(2.9 * len(found) + 0.4, 4.4), layout="constrained")
        axes = figure.subplots(2, len(found), squeeze=False, sharex=True)
        for (name, rows), above, below in zip(found.items(), axes[0], axes[1], strict=True):
            _accuracy(above, name, rows)
            _questions(below, rows)
        axes[0][0].set_ylabel("accuracy on held-out things")
        axes[1][0].set_ylabel("questions per thing seen")
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _shares(rows: Sequence[Line]) -> list[float]:
    return [point["share"] for point in rows[0]["curve"]]


def _accuracy(axis: Any, name: str, rows: Sequence[Line]) -> None:
    shares = _shares(rows)
    for one in NAMES:
        means = [float(_at(rows, one, share).mean()) for share in shares]
        axis.plot(shares, means, color=COLOURS[one], lw=1.8 if one == "ours" else 1.1, label=one)
    full = float(np.mean([row["full"] for row in rows]))
    axis.axhline(full, color=COLOURS["ours"], ls=":", lw=1)
    axis.axhline(0.9 * full, color="#9ca3af", ls="--", lw=0.8)
    axis.set(title=f"{name}: {BINS[name]}", ylim=(None, 1))
    axis.grid(alpha=0.2)
    axis.legend(
        fontsize=6, frameon=False, loc="lower right", title="dotted: full labels; dashed: 90 % of it", title_fontsize=5
    )


def _questions(axis: Any, rows: Sequence[Line]) -> None:
    shares = _shares(rows)
    axis.plot(
        shares,
        [float((_at(rows, "asked", one) / _at(rows, "seen", one)).mean()) for one in shares],
        color=COLOURS["ours"],
    )
    axis.set(xlabel="share of the stream seen", ylim=(0, 1.02), xlim=(0, 1))
    axis.grid(alpha=0.2)

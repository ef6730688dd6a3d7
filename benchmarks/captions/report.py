"""docs/benchmarks/captions.md from the results file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks._runs import Line
from benchmarks.captions.trial import RANDOM, RECALLS
from benchmarks.negatives.report import table

HEAD = """# Captions

Made by `python -m benchmarks.captions report` from `benchmarks/results/captions.jsonl`.

How many answers does it take to find the captions that do not belong? A fifth of the captions of each set was dealt to
other pictures of it; the oracle is asked about one picture with its caption at a time, by the default rule (suspicious
ones first, one in ten drawn by chance) over the chances of `trainer/captions.py`, scored anew every 100 answers, five
questions put at once. *By chance* is random review: everything once in random order, then, where answers are wrong,
once more. A misaligned caption counts as found while the answers that stand reject it. With wrong answers three
annotators take turns, each wrong so often, independently. Neither place nor time columns are used. Mean over the seeds;
in brackets: share of the answers that random review needed with the same seeds; *-*: not reached within two answers per
caption. *Precision before*: of as many of the most suspicious captions as there are misaligned ones, before any answer.
*Stop*: answers when the advice to stop came, and the share that had been found by then.

`openmoji` is the hard case: nearly every name is a word of its own, so other pairs teach little about it.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "captions.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/captions.md."""
    sets = list(dict.fromkeys(line["set"] for line in lines))
    return "\n".join([HEAD, *(_set(name, lines) for name in sets), _verdict(lines), _machine(lines)])


def _set(name: str, lines: Sequence[Line]) -> str:
    here = [line for line in lines if line["set"] == name]
    head = [
        "system",
        "wrong answers",
        "seeds",
        "precision before",
        *(f"recall {one:g}" for one in RECALLS),
        "stop",
        "CPU",
    ]
    kinds = sorted({(line["noise"], line["system"] != RANDOM, line["system"]) for line in here})
    rows = [_row([line for line in here if (line["noise"], line["system"]) == (noise, system)], here)
            for noise, _, system in kinds]  # fmt: skip
    about = f"{here[0]['captions']} captions, about {np.mean([line['wrong'] for line in here]):.0f} of them misaligned."
    return f"## {name}\n\n{about}\n\n{table(head, rows)}\n"


def _row(runs: Sequence[Line], here: Sequence[Line]) -> list[str]:
    one = runs[0]
    before = [line["precision_before"] for line in runs if line["precision_before"] is not None]
    title = "by chance" if one["system"] == RANDOM else f"`{one['system']}`"
    cells = [title, f"{100 * one['noise']:.0f} %", str(len(runs)), f"{100 * np.mean(before):.0f} %" if before else "-"]
    for recall in RECALLS:
        share = shares(one["system"], one["noise"], recall, here)
        cells.append(_answers(runs, recall) + (f" ({100 * np.mean(share):.0f} %)" if share and before else ""))
    stops = [line["advice"] for line in runs if line["advice"]]
    stop = "-"
    if stops:
        answers, found = (np.mean([each[key] for each in stops]) for key in ("answers", "recall"))
        stop = f"{answers:.0f}, {100 * found:.0f} % found"
    return [*cells, stop, f"{np.mean([line['cpu_s'] for line in runs]):.0f} s"]


def _answers(runs: Sequence[Line], recall: float) -> str:
    known = [line["answers"][str(recall)] for line in runs]
    return "-" if None in known else f"{np.mean(known):.0f}"


def shares(system: str, noise: float, recall: float, here: Sequence[Line]) -> list[float]:
    """Answers needed over those of random review, seed by seed, where both got there."""
    base = {
        line["seed"]: line["answers"][str(recall)]
        for line in here
        if (line["system"], line["noise"]) == (RANDOM, noise)
    }
    ours = [line for line in here if (line["system"], line["noise"]) == (system, noise)]
    both = [(line["answers"][str(recall)], base.get(line["seed"])) for line in ours]
    return [mine / theirs for mine, theirs in both if mine and theirs]


def _verdict(lines: Sequence[Line]) -> str:
    """Where half the answers of random review are enough, and where not, counted."""
    kept, missed = [], []
    for name, system, noise in sorted(
        {(one["set"], one["system"], one["noise"]) for one in lines if one["system"] != RANDOM}
    ):
        here = [line for line in lines if line["set"] == name]
        for recall in RECALLS:
            found = shares(system, noise, recall, here)
            if found:
                where = (
                    f"`{system}` on {name}, {100 * noise:.0f} % wrong, recall {recall:g} ({100 * np.mean(found):.0f} %)"
                )
                (kept if np.mean(found) <= 0.5 else missed).append(where)
    said = f"At most half the answers of random review are enough in {len(kept)} of {len(kept) + len(missed)} cases."
    return f"## In words\n\n{said} More were needed: {'; '.join(missed) or 'nowhere'}.\n"


def _machine(lines: Sequence[Line]) -> str:
    found = lines[-1]["machine"]
    dates = sorted({line["date"] for line in lines})
    return f"Measured on {found['processors']} shared cores ({found['processor']}), {dates[0]} to {dates[-1]}.\n"

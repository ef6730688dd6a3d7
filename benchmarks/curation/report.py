"""docs/benchmarks/curation.md from the results file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks._runs import Line
from benchmarks.curation.sets import ASKED, CONFIRMED, NOISES, WRONG
from benchmarks.negatives.report import table

BASE = "clip"
SYSTEMS = {
    "swapped": (BASE, "jest", "jest:selector.form=sigmoid", "acid", "aced", "cit", "cupid"),
    "off": (BASE, "jest", "acid", "cit", "cupid"),
}
BAR = 8.0  # points over no selection that learnability must reach, where words are swapped
TOLD = {"swapped": "the word of another digit", "off": "words that name no digit"}
HEAD = f"""# Curation in training

Made by `python -m benchmarks.curation report` from `benchmarks/results/curation.jsonl`.

Scikit-learn's digits, 16 pixels a side, each beside the word for it, and {WRONG:.0%} of the words are wrong.
{CONFIRMED} right ones are confirmed, nothing else is known. Every system trains the same small network from the same
start for as many steps on batches of 64; all but `{BASE}` choose each batch from a super-batch of 320. *Zero-shot*: of
{ASKED} digits that were not trained on, how many are nearest to the right of ten words; *gain*: points over `{BASE}`
with the same seed. *Wrong chosen*: share of wrong captions in the batches. *Doubt*: how well what the run doubts tells
wrong captions from right ones (AUC, over pairs that nobody confirmed), and how many of the first hundred are wrong.
Mean ± standard deviation over the seeds, per cent. *Time*: processor time of the run, of which the reference model is a
part.
"""
NOTE = f"""`cit` and `cupid` look at words alone: a caption that names the wrong digit is as near to a class as a right
one, so they cannot help where words are swapped. Class names for `cit` are the ten words, the target domain of `cupid`
the {CONFIRMED} confirmed pairs; words are read by their letters.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "curation.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/curation.md."""
    parts = [HEAD, *(_noise(noise, lines) for noise in NOISES if any(line["noise"] == noise for line in lines))]
    return "\n".join([*parts, NOTE, bar(lines), _machine(lines)])


def _noise(noise: str, lines: Sequence[Line]) -> str:
    here = [line for line in lines if line["noise"] == noise]
    known = [system for system in SYSTEMS[noise] if any(line["system"] == system for line in here)]
    head = [
        "system",
        "seeds",
        "zero-shot",
        "gain",
        "wrong chosen",
        "doubt: AUC",
        "of the first 100",
        "time",
        "reference",
    ]
    rows = [_row(system, here) for system in known]
    return f"## Wrong: {TOLD[noise]}\n\n{here[0]['steps']} steps.\n\n{table(head, rows)}\n"


def _row(system: str, here: Sequence[Line]) -> list[str]:
    runs = [line for line in here if line["system"] == system]
    cells = [f"`{system}`", str(len(runs)), _spread([line["zero_shot"] for line in runs])]
    cells.append(_spread(gains(system, here), "+"))
    cells += [_spread([line[key] for line in runs if key in line]) for key in ("wrong_chosen", "auc", "first")]
    return [*cells, *(f"{np.mean([line[key] for line in runs]):.1f} s" for key in ("train_s", "reference_s"))]


def gains(system: str, here: Sequence[Line]) -> list[float]:
    """Differences in zero-shot accuracy of runs from the same seed."""
    base = {line["seed"]: line["zero_shot"] for line in here if line["system"] == BASE}
    ours = [line for line in here if line["system"] == system and line["seed"] in base]
    return [] if system == BASE else [line["zero_shot"] - base[line["seed"]] for line in ours]


def bar(lines: Sequence[Line]) -> str:
    """Whether learnability reaches its bar."""
    here, told = [line for line in lines if line["noise"] == "swapped"], []
    for system in SYSTEMS["swapped"][1:3]:
        found = gains(system, here)
        if found:
            mean = 100 * float(np.mean(found))
            told.append(f"`{system}` {'met' if mean >= BAR else 'missed'} ({mean:+.1f})")
    return f"The bar, {BAR:.0f} points over no selection: {', '.join(told) or 'nothing measured yet'}.\n"


def _machine(lines: Sequence[Line]) -> str:
    found = sorted({f"{line['machine']['processor']}, {line['date']}" for line in lines if "machine" in line})
    return f"Measured on: {'; '.join(found) or 'nothing yet'}.\n"


def _spread(found: Sequence[float], sign: str = "") -> str:
    if not found:
        return "-"
    text = format(100 * float(np.mean(found)), f"{sign}.1f")
    return text + (f" ± {100 * np.std(found):.1f}" if len(found) > 1 else "")

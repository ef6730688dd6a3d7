"""docs/benchmarks/synthetic.md from the results file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks._runs import Line
from benchmarks.negatives.report import table
from benchmarks.synthetic.heard import LEFT, SETTINGS, SIZES, TAUGHT
from benchmarks.synthetic.trial import BATCH, EPOCHS, GENERATORS, SIDE, START

HEAD = f"""# Synthetic positives

Made by `python -m benchmarks.synthetic report` from `benchmarks/results/synthetic.jsonl`.

Is what a generator makes of a picture of its class, and does training beside it help? 2,000 pictures of Fashion-MNIST
at {SIDE} pixels, ten classes; the generators learn from these alone, about a minute on one core. The scripted oracle
accepts a picture where the 20 real ones nearest to it vote for its anchor's class, by the features of a network that
SimCLR taught without labels; by chance it would accept 10 %. `clsp:w=1` is the plain generator, which hears no anchor.
*apart*: mean distance of two candidates of one anchor, per cent of the range. Then the small network trains {EPOCHS}
epochs of {BATCH} from the same start; *kNN*: 20 neighbours, on 2,000 test pictures; *gain*: points over `simclr` with
the same seed. `all` is without an oracle. Times are processor time.

These are short runs: a sixth and less of the generators' default steps, which is far too little for a diffusion model,
and a training in which SimCLR itself gains little. They say that the parts work together, not what longer runs give.
"""

SOUNDS = f"""## Pictures made of sounds

AudioToken (`python -m benchmarks.synthetic heard`) on handwritten digits beside spoken ones, by the commands of a user.
It learns from {TAUGHT:,} pictures at {SETTINGS["side"]} pixels whose digit it is told; {SIZES["taught"]} of them have
a recording, too. What it then makes of recordings is read by a vote of the 5 nearest of {LEFT} pictures that taught it
nothing. How many per cent are read as the digit that was said, and as the digit that another recording said:
"""
PARTS = {
    "taught": "it learnt from", "unheard": "new, of the speakers it heard", "strange": "new, of two other speakers"
}  # fmt: skip


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "synthetic.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/synthetic.md."""
    parts = [HEAD, _generators(lines), _training(lines), _words(lines), _sounds(lines)]
    return "\n".join(part for part in parts if part)


def _of(lines: Sequence[Line], experiment: str, system: str) -> list[Line]:
    return [line for line in lines if (line["experiment"], line["system"]) == (experiment, system)]


def _generators(lines: Sequence[Line]) -> str:
    rows = []
    for name in GENERATORS:
        if runs := _of(lines, "generate", name):
            cells = [_spread([line["accepted"] for line in runs]), _spread([line["apart"] for line in runs])]
            times = [f"{np.mean([line[key] for line in runs]):.0f} s" for key in ("learn_s", "make_s")]
            made = sum(line["pictures"] for line in runs)
            rows.append([f"`{name}`", str(len(runs)), str(runs[0]["steps"]), str(made), *cells, *times])
    head = ["generator", "seeds", "steps", "pictures", "accepted", "apart", "learning", "making"]
    return f"## What is made\n\n{table(head, rows)}\n" if rows else ""


def _training(lines: Sequence[Line]) -> str:
    systems = list(dict.fromkeys(line["system"] for line in lines if line["experiment"] == "train"))
    base = {line["seed"]: line["knn"] for line in _of(lines, "train", "simclr")}
    rows = []
    for name in systems:
        runs = _of(lines, "train", name)
        gains = [line["knn"] - base[line["seed"]] for line in runs if line["seed"] in base]
        gain = "-" if name in (START, "simclr") else _spread(gains, "+")
        made = f"{np.mean([line['synthetic'] for line in runs]):.0f}"
        spent = f"{np.mean([line['train_s'] for line in runs]):.0f} s"
        rows.append([f"`{name}`", str(len(runs)), made, _spread([line["knn"] for line in runs]), gain, spent])
    head = ["system", "seeds", "synthetic pictures", "kNN", "gain", "time"]
    return f"## What it is worth\n\n{table(head, rows)}\n" if rows else ""


def _words(lines: Sequence[Line]) -> str:
    """The bars, each met or missed."""
    said = []
    for line in (line for line in lines if line["experiment"] == "plain"):
        words = "is bit for bit the plain generator" if line["equal"] else "is NOT the plain generator"
        said.append(f"- CLSP with weight 1 {words} (seed {line['seed']}).")
    for line in _of(lines, "generate", "wu"):
        early, last = line["early"].get("similarity"), line["last"].get("similarity")
        if early is not None and last is not None:
            way = "falls" if last < early else "does not fall"
            said.append(f"- Wu's pairs: their similarity {way}, from {early:.3f} to {last:.3f} (seed {line['seed']}).")
    start = {line["seed"]: line["knn"] for line in _of(lines, "train", START)}
    barred = ("clsp:clsp:accepted", "wu:wu:accepted", "interpolate")
    others = [line["system"] for line in lines if line["experiment"] == "train" and _plain(line["system"]) in barred]
    for name in dict.fromkeys([*barred, *others]):
        for line in _of(lines, "train", name):
            if line["seed"] in start:
                over = 100 * (line["knn"] - start[line["seed"]])
                met = "met" if over >= 1 else "missed"
                said.append(f"- `{name}` is {over:+.1f} points over the untrained network: bar of +1 {met}.")
    if said and max(sum(line["system"] == name for line in lines) for name in (START, "simclr")) < 2:
        said.append("- One seed: no gain over `simclr` here can be told from noise.")
    return "## In words\n\n" + "\n".join(said) + "\n" if said else ""


def _plain(system: str) -> str:
    """The name without settings."""
    method, _, rest = system.partition(":")
    return ":".join([method.partition("@")[0], *([rest] if rest else [])])


def _sounds(lines: Sequence[Line]) -> str:
    """Whether pictures follow sounds."""
    if not (runs := _of(lines, "heard", "audiotoken")):
        return ""
    rows = []
    for part, words in PARTS.items():
        found = [line[part] for line in runs]
        cells = [_spread([one[key] for one in found]) for key in ("right", "shuffled")]
        rows.append([words, str(len(runs)), str(sum(one["pictures"] for one in found)), *cells])
    steps, spent = runs[0]["steps"], np.mean([line["make_s"] for line in runs])
    after = (
        f"\n{steps} steps and all pictures took {spent:.0f} s of processor time a seed. The reader reads "
        f"{_spread([line['reader'] for line in runs])} % of the real pictures right,\nwhich is as much as what is made "
        f"can have.\n{_dated(runs)}\n"
    )
    head = ["recordings", "seeds", "pictures", "read as what was said", "as what another said"]
    return f"{SOUNDS}\n{table(head, rows)}\n{after}"


def _dated(runs: Sequence[Line]) -> str:
    """Where and when."""
    said = {f"{one['machine']['processor']}, {one['machine']['processors']} processors, {one['date']}" for one in runs}
    seeds = ", ".join(str(line["seed"]) for line in runs)
    return f"Seed{'s' if len(runs) > 1 else ''} {seeds}; {'; '.join(sorted(said))}."


def _spread(found: Sequence[float], sign: str = "") -> str:
    if not found:
        return "-"
    text = format(100 * float(np.mean(found)), f"{sign}.1f")
    return text + (f" ± {100 * np.std(found):.1f}" if len(found) > 1 else "")

"""docs/benchmarks/spoken.md from the results file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks._runs import Line
from benchmarks.negatives.report import table
from benchmarks.spoken.trial import START

SYSTEMS = ("clip", "align", "cloob", "clap", "audioclip", "wav2clip", "avid", "avid_cma", "xdc")
FIGURES = {
    "zero_shot_pictures": "picture: word", "zero_shot_recordings": "recording: word",
    "zero_shot_new_speakers": "new speaker: word", "r_at_1": "picture: recording", "knn_pictures": "kNN pictures",
    "knn_recordings": "kNN recordings", "knn_new_speakers": "kNN new speakers",
}  # fmt: skip
ZERO_SHOT, RETRIEVED, RISE = 0.80, 0.40, 0.08
HEAD = """# Digits written, spoken and named

Made by `python -m benchmarks.spoken report` from `benchmarks/results/spoken.jsonl`; run with
`python -m benchmarks.spoken run --archives FOLDER`, where FOLDER has `fsdd_audio.zip` (Free Spoken Digit Dataset).

1,000 pictures of scikit-learn's digits, each with its word as caption and a recording of the same digit beside it,
drawn by the seed; 300 steps of 100 with AdamW at 3e-3, one processor thread, the small network from its random start,
words read by `ngrams`, recordings by `logmel`, both frozen. Rows with `sound=spectrogram`, `tower=subwords` or
`words.train=true` train that tower, too, from its own start; `tower=minilm` alone is frozen. Asked about: 797 other
pictures; other recordings of the four speakers trained on; all 1,000 recordings of two speakers that were not. Per
cent, mean ± standard deviation over the seeds. *Word*: the nearest of the ten words is the right one (chance: 10).
*Picture: recording*: the nearest recording says that digit (chance: 10). *kNN*: 20 neighbours among what was trained
on. *Time*: processor time of the training. `start` is `audioclip` before its first step, with the tower of its row.

The bars: 80 for words, of pictures and of recordings of the speakers trained on, where a system compares them; 40 for
recordings found by `avid` and `avid_cma`; 8 points over the start with the same tower for kNN of recordings by `xdc`.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "spoken.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/spoken.md."""
    names = dict.fromkeys([START, *SYSTEMS, *(line["system"] for line in lines)])
    known = [name for name in names if any(line["system"] == name for line in lines)]
    if START not in known:
        return f"{HEAD}\nNothing measured yet.\n"
    rows = [_row(name, lines) for name in known]
    return f"{HEAD}\n{table(['system', 'seeds', *FIGURES.values(), 'time'], rows)}\n\n{verdict(lines)}\n"


def _row(name: str, lines: Sequence[Line]) -> list[str]:
    runs = [line for line in lines if line["system"] == name]
    cells = [_spread([line[figure] for line in runs if figure in line]) for figure in FIGURES]
    return [f"`{name}`", str(len(runs)), *cells, f"{np.mean([line['train_s'] for line in runs]):.0f} s"]


def verdict(lines: Sequence[Line]) -> str:
    """Which bars are met and which missed, by the mean over the seeds."""
    said: dict[bool, list[str]] = {True: [], False: []}
    names = dict.fromkeys([*SYSTEMS, *(line["system"] for line in lines)])
    for name in (one for one in names if kind(one) != START and any(line["system"] == one for line in lines)):
        found, seeds = means(name, lines), {line["seed"] for line in lines if line["system"] == name}
        start = means(start_of(name), [line for line in lines if line["seed"] in seeds])
        for figure, bar in bars(kind(name), start).items():
            if figure in found:
                said[found[figure] >= bar].append(
                    f"`{name}` {FIGURES[figure]} {100 * found[figure]:.1f} (bar {100 * bar:.1f})"
                )
    return f"- Met: {', '.join(said[True]) or 'none'}.\n- Missed: {', '.join(said[False]) or 'none'}."


def kind(system: str) -> str:
    """The name without settings."""
    return system.partition(":")[0]


def start_of(system: str) -> str:
    """The start with the same tower of recordings."""
    settings = system.partition(":")[2].split(",")
    return ":".join([START, *(one for one in settings if one.startswith("sound="))])


def bars(name: str, start: Mapping[str, float]) -> dict[str, float]:
    """Figure -> least value."""
    if name == "xdc":
        return {figure: start[figure] + RISE for figure in ("knn_recordings", "knn_new_speakers") if figure in start}
    if name.startswith("avid"):
        return {"r_at_1": RETRIEVED}
    return {"zero_shot_pictures": ZERO_SHOT, "zero_shot_recordings": ZERO_SHOT}


def means(name: str, lines: Sequence[Line]) -> dict[str, float]:
    """Figure -> mean over the seeds."""
    runs = [line for line in lines if line["system"] == name] or [{}]
    return {figure: float(np.mean([line[figure] for line in runs])) for figure in FIGURES if figure in runs[0]}


def _spread(found: Sequence[float]) -> str:
    if not found:
        return "-"
    return f"{100 * np.mean(found):.1f}" + (f" ± {100 * np.std(found):.1f}" if len(found) > 1 else "")

"""docs/benchmarks/fusion.md from the results file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks._runs import Line
from benchmarks.fusion.trial import BATCH, SIDE, SYSTEMS
from benchmarks.negatives.report import table

HEAD = f"""# Pictures and words read together

Made by `python -m benchmarks.fusion report` from `benchmarks/results/fusion.jsonl`; run with
`python -m benchmarks.fusion run`.

Does a network that reads a picture and its caption look at the picture? The pictures are the handwritten digits of
scikit-learn at {SIDE} pixels, the caption of each is the name of its digit. The pictures' network is a small one that
SimCLR taught without any words; it is held still, and four places of its map are what is read. *Told*: share of
digits whose hidden name is the likeliest of all words, for pictures that were not trained on. *Shuffled*: the same with
another picture in the place of each; a network that looks at the picture falls to about 10 %. *Wrong captions*: half of
the captions are changed, and `trainer.pair_scores` says how likely each belongs; area under the curve, 50 is chance.
Mean ± standard deviation over the seeds, per cent. *Time*: processor time of the training, batches of {BATCH}.

These are small networks of random weights with the architecture and the objective of each paper, taught {{taught}}
pairs for {{epochs}} epochs. The figures say that they learn from pictures and words. They are not the papers'
benchmarks, and ten words are far easier than real captions.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "fusion.md").write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/fusion.md."""
    if not lines:
        return "# Pictures and words read together\n\nNothing measured yet.\n"
    said = {name: str(lines[0][name]) for name in ("taught", "epochs")}
    known = [name for name in SYSTEMS if any(line["system"] == name for line in lines)]
    rows = [_row(name, [line for line in lines if line["system"] == name]) for name in known]
    head = ["system", "seeds", "told", "shuffled", "wrong captions", "time"]
    return f"{HEAD.format(**said)}\n{table(head, rows)}\n"


def _row(name: str, runs: Sequence[Line]) -> list[str]:
    cells = [_spread([line[figure] for line in runs]) for figure in ("right", "shuffled", "auroc")]
    return [f"`{name}`", str(len(runs)), *cells, f"{np.mean([line['train_s'] for line in runs]):.0f} s"]


def _spread(found: Sequence[float]) -> str:
    text = f"{100 * float(np.mean(found)):.1f}"
    return text + (f" ± {100 * np.std(found):.1f}" if len(found) > 1 else "")

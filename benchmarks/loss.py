"""Time and memory of the contrastive loss, forward and backward, beside pytorch-metric-learning and lightly.

    python -m benchmarks.loss [--rounds 5] [--repeats 3] [--seed 0] [--threads 1]

Every measurement is a process of its own, and the contenders of a task take turns, so that a busy machine is unfair to
all of them alike. Embeddings are random float32 rows, normalised inside what is measured, and the gradient goes back to
the raw rows. `extra_mb` is the highest resident memory of the first call at full size above what the process held just
before (libraries loaded, a call with 64 rows done, inputs made); it includes the gradient. The seconds are the medians
over rounds of the best of the later calls, `wall` and of the processor (`cpu`). Goals: at 4,096 rows at most 64 MB and
half the time of SupConLoss in the same run; at 16,384 rows at most 256 MB. Results: benchmarks/results/loss.json and
docs/benchmarks/loss.md.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks._report import keep, machine
from trainer.contrast_blocks import by_label, in_blocks
from trainer.objectives.contrast import Objective
from trainer.pool import Pool

DIM, CLASSES, TAU = 128, 64, 0.1
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks" / "loss.md"
Loss = Callable[[Tensor], Tensor]  # raw rows (N, d) -> ()


def in_our_blocks(labels: Tensor) -> Loss:
    """Weights made for one block at a time."""

    def loss(raw: Tensor) -> Tensor:
        rows = normalize(raw, dim=1)
        return in_blocks(rows, rows, by_label(labels, dtype=raw.dtype), temperature=TAU)

    return loss


def on_a_pool(labels: Tensor, *, blocks: bool) -> Loss:
    """The objective, with the pool's (N, N) weights made beforehand."""
    nothing = torch.zeros(len(labels), len(labels))
    equal, ids = labels[:, None] == labels[None], torch.arange(len(labels))
    push, pull = (~equal).float(), equal.fill_diagonal_(False).float()
    pool = Pool(nothing[:, :0], nothing, ids, ids, pull, push, nothing, nothing, nothing)
    objective = Objective(TAU, blocks=blocks)

    def loss(raw: Tensor) -> Tensor:
        rows = normalize(raw, dim=1)
        return objective(replace(pool, anchors=rows, keys=rows))

    return loss


def pytorch_metric_learning(labels: Tensor) -> Loss:
    """SupConLoss; with pair ids for labels it is NT-Xent."""
    from pytorch_metric_learning.losses import SupConLoss

    theirs = SupConLoss(temperature=TAU)
    return lambda raw: theirs(raw, labels)


def lightly(labels: Tensor) -> Loss:
    """NTXentLoss of two views, which are the two halves of the rows."""
    from lightly.loss import NTXentLoss

    theirs, half = NTXentLoss(temperature=TAU), len(labels) // 2
    return lambda raw: theirs(raw[:half], raw[half:])


CONTENDERS: dict[str, Callable[[Tensor], Loss]] = {
    "blocks": in_our_blocks,
    "pool, blocks": lambda labels: on_a_pool(labels, blocks=True),
    "pool, whole": lambda labels: on_a_pool(labels, blocks=False),
    "pytorch-metric-learning": pytorch_metric_learning,
    "lightly": lightly,
}
TASKS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "labels, 4096": ("labels", 4096, ("blocks", "pool, blocks", "pool, whole", "pytorch-metric-learning")),
    "pairs, 4096": ("pairs", 4096, ("blocks", "lightly", "pytorch-metric-learning")),
    "labels, 16384": ("labels", 16384, ("blocks",)),
}


def labels_for(kind: str, rows: int) -> Tensor:
    """`labels`: 64 classes in turn. `pairs`: row i and row i + N/2 are two views of one item."""
    return torch.arange(rows) % (CLASSES if kind == "labels" else rows // 2)


def call(loss: Loss, raw: Tensor) -> tuple[float, Tensor]:
    """Value and gradient."""
    leaf = raw.clone().requires_grad_()
    value = loss(leaf)
    (slope,) = torch.autograd.grad(value, leaf)
    return value.item(), slope


def resident_peak_kb(*, reset: bool = False) -> int:
    """Highest resident memory of this process, since the last reset where the system can forget (Linux)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    lines = status.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def one(contender: str, kind: str, rows: int, repeats: int, seed: int, threads: int) -> dict[str, float]:
    """The child: memory of the first call, the best time of the later ones, the distance to float64."""
    torch.set_num_threads(threads)
    raw = torch.randn(rows, DIM, generator=torch.Generator().manual_seed(seed))
    labels, make = labels_for(kind, rows), CONTENDERS[contender]
    call(make(labels_for(kind, 64)), raw[:64])
    loss = make(labels)
    before = resident_peak_kb(reset=True)
    value, slope = call(loss, raw)
    extra = (resident_peak_kb() - before) / 1024
    wall, cpu = [], []
    for _ in range(repeats):
        began, busy = time.perf_counter(), time.process_time()
        call(loss, raw)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - busy)
    exact, true = call(in_our_blocks(labels), raw.double())
    apart = float((slope - true).norm() / true.norm())
    return {
        "wall_s": min(wall), "cpu_s": min(cpu), "extra_mb": extra,
        "value_error": abs(value - exact), "gradient_error": apart,
    }  # fmt: skip


def in_a_child(contender: str, kind: str, rows: int, given: argparse.Namespace) -> dict[str, float]:
    settings = ["--repeats", str(given.repeats), "--seed", str(given.seed), "--threads", str(given.threads)]
    command = [sys.executable, "-m", "benchmarks.loss", "--child", contender, kind, str(rows), *settings]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(task: str, given: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Medians over rounds, memory and errors at their worst, and time as a share of pytorch-metric-learning's."""
    kind, rows, contenders = TASKS[task]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for _ in range(given.rounds):
        for name in contenders:
            runs[name].append(in_a_child(name, kind, rows, given))
            print(task, name, runs[name][-1], file=sys.stderr)
    theirs = runs.get("pytorch-metric-learning")
    return {name: _summary(mine, theirs) for name, mine in runs.items()}


def _summary(mine: list[dict[str, float]], theirs: list[dict[str, float]] | None) -> dict[str, float]:
    out = {name: round(statistics.median(run[name] for run in mine), 4) for name in ("wall_s", "cpu_s")}
    out |= {"extra_mb": round(max(run["extra_mb"] for run in mine), 1)}
    out |= {name: max(run[name] for run in mine) for name in ("value_error", "gradient_error")}
    for clock in ("wall_s", "cpu_s") if theirs else ():
        ratios = [one[clock] / other[clock] for one, other in zip(mine, theirs or [], strict=True)]
        out[f"{clock.removesuffix('_s')}_ratio"] = round(statistics.median(ratios), 3)
        out[f"{clock.removesuffix('_s')}_ratio_worst"] = round(max(ratios), 3)
    return out


def page(report: dict[str, Any]) -> str:
    """The report as docs/benchmarks/loss.md."""
    settings, where = report["settings"], report["machine"]
    columns = "contender", "wall, s", "processor, s", "processor time / SupConLoss", "worst round", "extra MB"
    head = f"| {' | '.join([*columns, 'value off', 'gradient off'])} |"
    parts = [HEAD]
    for task, rows in report["measured"].items():
        parts += [f"## {task} rows x {DIM}\n", head, "|---" * 8 + "|", *map(_line, rows.items()), ""]
    parts.append(
        f"Seed {settings['seed']}, {settings['rounds']} rounds of {settings['repeats']} calls, {settings['threads']} "
        f"thread, {report['date']}, {where['processor']}, {where['processors']} shared cores, load {where['load']} "
        f"before the run, Python {where['python']}.\n"
    )
    return "\n".join(parts)


def _line(row: tuple[str, dict[str, float]]) -> str:
    name, one = row
    ratio, worst = (f"{one[key]:.2f}" if key in one else "-" for key in ("cpu_ratio", "cpu_ratio_worst"))
    errors = f"{one['value_error']:.0e} | {one['gradient_error']:.0e}"
    return (
        f"| {name} | {one['wall_s']:.2f} | {one['cpu_s']:.2f} | {ratio} | {worst} | {one['extra_mb']:.0f} | {errors} |"
    )


HEAD = """# Time and memory of the contrastive loss

    python -m benchmarks.loss

Forward and backward from raw float32 rows, each measurement in a process of its own, contenders in turn. `labels`: 64
classes (SupCon); `pairs`: two views of each item (NT-Xent). *blocks* makes the weights of one block of rows at a time;
*pool, blocks* is the objective on a pool, whose own (N, N) weights existed before and are not counted; *pool, whole* is
the same with plain autograd, as tilted, debiased or synthetic pools are evaluated. *Extra MB* is the worst round's peak
of resident memory above what the process held before the first call. Times are medians of each round's best call; the
ratio is to pytorch-metric-learning's SupConLoss in the same round. *Off*: distance to the same in float64, absolute for
the value, relative for the gradient. Goals: 64 MB and half of SupConLoss's time at 4,096 rows, 256 MB at 16,384.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        contender, kind, rows = given.child
        print(json.dumps(one(contender, kind, int(rows), given.repeats, given.seed, given.threads)))
        return
    before = machine()
    settings = {"rounds": given.rounds, "repeats": given.repeats, "seed": given.seed, "threads": given.threads}
    kept = keep("loss", settings | {"dim": DIM, "tau": TAU}, {task: measured(task, given) for task in TASKS}, before)
    PAGE.write_text(page(json.loads(kept.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()

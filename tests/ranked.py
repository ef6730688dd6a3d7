"""Real processes that share one run, for tests: the same work on every rank, what it returns comes back as files."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from db.nouns import Statement, Verdict
from oracle.constraints import ConstraintGraph
from tests.patterns import patterns
from trainer import ranks
from trainer.overlay import Overlay
from trainer.recipe import build
from trainer.snapshot import build as snapshot_of
from trainer.training import Training, TrainSettings
from trainer.training_state import read, restore, state_of, write

PLAN = TrainSettings(size=16, batch=33, epochs=3, projection=16, rate=1e-3)  # 33 rows: the slices differ in size
IDS = 5 + 2 * np.arange(99)
Work = Callable[[Path], dict[str, Tensor]]


def together(work: Work, folder: Path, count: int = 2) -> list[dict[str, Tensor] | int]:
    """What `work` gave on each rank, or the exit code where it gave nothing."""
    spawn = multiprocessing.get_context("spawn")
    started = [spawn.Process(target=_one, args=(work, folder, number, count)) for number in range(count)]
    for one in started:
        one.start()
    for one in started:
        one.join(120)
        assert one.exitcode is not None, "a process hangs"
    files = [folder / f"{number}.safetensors" for number in range(count)]
    return [load_file(file) if file.exists() else one.exitcode for file, one in zip(files, started, strict=True)]


def _one(work: Work, folder: Path, number: int, count: int) -> None:
    os.environ |= {"RANK": str(number), "WORLD_SIZE": str(count), ranks.MEETING: f"file://{folder}/meeting"}
    torch.set_num_threads(1)
    with ranks.joined():
        found = work(folder)
    save_file({name: tensor.contiguous() for name, tensor in found.items()}, folder / f"{number}.safetensors")


def training(name: str, settings: Mapping[str, Any] | None = None) -> Training:
    """A run of 99 pictures, a few of them answered about; what encodes in float64, so that order hardly matters."""
    pixels, _ = patterns(99)
    graph = ConstraintGraph()
    for number, (i, j) in enumerate([(0, 6), (6, 12), (1, 7), (2, 8), (13, 1)], start=1):
        graph.add(Statement(number, int(IDS[i]), int(IDS[j]), Verdict.SAME, "ann"))
    graph.add(Statement(9, int(IDS[0]), int(IDS[1]), Verdict.DIFFERENT, "ann"))
    snapshot = snapshot_of(IDS, pixels.reshape(99, -1).astype(np.float32))
    run = Training(build(name, settings), pixels, IDS, PLAN, Overlay(snapshot, graph, IDS, torch.device("cpu")))
    average = run.encoders.average
    for network in [run.encoders.network, *([average.network] if average is not None else [])]:
        network.double().predictors.float()  # predictors see z as the loss does
    return run


def gradients(run: Training) -> dict[str, Tensor]:
    """Those of a step of it."""
    run.step()
    weights = run.encoders.network.named_parameters()
    return {f"gradient/{key}": weight.grad.clone() for key, weight in weights if weight.grad is not None}


def steps(name: str, folder: Path) -> dict[str, Tensor]:
    """Gradients of the first step, everything a checkpoint keeps after the third, which is written after the first."""
    run = training(name)
    found = gradients(run)
    if ranks.rank() == 0:
        write(folder / f"{name}.state", run, {})
    run.step()
    run.step()
    return found | {f"state/{key}": tensor for key, tensor in state_of(run).items()}


def gone_on(name: str, state: Path) -> dict[str, Tensor]:
    """The same from what was written after the first step."""
    run, stored = training(name), read(state, {})
    assert stored is not None
    restore(run, stored)
    run.step()
    run.step()
    return {f"state/{key}": tensor for key, tensor in state_of(run).items()}

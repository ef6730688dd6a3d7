"""Turn the answers into a better head: a few hundred contrastive steps on cached features, seconds on two cores.

    belief -> batch -> two views (+ feedback pool) -> pool -> positives -> negatives -> obey the answers -> objectives
    -> step

Every update starts from the untaught head and replays the whole log, so nothing is forgotten and a version can be
rebuilt from the log and a seed. Runs on a GPU where there is one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from db.nouns import Snapshot
from oracle.constraints import ConstraintGraph
from trainer.auditing import Likeness
from trainer.choices import UpdateSettings
from trainer.head import Head
from trainer.lesson import Lesson
from trainer.shards import Rows

__all__ = ["Progress", "UpdateSettings", "device_for_training", "update"]
EVERY = 10  # steps from one report to the next
Progress = Callable[[int, int, Mapping[str, Any]], None]


def device_for_training() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def update(
    head: Head,
    features: np.ndarray | Rows,
    ids: np.ndarray,
    graph: ConstraintGraph,
    snapshot: Snapshot,
    *,
    steps: int | None = None,
    seed: int = 0,
    settings: UpdateSettings | None = None,
    reduced: Tensor | None = None,
    likeness: Likeness | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Head:
    """A new head that has learnt the graph; the given one stays as it is.

    Args: features (N, D) float32; ids (N,) int64 as in the snapshot, whose belief places the items. reduced: (N, W)
    from `head.reduce`, if the caller keeps it. likeness: what audits say of pairs that look alike. progress:
    called with step, steps and the losses: their weighted sum as "loss", each by name, and what pushes as "negatives"
    (`trainer.negative_report`). cancelled: asked between steps; a cancelled update returns the head as far as it came.
    """
    settings = settings or UpdateSettings()
    settings = settings if steps is None else replace(settings, steps=steps)
    reduced = head.reduce(features) if reduced is None else reduced
    lesson = Lesson(head, reduced, snapshot, graph, settings, seed, device_for_training(), likeness)
    for step in range(settings.steps):
        if cancelled is not None and cancelled():
            break
        told = progress is not None and (step % EVERY == EVERY - 1 or step + 1 == settings.steps)
        losses = lesson.step(report=told)
        if progress is not None and told:
            progress(step + 1, settings.steps, losses)
    return lesson.head.cpu().eval()

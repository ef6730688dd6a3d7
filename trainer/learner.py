"""From answers to a candidate model, and the verdict whether it may be served.

    features -> head -> snapshot (version 0)
    answers -> learn apart from the witnesses -> new head -> new snapshot -> gate on the witnesses -> candidate

The same learner serves `simulate`, which accepts candidates in memory, and the trainer process, which stores them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from db.errors import BadInput
from db.nouns import Snapshot
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from trainer.auditing import Likeness, audited
from trainer.batches import Knowledge
from trainer.choices import UpdateSettings
from trainer.head import Head
from trainer.letting_go import let_go, taken_rightly
from trainer.promotion import Gate, gate, split
from trainer.shards import Rows
from trainer.snapshot import build
from trainer.update import update

Progress = Callable[[int, int, Mapping[str, Any]], None]  # step, of how many, losses and what pushed


@dataclass(frozen=True)
class Settings:
    """steps: gradient steps of one update, None for the update's own choice. update: how to train."""

    steps: int | None = None
    update: UpdateSettings | None = None

    @property
    def training(self) -> UpdateSettings:
        """How to train, as it will be."""
        chosen = self.update or UpdateSettings()
        return chosen if self.steps is None else replace(chosen, steps=self.steps)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trained model before anybody serves it. metrics: plain numbers and texts, stored with the version."""

    snapshot: Snapshot
    head: Head
    metrics: Mapping[str, Any]
    better: bool


class Learner:
    """Teaches one criterion. features: (N, D) float32 backbone features, or rows on the disk; ids: (N,) int64, rising
    strictly.

    Everything follows from the features, the answers and the seed.
    """

    def __init__(
        self, features: np.ndarray | Rows, ids: np.ndarray, *, seed: int = 0, settings: Settings | None = None
    ) -> None:
        if len(features) != len(ids) or len(ids) == 0:
            raise BadInput(
                f"features and ids must have as many rows, at least one; got {len(features)} and {len(ids)}."
            )
        self.features = features if isinstance(features, Rows) else np.ascontiguousarray(features, dtype=np.float32)
        self.ids = np.asarray(ids, np.int64)
        self.seed, self.settings = seed, settings or Settings()
        self._served: tuple[Head, Snapshot] | None = None
        self._untaught: tuple[Head, Tensor] | None = None  # and the features as it reduces them
        self._knew: Knowledge | None = None  # in the last lesson

    @property
    def head(self) -> Head:
        """The head that is served."""
        return self._require()[0]

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that is served."""
        return self._require()[1]

    def start(self) -> Snapshot:
        """Version 0: the raw features seen through PCA, before any answer."""
        head = self._raw()[0]
        return self.resume(head, self._embedded(head, version=0))

    def resume(self, head: Head, snapshot: Snapshot | None = None, version: int = 0) -> Snapshot:
        """Serve a stored head; without its snapshot the items are embedded anew."""
        self._served = (head, snapshot if snapshot is not None else self._embedded(head, version))
        return self.snapshot

    def learn(
        self,
        graph: ConstraintGraph,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Candidate | None:
        """Teach an untaught head every answer; what is served stays until `accept`. None if cancelled."""
        before = self.snapshot
        head, reduced = self._raw()
        began = time.monotonic()
        said, witnesses = split(graph.statements)
        lesson = ConstraintGraph.build(said, graph.error_rate, error_rates=graph.error_rates, cap=graph.cap)
        losses, settings = _Losses(progress), self.settings.training
        fair = audited(before, lesson) if settings.calibrate else None
        known = Knowledge.of(infer(before, lesson), torch.device("cpu"), lesson, fair)
        losses.always = taken_rightly(known, before, witnesses)
        new = update(
            head, self.features, self.ids, lesson, before, seed=self._seed_for(graph), settings=settings,
            reduced=reduced, likeness=fair, progress=losses, cancelled=cancelled,
        )  # fmt: skip
        if cancelled is not None and cancelled():
            return None
        after = self._embedded(new, before.version + 1)
        decision = gate(before, after, witnesses)
        metrics = _metrics(decision, losses, graph, time.monotonic() - began) | _how(settings, fair)
        if self._knew is not None:
            metrics["let_go"] = let_go(self._knew, known, before)
        self._knew = known
        return Candidate(after, new, metrics, decision.better)

    def accept(self, candidate: Candidate, version: int | None = None) -> Snapshot:
        """Serve a candidate from now on, under the database's version number if there is one."""
        snapshot = candidate.snapshot if version is None else renumbered(candidate.snapshot, version)
        return self.resume(candidate.head, snapshot)

    def _raw(self) -> tuple[Head, Tensor]:
        """The untaught head and the features as it reduces them, computed once."""
        if self._untaught is None:
            head = Head.from_features(self.features, seed=self.seed)
            self._untaught = (head, head.reduce(self.features))
        return self._untaught

    def _embedded(self, head: Head, version: int) -> Snapshot:
        """What a head sees; one that begins like the untaught one, as all taught here do, needs no features for it."""
        untaught, reduced = self._raw()
        vectors = head.eval().whole(reduced).numpy() if head.reduces_like(untaught) else head.embed(self.features)
        return build(self.ids, vectors, version, self.seed)

    def _require(self) -> tuple[Head, Snapshot]:
        if self._served is None:
            self.start()
        assert self._served is not None
        return self._served

    def _seed_for(self, graph: ConstraintGraph) -> int:
        """The same answers always train the same way; more answers another way."""
        return (self.seed * 1_000_003 + graph.size) % (2**31)


class _Losses:
    """Passes progress on and remembers the first and the last losses."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self.negatives: dict[str, float] = {}
        self.always: dict[str, float] = {}  # figures of the whole lesson beside those of each step
        self.steps = 0

    def __call__(self, step: int, of: int, losses: Mapping[str, Any]) -> None:
        self.negatives = {**self.always, **losses.get("negatives", {})}
        self.last = {name: float(value) for name, value in losses.items() if name != "negatives"}
        self.first = self.first or self.last
        self.steps = step
        if self.progress is not None:
            self.progress(step, of, {**losses, "negatives": self.negatives})


def renumbered(snapshot: Snapshot, version: int) -> Snapshot:
    """The same snapshot under another version number."""
    return replace(snapshot, version=version)


def _metrics(decision: Gate, losses: _Losses, graph: ConstraintGraph, took_s: float) -> dict[str, Any]:
    return {
        "heldout_f1_before": decision.before,
        "heldout_f1_after": decision.after,
        "heldout_pairs": decision.pairs,
        "reason": decision.reason,
        "losses_first": losses.first,
        "losses": losses.last,
        "negatives": losses.negatives,
        "steps": losses.steps,
        "statements": graph.size,
        "seconds": round(took_s, 3),
    }


def _how(settings: UpdateSettings, fair: Likeness | None) -> dict[str, Any]:
    """How it was trained: the settings, and the curve the audits gave."""
    return {
        "settings": settings.document(),
        "calibration": None if fair is None else {**asdict(fair.curve), "base": fair.base},
    }

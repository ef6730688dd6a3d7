"""Tell people how a training run goes: a row in the database and an event for the live curve, a few times a second."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from db import events, runs
from db.engine import Database

EVERY_S = 0.3  # at most this often: a curve needs no more, and every report is a transaction
PROBED = "knn_accuracy"
EMBEDDING = ("rank", "spread", PROBED)  # what a step's report says about the embedding, see trainer.collapse


class Reporter:
    """One run. Call it with (step, of how many, losses with what pushed); `run` is its id."""

    def __init__(
        self, database: Database, criterion: int, settings: Mapping[str, Any], *, trigger: str = "answers",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.database, self.criterion, self.clock = database, criterion, clock
        self.told_at = float("-inf")
        with database.write() as s:
            self.run = runs.start(s, criterion, trigger, settings)

    def __call__(self, step: int, of: int, losses: Mapping[str, Any]) -> None:
        """Pass on the first step, the last, a probe, and those between that are not too close in time."""
        if step < of and PROBED not in losses and self.clock() - self.told_at < EVERY_S:
            return
        self.told_at = self.clock()
        loss = losses.get("loss", losses.get("total", next(iter(losses.values()), None)))
        with self.database.write() as s:
            runs.step(s, self.run, step, losses)
            told = {"run": self.run, "step": step, "of": of, "loss": loss, "negatives": losses.get("negatives")}
            told["embedding"] = {name: losses[name] for name in EMBEDDING if name in losses}
            events.publish(s, "training", told, self.criterion)

    def end(self, status: str, note: str) -> None:
        """Close the run without a version."""
        with self.database.write() as s:
            runs.end(s, self.run, status, note=note)

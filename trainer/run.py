"""From the first step of a run to the last: reports, cancels between steps, stores its state, goes on where it was."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainer.collapse import collapsed
from trainer.training import Report, Training, Watch
from trainer.training_state import read, restore, write

SAVE_S = 60.0  # what a kill may cost
REPORT_EVERY = 10  # steps
CLAMPED = 0.2  # share of the anchors on the floor of the debiased loss from which a person is warned


@dataclass
class Outcome:
    """finished: False where it was cancelled. reports: by step. warnings: sentences for people."""

    finished: bool = False
    reports: dict[int, Report] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


Progress = Callable[[int, int, Report], None]


def run(
    training: Training,
    *,
    state: Path | None = None,
    about: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    watch: Watch | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Train to the end, or until `cancelled` says so between two steps.

    Args: state: file that keeps the run, once a minute and where it stops; a state of the same `about` is gone on
    from. progress: called every ten steps and at the last one with step, steps and the report. watch: see
    `Training.step`.
    """
    about, outcome = about or {}, Outcome()
    stored = read(state, about) if state else None
    if stored is not None:
        restore(training, stored)
    saved_at = clock()
    while training.done < training.steps:
        if cancelled is not None and cancelled():
            break
        report = training.step(_due(training, watch))
        if "rank" in report:
            outcome.reports[training.done] = report
            if progress is not None:
                progress(training.done, training.steps, report)
        if state and clock() - saved_at >= SAVE_S:
            write(state, training, about)
            saved_at = clock()
    outcome.finished = training.done == training.steps
    if state:
        write(state, training, about)
    outcome.warnings += _warnings(outcome.reports)
    return outcome


def _due(training: Training, watch: Watch | None) -> Watch | None:
    """The watch for a step that is reported, nothing for the others."""
    step = training.done + 1
    if step % REPORT_EVERY and step not in (1, training.steps):
        return None
    return watch or (lambda pool: {})


def _warnings(reports: Mapping[int, Report]) -> list[str]:
    """What a person should know before trusting the result."""
    last, told = reports[max(reports)] if reports else None, []
    if last is not None and collapsed(last):
        told.append(
            f"the embedding collapsed (effective rank {last['rank']:.1f}, spread {last['spread']:.2f}). "
            "Lower the rate, or raise the temperature."
        )
    clamped = last.get("negatives", {}).get("clamped", 0.0) if last is not None else 0.0
    if clamped > CLAMPED:
        told.append(
            f"for {clamped:.0%} of the pictures more was subtracted as false negatives than pushes them, so they learn "
            "nothing from the others. Lower tau_plus or prior, or raise the temperature."
        )
    return told

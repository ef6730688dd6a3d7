"""From the first step of a run to the last: reports, cancels between steps, stores its state, goes on where it was."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.errors import Broken
from trainer import ranks
from trainer.collapse import collapsed
from trainer.pool import Pool
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
Probe = Callable[[], Mapping[str, float]]


def run(
    training: Training,
    *,
    state: Path | None = None,
    about: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    watch: Watch | None = None,
    probe: Probe | None = None,
    after: Callable[[int, int], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Train to the end, or until `cancelled` says so on any rank between two steps. Only the first rank writes.

    Args: state: file that keeps the run, once a minute and where it stops; a state of the same `about` is gone on
    from. progress: called every ten steps, after a probe and at the last one with step, steps and the report. watch:
    see `Training.step`. probe: its figures join the report every `TrainSettings.probe` epochs and at the end.
    after: called after every step with step and steps.
    """
    about, outcome = about or {}, Outcome()
    _go_on(training, state, about)
    keeps = state if ranks.rank() == 0 else None
    saved_at = clock()
    while training.done < training.steps:
        if ranks.anyone(cancelled is not None and cancelled()):
            break
        report = _stepped(training, watch or _nothing, probe)
        if after is not None:
            after(training.done, training.steps)
        if "rank" in report:
            outcome.reports[training.done] = report
            if progress is not None:
                progress(training.done, training.steps, report)
        if keeps and clock() - saved_at >= SAVE_S:
            write(keeps, training, about)
            saved_at = clock()
    outcome.finished = training.done == training.steps
    if keeps:
        write(keeps, training, about)
    outcome.warnings += _warnings(outcome.reports)
    return outcome


def _go_on(training: Training, state: Path | None, about: Mapping[str, str]) -> None:
    """From the stored state, if there is one. Raises: Broken where ranks find different ones."""
    stored = read(state, about) if state else None
    if stored is not None:
        restore(training, stored)
    if not ranks.agreed(training.done):
        raise Broken("the processes of this run find different states of it. Give them one workspace on a shared disk.")


def _stepped(training: Training, watch: Watch, probe: Probe | None) -> Report:
    """The next step, looked at where it is due."""
    probed = probe is not None and _ends_epochs(training)
    report = training.step(watch if probed or _due(training) else None)
    return {**report, **probe()} if probe is not None and probed else report


def _due(training: Training) -> bool:
    """Whether the next step is reported."""
    step = training.done + 1
    return step % REPORT_EVERY == 0 or step in (1, training.steps)


def _ends_epochs(training: Training) -> bool:
    """Whether the next step is one after which the features are probed."""
    step, every = training.done + 1, training.settings.probe * training.steps_each
    return every > 0 and (step % every == 0 or step == training.steps)


def _nothing(pool: Pool) -> Mapping[str, Any]:
    """The watch of nobody: the step's own figures are enough."""
    return {}


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

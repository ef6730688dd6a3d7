"""The measuring process: takes "quality" and "forecast" jobs from the database until none is left, and ends.

python -m app.quality_job --database-url URL --workspace DIR

It takes seconds of arithmetic, which must neither delay a click in the web process nor a question in the trainer.
"""

import argparse
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app import measure
from app.children import worker_name
from app.settings import Settings
from db import jobs, logs
from db.engine import Database
from db.errors import PairwrightError, StaleLease
from oracle.forecast import Plan

logger = logging.getLogger("pairwright.quality")
LEASE_S = 180.0  # one step may take its time on a very large collection
BEAT_S = 0.5
CANCELLED = "cancelled; the last result stays."
KEEP = 5  # results of each kind and criterion


@dataclass
class Pulse:
    """Heartbeats of one job, not more often than useful. `cancelled` once somebody asked to stop."""

    database: Database
    job: jobs.Job
    parent: int | None = None
    last: float = field(default_factory=time.monotonic)
    cancelled: bool = False

    def told(self, done: int, of: int) -> None:
        """done of so many steps."""
        if time.monotonic() - self.last < BEAT_S:
            return
        self.last = time.monotonic()
        with self.database.write() as s:
            part = min(1.0, done / of) if of else 0.0
            self.cancelled |= jobs.heartbeat(s, self.job.id, self.job.token, part, f"{done:,} of {of:,} steps")

    def stopped(self) -> bool:
        """Whether to stop between two steps."""
        if self.parent is not None and os.getppid() != self.parent:
            raise StaleLease(f"the server that asked for job {self.job.id} is gone; its next start goes on with it.")
        return self.cancelled


Work = Callable[[Settings, Database, jobs.Job, Pulse], Any]


def run(
    settings: Settings, database: Database, job: jobs.Job, parent: int | None = None, work: Work | None = None
) -> None:
    """Do one job and write down how it ended, whatever happens. work: what to do, measuring by default."""
    pulse = Pulse(database, job, parent)
    try:
        result = (work or _work)(settings, database, job, pulse)
    except StaleLease as error:
        logger.warning("%s", error)
    except PairwrightError as error:
        _fail(database, job, CANCELLED if pulse.cancelled else str(error))
    except Exception:
        logger.exception("%s job %d", job.kind, job.id)
        _fail(database, job, "something broke on our side while measuring; the server's log says what.")
    else:
        _end(database, job, pulse, result)


def _work(settings: Settings, database: Database, job: jobs.Job, pulse: Pulse) -> Any:
    sight = measure.look(settings, database, job.criterion or 0)
    if job.kind == "quality":
        return measure.measured(database, sight, pulse.told, pulse.stopped)
    asked = {name: job.payload[name] for name in ("screens", "target") if job.payload.get(name) is not None}
    found = measure.forecast_of(database, sight, Plan(**asked), told=pulse.told, stopped=pulse.stopped)
    return measure.forecast_document(sight, found)


def _end(database: Database, job: jobs.Job, pulse: Pulse, result: Any) -> None:
    """Keep the result; of what was cancelled nothing is kept."""
    with database.write() as s:
        if pulse.cancelled:
            jobs.fail(s, job.id, job.token, CANCELLED)
            return
        jobs.finish(s, job.id, job.token, result)
        jobs.forget(s, job.kind, job.criterion or 0, KEEP)


def _fail(database: Database, job: jobs.Job, why: str) -> None:
    try:
        with database.write() as s:
            jobs.fail(s, job.id, job.token, why)
    except PairwrightError as error:
        logger.error("job %d failed (%s) and that could not be written: %s", job.id, why, error)


def main() -> None:
    """Measure until nothing is left to measure."""
    take(measure.KINDS, _work, __doc__)


def take(kinds: Sequence[str], work: Work, words: str | None, going_on: Callable[[], bool] = lambda: True) -> None:
    """The process itself: take jobs of these kinds until none is left or `going_on` says no. words: for --help."""
    parser = argparse.ArgumentParser(description=words)
    parser.add_argument("--database-url", help="else PAIRWRIGHT_DATABASE_URL")
    parser.add_argument("--workspace", required=True, type=Path)
    parser.add_argument("--exit-with-parent", action="store_true")
    parser.add_argument("--set", dest="training", action="append", default=[], help="KEY=VALUE: how a head learns")
    given = parser.parse_args()
    logs.begin()
    if hasattr(os, "nice"):
        os.nice(10)
    settings = Settings(given.workspace, given.database_url, training=tuple(given.training))
    database = settings.open()
    worker = worker_name(os.getpid())
    try:
        while going_on() and (job := _next(database, worker, kinds)):
            run(settings, database, job, os.getppid() if given.exit_with_parent else None, work)
    finally:
        database.close()


def _next(database: Database, worker: str, kinds: Sequence[str] = measure.KINDS) -> jobs.Job | None:
    with database.write() as s:
        return jobs.lease(s, kinds, worker, LEASE_S)


if __name__ == "__main__":
    main()

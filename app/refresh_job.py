"""The refreshing process: takes "refresh" jobs from the database until none is left, and ends.

python -m app.refresh_job --database-url URL --workspace DIR

It trains for minutes at low priority, so it shares a process neither with the web server nor with the online head. Told
to end, or left alone, it stores where it is and hands its job back: the next process goes on from there.
"""

import signal
import sys
import time
from threading import Event
from types import FrameType
from typing import Any

from app.quality_job import Pulse, take
from app.refresh import refresh
from app.refresh_wish import Wish
from app.refreshing import KIND
from app.settings import Settings
from db import catalog, jobs
from db.engine import Database
from db.errors import StaleLease
from trainer.modest import be_modest

STAGES = {"looking": (0.0, 0.03), "reading": (0.03, 0.15), "training": (0.15, 0.75), "embedding": (0.75, 0.9),
          "comparing": (0.9, 0.96), "learning": (0.96, 1.0)}  # fmt: skip
STOPPING = Event()
STOPPED = "stopped; what was trained is kept, and the same refresh goes on from there."
BEAT_S = 0.5


class Told:
    """Progress of all stages as one bar, in heartbeats; learns from them whether to stop."""

    def __init__(self, pulse: Pulse) -> None:
        self.pulse, self.reached = pulse, 0.0

    def __call__(self, what: str, done: int, of: int) -> None:
        low, high = STAGES.get(what.split()[0], (0.0, 1.0))
        self.reached = max(self.reached, low + (high - low) * min(done / max(of, 1), 1.0))
        if time.monotonic() - self.pulse.last < BEAT_S and done < of:
            return
        self.pulse.last = time.monotonic()
        with self.pulse.database.write() as s:
            job, words = self.pulse.job, f"{what}: {done:,} of {of:,}"
            self.pulse.cancelled |= jobs.heartbeat(s, job.id, job.token, self.reached, words)

    def stopped(self) -> bool:
        """Whether to stop between two steps."""
        return STOPPING.is_set() or self.pulse.stopped()


def work(settings: Settings, database: Database, job: jobs.Job, pulse: Pulse) -> Any:
    """Refresh one criterion."""
    with database.read() as s:
        criterion = catalog.criterion(s, job.criterion or 0).name
    wish, told = Wish.of(job.payload, criterion), Told(pulse)
    be_modest(wish.threads)
    told("looking at the answers", 0, 1)
    done = refresh(settings, wish, told, told.stopped)
    if not done.finished:
        with database.write() as s:
            if pulse.cancelled:
                jobs.fail(s, job.id, job.token, STOPPED)
            else:
                jobs.release(s, job.id, job.token)
        raise StaleLease(f"job {job.id} was stopped after step {done.steps}; whoever goes on with it begins there.")
    return {**done.document(), "because": job.payload.get("because", "")}


def _stop(number: int, frame: FrameType | None) -> None:
    """The first SIGTERM asks, the second one insists."""
    if STOPPING.is_set():
        sys.exit(143)
    STOPPING.set()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    take([KIND], work, __doc__, going_on=lambda: not STOPPING.is_set())

"""The trainer's ticker: call a function every so often, never twice at once, never skipped for being late.

APScheduler's default drops a job that is a second late and queues missed ones: both are wrong for a ticker, so missed
ticks melt into one. Nothing durable lives here; durable work is rows in the database.
"""

import logging
import time
from collections.abc import Callable
from types import TracebackType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from db.errors import StaleLease

log = logging.getLogger("pairwright.trainer")
PATIENCE_S = 30.0  # the longest pause after failures
logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick that finds the last one still running is no news


class Ticker:
    """Named functions on a rhythm, each on its own thread. Leaving the context waits for running ticks."""

    def __init__(self, workers: int = 5) -> None:
        self.scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(workers)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )

    def every(self, seconds: float, tick: Callable[[], None], name: str) -> None:
        """Call `tick` every `seconds`; a failure is logged and tried again after a pause."""
        self.scheduler.add_job(Patient(tick, name), "interval", seconds=seconds, id=name, replace_existing=True)

    def nightly(self, hour: int, tick: Callable[[], None], name: str) -> None:
        """Call `tick` once a day at this hour, UTC."""
        self.scheduler.add_job(Patient(tick, name), "cron", hour=hour, id=name, replace_existing=True)

    def __enter__(self) -> "Ticker":
        self.scheduler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.scheduler.shutdown(wait=True)


class Patient:
    """A tick that survives its own failures: logged in one line, then paused 1, 2, 4 ... 30 s until one succeeds."""

    def __init__(self, tick: Callable[[], None], name: str, clock: Callable[[], float] | None = None) -> None:
        self.tick, self.name = tick, name
        self.clock = clock or time.monotonic
        self.failures, self.resume_at = 0, 0.0

    def __call__(self) -> None:
        if self.clock() < self.resume_at:
            return
        try:
            self.tick()
            self.failures = 0
        except StaleLease as error:
            log.info("%s: %s", self.name, error)
        except Exception as error:  # a ticker must outlive whatever a tick does
            self._pause(error)

    def _pause(self, error: Exception) -> None:
        self.failures += 1
        pause_s = min(2.0 ** (self.failures - 1), PATIENCE_S)
        self.resume_at = self.clock() + pause_s
        log.error("%s failed (%s: %s); again in %.0f s", self.name, type(error).__name__, error, pause_s)

"""The importer process: takes import jobs from the database until none is left, tells how far it is, and ends.

python -m app.import_job --database-url URL --workspace DIR
"""

import argparse
import logging
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from app.children import worker_name
from app.importers import ImportReport, import_path
from app.settings import Settings
from db import jobs, logs
from db.engine import Database
from db.errors import PairwrightError, StaleLease

logger = logging.getLogger("pairwright.import")
LEASE_S = 30.0
BEAT_S = 0.4
MOST_SKIPPED = 1000  # reasons kept with the job; the count is exact


@dataclass
class Pulse:
    """Heartbeats of one job, not more often than useful. `cancelled` becomes true when somebody asked to stop."""

    database: Database
    job: jobs.Job
    parent: int | None = None
    last: float = 0.0
    cancelled: bool = False

    def progress(self, done: int, total: int) -> None:
        """done of total pictures are looked at."""
        if time.monotonic() - self.last < BEAT_S:
            return
        self.last = time.monotonic()
        with self.database.write() as s:
            part = min(1.0, done / total) if total else 0.0
            self.cancelled |= jobs.heartbeat(s, self.job.id, self.job.token, part, f"{done:,} of {total:,} pictures")

    def stopped(self) -> bool:
        """Whether to stop between two pictures."""
        if self.parent is not None and os.getppid() != self.parent:
            raise StaleLease(f"the server that asked for import {self.job.id} is gone; its next start goes on with it.")
        return self.cancelled


def run(database: Database, workspace: Path, job: jobs.Job, parent: int | None = None) -> None:
    """Do one import and write down how it ended, whatever happens. parent: stop when this process is gone."""
    try:
        report = _import(database, workspace, job, parent)
    except StaleLease as error:
        logger.warning("%s", error)
        return
    except PairwrightError as error:
        _fail(database, job, str(error))
    except Exception:
        logger.exception("import job %d", job.id)
        _fail(database, job, "something broke on our side while importing; the server's log says what.")
    else:
        _finish(database, job, report)
    if job.payload.get("uploaded"):
        _forget(workspace, Path(str(job.payload["source"])))


def _import(database: Database, workspace: Path, job: jobs.Job, parent: int | None) -> ImportReport:
    asked, pulse = job.payload, Pulse(database, job, parent)
    source, collection = Path(str(asked["source"])), str(asked["collection"])
    return import_path(
        database,
        workspace,
        source,
        collection,
        metadata=asked.get("metadata"),
        progress=pulse.progress,
        cancelled=pulse.stopped,
        packed=bool(asked.get("packed")),
        in_place=bool(asked.get("in_place")),
    )


def _finish(database: Database, job: jobs.Job, report: ImportReport) -> None:
    """Keep the report with the job; the trainer finds new pictures by itself."""
    said = {"added": report.added, "known": report.known, "skipped": report.skipped[:MOST_SKIPPED]}
    with database.write() as s:
        if report.cancelled:
            jobs.fail(s, job.id, job.token, f"cancelled after {report.added:,} pictures; those stay.")
        else:
            jobs.finish(s, job.id, job.token, {**said, "skipped_count": len(report.skipped)})


def _fail(database: Database, job: jobs.Job, why: str) -> None:
    try:
        with database.write() as s:
            jobs.fail(s, job.id, job.token, why)
    except PairwrightError as error:
        logger.error("import job %d failed (%s) and that could not be written: %s", job.id, why, error)


def _forget(workspace: Path, source: Path) -> None:
    """Remove an upload; its pictures are in the media store by now. Never touches anything outside the uploads."""
    uploads = (workspace / "uploads").resolve()
    relative = source.resolve()
    if relative.is_relative_to(uploads) and relative != uploads:
        shutil.rmtree(uploads / relative.relative_to(uploads).parts[0], ignore_errors=True)


def main() -> None:
    """Take jobs until none is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", help="else PAIRWRIGHT_DATABASE_URL")
    parser.add_argument("--workspace", required=True, type=Path)
    parser.add_argument("--exit-with-parent", action="store_true")
    given = parser.parse_args()
    logs.begin()
    parent = os.getppid() if given.exit_with_parent else None
    settings = Settings(given.workspace, given.database_url)
    database = settings.open()
    worker = worker_name(os.getpid())
    try:
        while job := _next(database, worker):
            run(database, settings.folder, job, parent)
    finally:
        database.close()


def _next(database: Database, worker: str) -> jobs.Job | None:
    with database.write() as s:
        return jobs.lease(s, ["import"], worker, LEASE_S)


if __name__ == "__main__":
    main()

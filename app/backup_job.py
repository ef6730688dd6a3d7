"""The backup process: takes backups and checks of backups from the database until none is left, and ends.

python -m app.backup_job --database-url URL --workspace DIR
"""

from dataclasses import asdict
from typing import Any

from app import backup
from app.quality_job import Pulse, take
from app.settings import Settings
from db import jobs
from db.engine import Database


def work(settings: Settings, database: Database, job: jobs.Job, pulse: Pulse) -> Any:
    """Make one, or read one through."""
    if job.kind == backup.VERIFY:
        path = backup.named(settings, str(job.payload.get("name", "")))
        return _plain(backup.verify(path, pulse.told, pulse.stopped))
    keep = int(job.payload.get("keep", 0))
    return _plain(backup.create(settings, database, keep=keep, told=pulse.told, stopped=pulse.stopped))


def _plain(made: backup.Backup) -> dict[str, Any]:
    return {**asdict(made), "made_at": made.made_at.isoformat()}


if __name__ == "__main__":
    take([backup.KIND, backup.VERIFY], work, __doc__)

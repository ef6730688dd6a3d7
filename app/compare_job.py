"""The comparing process: takes "compare" jobs from the database until none is left, and ends.

python -m app.compare_job --database-url URL --workspace DIR

It curates batches with torch, which must not share a process with the web server, and must not wait for a forecast.
"""

from typing import Any

from app import comparing
from app.quality_job import Pulse, take
from app.settings import Settings
from db import jobs
from db.engine import Database


def work(settings: Settings, database: Database, job: jobs.Job, pulse: Pulse) -> Any:
    """Draw the pairs of one comparison."""
    wish = comparing.Wish.of(job.payload)
    return comparing.compared(settings, database, job.criterion or 0, wish, pulse.told, pulse.stopped)


if __name__ == "__main__":
    take([comparing.KIND], work, __doc__)

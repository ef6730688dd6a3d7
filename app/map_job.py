"""The map-making process: takes "map_..." jobs from the database until none is left, and ends.

python -m app.map_job --database-url URL --workspace DIR

UMAP and the belief of a long log take seconds to minutes of arithmetic, which must not delay a click.
"""

from typing import Any

from app import maps
from app.quality_job import Pulse, take
from app.settings import Settings
from db import jobs
from db.engine import Database


def work(settings: Settings, database: Database, job: jobs.Job, pulse: Pulse) -> Any:
    """Make one map."""
    version, what = int(job.payload["version"]), job.kind.removeprefix("map_")
    return maps.made(settings, database, job.criterion or 0, version, what, pulse.told, pulse.stopped)


if __name__ == "__main__":
    take(maps.JOBS, work, __doc__)

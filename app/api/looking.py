"""What the routes about groups look at: the groups of now, or of the state that a reader pages through."""

from typing import NamedTuple

from app.api import maps as map_routes
from app.api import views
from app.api.context import Context
from app.api.models import current, snapshot_of_version
from app.api.shapes import JobOut
from app.partition import Key, Partition
from app.partitions import Told
from db import catalog, feedback
from db.nouns import Statement


class Look(NamedTuple):
    """fresh: the partition knows every answer. job: what brings it up to date, where somebody has asked for that."""

    about: int
    partition: Partition
    told: Told
    fresh: bool
    job: JobOut | None


def look(here: Context, criterion: int | str, stand: str | None = None) -> Look:
    """The groups of now, or of a state that was read before, as long as it is kept."""
    version = current(here, criterion)
    with here.database.read() as s:
        about = catalog.criterion(s, criterion).id
        key = Key(about, version.id, feedback.last_event(s, about))

    def said() -> list[Statement]:
        with here.database.read() as s:
            return feedback.statements(s, about)

    found = here.partitions.named(about, stand) if stand else None
    found = found or here.partitions.get(key, snapshot_of_version(here, version), said)
    fresh = found.stand == key.stand
    job = None if fresh else _job(here, about)
    return Look(about, found, here.partitions.told(key, found, said), fresh, job)


def _job(here: Context, criterion: int) -> JobOut | None:
    with here.database.read() as s:
        mine = (one for one in map_routes.under_way(s, criterion) if one.kind == "map_groups" and not one.cancelling)
        return next((views.job(one) for one in mine), None)

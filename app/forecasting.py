"""Forecasts from the command line: of a criterion as it stands, or of a collection whose true groups a column holds."""

from collections.abc import Callable, Sequence
from typing import Any

from app import measure
from app.scoring import column
from app.settings import Settings
from app.view import raw_snapshot
from db import catalog, jobs
from db.engine import Database
from db.nouns import Item
from oracle.answerers._scripted import missing
from oracle.forecast import Forecast, Plan, forecast

Told = Callable[[int, int], object]


def of_criterion(
    settings: Settings,
    database: Database,
    criterion: str,
    plan: Plan,
    labels: str | None,
    noise: float | None,
    told: Told,
) -> Any:
    """The forecast as JSON; it is kept, so that the Quality screen shows it too.

    Raises: NotFound for an unknown criterion or column, or before the criterion has a model version.
    """
    sight = measure.look(settings, database, criterion)
    with database.read() as s:
        items = catalog.items(s, catalog.criterion(s, criterion).collection)
    truth = labels_of(labels, items) if labels else None
    found = measure.forecast_of(database, sight, plan, labels=truth, error=noise, told=told)
    document = measure.forecast_document(sight, found)
    with database.write() as s:
        jobs.keep_result(s, "forecast", {"screens": plan.screens}, document, criterion=sight.criterion)
    return document


def of_collection(
    settings: Settings, database: Database, collection: str, plan: Plan, labels: str, told: Told
) -> Forecast:
    """From no answer at all, with a metadata column as the truth."""
    with database.read() as s:
        items = catalog.items(s, catalog.collection_id(s, collection))
    truth = labels_of(labels, items)
    snapshot = raw_snapshot(settings, database, collection)
    return forecast(snapshot, [], plan, labels=truth, told=told)


def labels_of(name: str, items: Sequence[Item]) -> dict[int, str]:
    """The column's value by item id, where there is one. Raises NotFound for an unknown column."""
    values = column(name, items)
    return {item.id: str(value).strip() for item, value in zip(items, values, strict=True) if not missing(value)}

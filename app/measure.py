"""Measure and forecast a criterion of this installation: load what it needs, hand back plain JSON for the screen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from app.settings import Settings
from db import catalog, feedback, jobs, versions
from db.engine import Database
from db.errors import NotFound
from db.nouns import Answer, Snapshot, Statement
from db.versions import Version
from oracle import timing
from oracle.changes import Change
from oracle.forecast import Forecast, Plan, forecast
from oracle.measuring import beginning, measure
from trainer import promotion
from trainer import snapshot as snapshots

KINDS = ("quality", "forecast")
TIMED = 200  # answers whose measured times set the pace
LONGEST_S = 120.0  # somebody who took longer was away
Told = Callable[[int, int], object]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Sight:
    """A criterion as it stands: the served version's snapshot and the standing answers up to `last_event`."""

    criterion: int
    snapshot: Snapshot
    said: Sequence[Statement]
    version: Version
    last_event: int

    def judges(self, one: Statement) -> bool:
        """Whether the served model has never learnt from this audit answer: put aside for ever, or newer than it."""
        return promotion.is_held_out(one) or one.answer > self.version.last_event


def look(settings: Settings, database: Database, criterion: int | str) -> Sight:
    """Raises NotFound before the criterion has a model version, Broken where its snapshot cannot be read."""
    with database.read() as s:
        about = catalog.criterion(s, criterion)
        served = versions.current(s, about.id)
        last = feedback.last_event(s, about.id)
        said = [one for one in feedback.statements(s, about.id) if one.answer <= last]
    if served is None:
        raise NotFound(f"'{about.name}' has no model version yet. It appears once every picture has been looked at.")
    store = settings.store()
    return Sight(about.id, snapshots.load(store, served.artifact, served.id), said, served, last)


def measured(database: Database, sight: Sight, told: Told = lambda *_: None, stopped: Stopped = lambda: False) -> Any:
    """Everything the Quality screen shows, as JSON; what an earlier measurement replayed is not replayed again."""
    known = _replayed(database, sight)
    report = measure(sight.snapshot, sight.said, judges=sight.judges, known=known, told=told, stopped=stopped)
    return {"version": sight.version.id, "last_event": sight.last_event, **_plain(asdict(report))}


def _replayed(database: Database, sight: Sight) -> dict[int, Change]:
    """Effects of answers that the last measurement found, if it looked through the same version and nothing it saw was
    undone since."""
    with database.read() as s:
        last = jobs.newest(s, ["quality"], sight.criterion, ["done"])
    if last is None or last.result is None or last.result.get("version") != sight.version.id:
        return {}
    standing = {one.answer for one in sight.said}
    found = {row["answer"]: Change(**row) for row in last.result.get("changes", [])}
    return found if set(found) <= standing else {}


def forecast_of(
    database: Database,
    sight: Sight,
    plan: Plan,
    *,
    labels: Mapping[int, Any] | None = None,
    error: float | None = None,
    told: Told = lambda *_: None,
    stopped: Stopped = lambda: False,
) -> Forecast:
    """Play the plan from where the criterion stands. error: share of wrong answers; None: as the log says."""
    found = beginning(sight.snapshot, sight.said, judges=sight.judges, stopped=stopped)
    rate = found.error.mean if error is None else error
    plan = replace(plan, error=min(rate, 0.49), pace=pace(database, sight.criterion))
    return forecast(
        sight.snapshot, sight.said, plan, labels=labels, f1=found.f1, told=told, stopped=stopped, graph=found.build
    )


def forecast_document(sight: Sight, found: Forecast) -> Any:
    """The forecast as JSON, with where it started from."""
    answers = len({one.answer for one in sight.said})
    begun = {"version": sight.version.id, "last_event": sight.last_event, "answers": answers}
    return {**begun, **_plain(asdict(found))}


def pace(database: Database, criterion: int) -> float:
    """Real seconds by modelled seconds over the last timed answers; 1 where nobody was timed."""
    with database.read() as s:
        events = feedback.log(s, criterion, limit=TIMED)
    timed = [one for one in events if one.kind == "answer" and one.seconds and one.seconds <= LONGEST_S]
    rows = [(one.question, Answer(one.question.id or 0, one.verdicts, one.source, one.key)) for one in timed]
    modelled = sum(timing.seconds(asked, answer) for asked, answer in rows)
    return sum(one.seconds or 0.0 for one in timed) / modelled if len(timed) >= 5 else 1.0


def _plain(value: Any) -> Any:
    """Tuples as lists; numbers that JSON lacks as nothing."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value

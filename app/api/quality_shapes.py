"""What the Quality routes send: what was measured and foretold, as `oracle` defines it, and where it stands."""

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from app.api.shapes import Id, JobOut, Name, Shape
from oracle.forecast import Forecast
from oracle.measuring import Report

FORBID = ConfigDict(extra="forbid")


@dataclass(config=FORBID, frozen=True, kw_only=True)
class MeasuredOut(Report):
    """One measurement. stale: answers came or went since, or another version asks."""

    version: int
    stale: bool


@dataclass(config=FORBID, frozen=True, kw_only=True)
class ForecastOut(Forecast):
    """One forecast, begun at `answers` answers. stale: as for a measurement."""

    version: int
    answers: int
    stale: bool


class HeldOutOut(Shape):
    """Pair F1 of one version's embedding on held-out audit answers, at the number of answers it had learnt from."""

    version: int
    answers: int
    f1: float


class QualityOut(Shape):
    """What is known now. answers: standing; audits: how many of them are audits; job: a measurement under way."""

    criterion: int
    answers: int
    audits: int
    ready: bool
    measured: MeasuredOut | None
    forecast: ForecastOut | None
    versions: list[HeldOutOut]
    job: JobOut | None


class MeasureIn(Shape):
    """Which criterion to measure: name or id."""

    criterion: Id | Name


class ForecastIn(MeasureIn):
    """screens: how far to look. target: the pair F1 to reach."""

    screens: int = Field(default=200, ge=1, le=2000)
    target: float = Field(default=0.95, gt=0, lt=1)

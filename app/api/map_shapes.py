"""What goes in and out of the map's routes."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.api.shapes import Id, JobOut, Name, Shape

What = Literal["pca", "umap", "groups"]


class MapIn(Shape):
    """What to make in the background. version: the one served by default."""

    criterion: Id | Name
    what: What = "umap"
    version: Id | None = None


class MapCancelIn(Shape):
    criterion: Id | Name
    job: Id


class ChartedOut(Shape):
    """A version that can be drawn. maps: those that are kept."""

    id: int
    status: str
    created_at: datetime
    answers: int
    maps: list[What]


class MapOut(Shape):
    """What there is to draw. current: the version that asks now; newest: the last event of the log."""

    criterion: int
    collection: int
    items: int
    current: int | None
    newest: int
    versions: list[ChartedOut]
    jobs: list[JobOut]


class ValueOut(Shape):
    """One value of a column of kinds, and how many items have it."""

    value: str
    items: int


class ColumnOut(Shape):
    """A metadata column. kinds: how many different values; values: the most frequent; low, high: of numbers."""

    name: str
    kinds: int
    values: list[ValueOut] = Field(default=[])
    low: float | None = None
    high: float | None = None


class ColumnsOut(Shape):
    columns: list[ColumnOut]

"""What the Compare routes take and send."""

from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.shapes import Id, JobOut, MediaOut, Name, Shape

Text = Annotated[str, Field(max_length=200)]


class CompareIn(Shape):
    """What to compare on which criterion (name or id). options: KEY -> value, of the methods that take KEY."""

    criterion: Id | Name
    methods: list[Name] = Field(min_length=1, max_length=12)
    options: dict[Name, Text] = Field(default={}, max_length=40)
    embedding: Literal["served", "untaught"] = "served"
    batch: int = Field(default=256, ge=2, le=1024)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


class CancelIn(Shape):
    criterion: Id | Name


class GradeIn(Shape):
    """One pair, graded: becomes an ordinary answer of the caller. seconds: from shown to answered."""

    criterion: Id | Name
    a: Id
    b: Id
    verdict: Literal["same", "different"]
    seconds: float | None = Field(default=None, ge=0, le=86_400)


class MethodOut(Shape):
    """A named system. settings: its own fields with their defaults, as written."""

    name: str
    idea: str
    family: str
    needs: str
    settings: dict[str, str]


class ShareOut(Shape):
    """A share with its interval. value: None where no pair is known. known: pairs answers settle, of `pairs` drawn."""

    value: float | None
    low: float
    high: float
    known: int
    pairs: int


class PairOut(Shape):
    """A drawn pair. verdict: what the answers settle, None while open. answer: the caller's own, to be undone. term:
    which term of the method made it, empty where there is one."""

    a: MediaOut
    b: MediaOut
    cosine: float
    verdict: Literal["same", "different"] | None
    answer: int | None
    term: str


class ComparedOut(Shape):
    """One method. each: other pictures a picture has of a kind. positives, push, detected: the first pairs drawn."""

    name: str
    settings: dict[str, str]
    notes: list[str]
    refused: bool
    repels: bool
    each: dict[str, float]
    precision: ShareOut
    false: ShareOut
    false_push: ShareOut
    found: ShareOut
    positives: list[PairOut]
    push: list[PairOut]
    detected: list[PairOut]


class SightOut(Shape):
    """Pictures as these methods would see them. views: pictures as data addresses."""

    methods: list[str]
    pictures: list[dict[str, Any]]


class ComparisonOut(Shape):
    """The last comparison, judged by today's answers. stale: another version asks by now. learnt: answers among the
    standing ones that have taught the embedding."""

    version: int | None
    embedding: str
    batch: int
    seed: int
    options: dict[str, str]
    stale: bool
    learnt: int
    methods: list[ComparedOut]
    sights: list[SightOut]


class CompareOut(Shape):
    """methods: what can be compared. answers: standing. related: what pairs pictures. job: a comparison under way."""

    criterion: int
    items: int
    answers: int
    methods: list[MethodOut]
    related: dict[str, Literal["equal", "number", "time", "place"]]
    compared: ComparisonOut | None
    job: JobOut | None

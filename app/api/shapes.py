"""What goes in and out of REST, as typed shapes: validated once, here, at the door."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from db.nouns import Kind, Verdict

Id = Annotated[int, Field(ge=1, le=2**53 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=80)]


def _number(given: object) -> object:
    """In an address everything is text: digits are an id."""
    return int(given) if isinstance(given, str) and given.isdecimal() else given


Which = Annotated[Id | Name, BeforeValidator(_number)]


class Shape(BaseModel):
    """An unknown field is a misspelt field: refused."""

    model_config = ConfigDict(extra="forbid")


class ClaimIn(Shape):
    """Which questions somebody wants to answer. criterion: name or id.

    kinds: the layouts the caller can show; empty means all.
    tab: tells one browser tab (or thread) of a user from another.
    resume: start with what this tab already holds, after a reload.
    """

    criterion: Id | Name
    kind: Kind | None = None
    kinds: list[Kind] = Field(default=[], max_length=len(Kind))
    tab: str = Field(default="", max_length=64, pattern=r"^[\w-]*$")
    resume: bool = False
    count: int = Field(default=1, ge=1, le=32)
    overlap: int = Field(default=1, ge=1, le=9)
    lease_s: float = Field(default=180, ge=5, le=3600)


class LeaseIn(Shape):
    """Proof that the question is leased to the caller."""

    token: str = Field(min_length=1, max_length=200)
    lease_s: float = Field(default=180, ge=5, le=3600)


class ReleaseIn(Shape):
    token: str = Field(min_length=1, max_length=200)


class VerdictIn(Shape):
    """What is said about one pair. background: they look alike only because of the background."""

    a: Id
    b: Id
    verdict: Verdict
    confidence: float | None = Field(default=None, gt=0, le=1)
    background: bool = False


class AnswerIn(Shape):
    """A whole answer: one verdict for every pair of the question. seconds: from shown to answered."""

    question: Id
    verdicts: list[VerdictIn] = Field(min_length=1, max_length=64)
    seconds: float | None = Field(default=None, ge=0, le=86_400)
    lease: str | None = Field(default=None, max_length=200)


class AnswerOut(Shape):
    """The receipt of a stored answer. late: the lease had run out; the answer is kept all the same."""

    id: int
    question: int
    late: bool


class UndoOut(Shape):
    """The receipt of an undo: itself an event in the log."""

    id: int
    undone: int


class MediaOut(Shape):
    """One image as a question shows it. media: address of the re-encoded picture; add ?size=128|256|512|1024."""

    id: int
    media: str
    name: str
    caption: str | None
    width: int
    height: int


class QuestionOut(Shape):
    """One leased question, with the pictures it shows. text: the words it asks about (caption)."""

    id: int
    criterion: int
    kind: Kind
    anchor: MediaOut
    candidates: list[MediaOut]
    context: list[MediaOut]
    reason: str
    proposer: str
    version: int | None
    expected: list[float]
    text: str = ""
    token: str | None
    expires_at: datetime | None


class QuestionsOut(Shape):
    questions: list[QuestionOut]


class LeaseOut(Shape):
    expires_at: datetime


class ItemOut(MediaOut):
    """One image with what is known about it."""

    collection: int
    sha256: str
    taken_at: datetime | None
    latitude: float | None
    longitude: float | None
    attributes: dict[str, Any]


class ItemsOut(Shape):
    """A page of items. next: pass it as `after` for the following page; None on the last."""

    items: list[ItemOut]
    next: int | None


class NeighbourOut(Shape):
    item: MediaOut
    cosine: float


class NeighboursOut(Shape):
    version: int
    neighbours: list[NeighbourOut]


class CollectionIn(Shape):
    name: Name


class CollectionOut(Shape):
    id: int
    name: str
    items: int
    created_at: datetime
    credit: str = ""  # the `credit` column of the metadata: shown wherever the pictures are


class CriterionIn(Shape):
    """What "same" shall mean. collection: name or id. captions: a column whose words are to be reviewed; the prompt
    may be left out then. words: who reads them, towers joined by +, "" for ngrams."""

    name: Name
    collection: Id | Name
    prompt: str = Field(default="", max_length=400)
    captions: str = Field(default="", max_length=200)
    words: str = Field(default="", max_length=200)


class CriterionOut(Shape):
    id: int
    name: str
    collection: int
    prompt: str
    captions: str = ""
    words: str = ""


class VersionOut(Shape):
    id: int
    criterion: int
    parent: int | None
    last_event: int
    metrics: dict[str, Any]
    status: str
    created_at: datetime
    promoted_at: datetime | None


class VersionsOut(Shape):
    versions: list[VersionOut]
    next: int | None


class StepOut(Shape):
    """One reported step. negatives: what pushed in it (`trainer.negative_report`); None in runs of older versions."""

    step: int
    loss: float | None
    losses: dict[str, Any]
    negatives: dict[str, float] | None = None


class RunOut(Shape):
    """One training run: what triggered it, where it stands, its losses so far (of the newest run only)."""

    id: int
    trigger: str
    status: str
    version: int | None
    note: str
    started_at: datetime
    ended_at: datetime | None
    steps: list[StepOut]


class ReviewOut(Shape):
    """How far a review of captions is. looked_at: captions with an answer; found: rejected ones; left: how many wrong
    ones probably stand; stop: whether to; words: all of it in plain sentences."""

    captions: int
    looked_at: int
    found: int
    left: float
    stop: bool
    words: str


class ProgressOut(Shape):
    """How far a criterion is. settled: pairs that follow from the answers; effect: how many of those follow from the
    caller's last `effect_answers` answers. review: of a criterion on captions."""

    criterion: int
    answers: int
    pairs: int
    settled: int
    effect: int
    effect_answers: int
    open_questions: int
    credit: str = ""
    review: ReviewOut | None = None


class LookAlikeOut(Shape):
    """Two pictures that look alike; before, now: the weight with which they push each other away, in [0, 1]."""

    a: MediaOut
    b: MediaOut
    before: float
    now: float
    cosine: float


class DroppedOut(Shape):
    """Negatives that answers dropped. implied: pairs that belong together because of the caller's last `answers`
    answers; implied_alike: how many of those look alike, the first of them shown; softened: pairs the model let go of
    in its newest lesson, `version`."""

    criterion: int
    answers: int
    implied: int
    implied_alike: int
    implied_pairs: list[LookAlikeOut]
    softened: int
    softened_pairs: list[LookAlikeOut]
    version: int | None


class JobOut(Shape):
    """Work in the background. status: queued, running, done, failed or cancelled; progress in [0, 1]."""

    id: int
    kind: str
    status: str
    progress: float
    note: str
    result: dict[str, Any]
    error: str | None
    created_at: datetime


class JobsOut(Shape):
    """Newest first. next: pass it as `before` for the following page."""

    jobs: list[JobOut]
    next: int | None = None


class LoggedOut(Shape):
    """One answer of the log."""

    id: int
    question: int
    source: str
    late: bool
    undone: bool
    created_at: datetime
    verdicts: list[VerdictIn]


class LogOut(Shape):
    answers: list[LoggedOut]
    next: int | None


class ImportIn(Shape):
    """Import of a path on the server (admins only). packed: keep the pictures in few big files. in_place: leave them in
    the tar or Parquet files they lie in."""

    collection: Name
    path: str = Field(min_length=1, max_length=4096)
    metadata: str | None = Field(default=None, max_length=4096)
    packed: bool = False
    in_place: bool = False


class CollectionsOut(Shape):
    """By name. next: pass it as `after` for the following page."""

    collections: list[CollectionOut]
    next: int | None = None


class CriteriaOut(Shape):
    """By id. next: pass it as `after` for the following page."""

    criteria: list[CriterionOut]
    next: int | None = None


class RunsOut(Shape):
    """Newest first. next: pass it as `before` for the following page."""

    runs: list[RunOut]
    next: int | None = None


class PersonOut(Shape):
    name: str
    role: str

"""What goes in and out of the Sessions routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.api.shapes import Id, Name, Shape

Action = Literal["sort", "ask", "new"]
PlacementKind = Literal["placement", "correction", "abstention"]
Words = Annotated[str, Field(max_length=200)]
LONGEST = 36_000_000  # characters: 25 MB as base64, and some


class SessionIn(Shape):
    """A session to open. ask_s: what it costs a person to say where one thing goes; wrong_s: what a wrong bin costs."""

    criterion: Id | Name
    name: Name = "robot"
    ask_s: float = Field(default=4, gt=0, le=86_400)
    wrong_s: float = Field(default=20, gt=0, le=86_400)


class BinOut(Shape):
    """A bin under the criterion, and how many things lie in it, whoever put them there."""

    bin: str
    things: int


class SessionOut(Shape):
    """A session. encoder: what its pictures are seen with; statements: placements, corrections and abstentions."""

    id: int
    criterion: int
    name: str
    state: Literal["open", "paused", "closed"]
    source: str
    encoder: str
    ask_s: float
    wrong_s: float
    observations: int
    statements: int
    bins: list[BinOut]
    created_at: datetime


class SessionsOut(Shape):
    """A page of sessions, newest first. next: pass it as `before` for the following page."""

    sessions: list[SessionOut]
    next: int | None


class ObservationIn(Shape):
    """One look at a thing: the bytes of its picture in base64, or an item of the collection.

    object: what the robot calls it; looks at the same object in one session are views of one thing.
    """

    image: Annotated[str, Field(max_length=LONGEST)] | None = None
    item: Id | None = None
    object: Words = ""
    seen_at: datetime | None = None
    place: Words = ""


class RankOut(Shape):
    """One bin and the chance that the thing belongs there."""

    bin: str
    confidence: float


class ObservationOut(Shape):
    """A look and the answer to it. action: sort it into `bin`, ask a person, or new: it belongs to no bin yet.

    confidence: chance that `bin` is right; new: chance that no bin is. known: somebody has said where it goes. ranking:
    the likeliest bins first.
    """

    id: int
    session: int
    item: int
    object: str
    action: Action
    bin: str | None
    confidence: float
    new: float
    known: bool
    ranking: list[RankOut]
    seen_at: datetime | None
    place: str
    source: str
    created_at: datetime


class ObservationsOut(Shape):
    """A page of observations, newest first. next: pass it as `before` for the following page."""

    observations: list[ObservationOut]
    next: int | None


class PlacementIn(Shape):
    """What was done with a thing, named by one of its observations or as an object.

    placement: it was put into `bin`, so it belongs with what lies there. correction: it was put elsewhere after all.
    abstention: nobody could say, or what was said is taken back.
    """

    observation: Id | None = None
    object: Words = ""
    kind: PlacementKind = "placement"
    bin: Name | None = None


class PlacementOut(Shape):
    """A statement that is in the log for good. supersedes: the one about the same thing that it replaces."""

    id: int
    session: int
    observation: int
    object: str
    kind: PlacementKind
    bin: str | None
    supersedes: int | None
    source: str
    created_at: datetime


class PlacementsOut(Shape):
    """A page of statements, newest first, superseded ones too. next: pass it as `before` for the following page."""

    placements: list[PlacementOut]
    next: int | None

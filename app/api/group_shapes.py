"""What goes in and out of the Groups routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.api.shapes import Id, JobOut, MediaOut, Shape, Which
from db.nouns import Verdict

Seconds = Annotated[float | None, Field(ge=0, le=86_400)]
MOST = 1000  # members of one answer
Members = Annotated[list[Id], Field(max_length=MOST)]


class GroupNameOut(Shape):
    """A name, and the item it is tied to. id: grows with every naming."""

    id: int
    item: int
    name: str
    source: str


class GroupOut(Shape):
    """One group of the current partition. id: its number, kept from one partition to the next; anchor: the item that
    stands for it; confirmed: how many of its items an answer joins to another one of them; doubt: how unsure the
    model is of the items on average, in [0, 1], None where no answer tells; names: the newest first; items: the surest
    first."""

    id: int
    anchor: int
    size: int
    confirmed: int
    doubt: float | None
    names: list[GroupNameOut]
    items: list[MediaOut]


class GroupsOut(Shape):
    """A page of groups. stand: the state they belong to, pass it along with `after`; fresh: no answer is missing in it;
    job: what brings it up to date, where that was asked for (POST /map, what = groups).

    total, items: how many groups and items there are in all.
    """

    groups: list[GroupOut]
    next: int | None
    stand: str
    fresh: bool
    job: JobOut | None
    total: int
    items: int


class MemberOut(MediaOut):
    """One item of a group. sure: how sure the model is of it, in [0, 1], None where no answer tells; confirmed: an
    answer joins it to another."""

    sure: float | None
    confirmed: bool


class MembersOut(Shape):
    """A page of a group's items. next: pass it as `after` for the following page."""

    group: GroupOut
    members: list[MemberOut]
    next: int | None
    stand: str
    fresh: bool
    job: JobOut | None


class MemberIdsOut(Shape):
    """Every item of a group in the state `stand`."""

    ids: list[int]
    stand: str


class LinkOut(Shape):
    """One step of a chain of answers: what somebody said about two pictures."""

    a: MediaOut
    b: MediaOut
    verdict: Verdict
    answer: int
    source: str
    at: datetime


class EvidenceOut(Shape):
    """Why two items are together or apart. verdict: what follows from the answers, None where nothing does; confidence:
    that every link of the chain is right; cosine: how alike they look to the model; together: in one group now."""

    a: MediaOut
    b: MediaOut
    verdict: Verdict | None
    confidence: float | None
    chain: list[LinkOut]
    cosine: float
    together: bool


class GroupAnswerIn(Shape):
    """What a look at a group gave. same: belong with the anchor; different: do not. Nothing is said of the others."""

    criterion: Which
    anchor: Id
    same: Members = Field(default=[])
    different: Members = Field(default=[])
    seconds: Seconds = None


class MergeIn(Shape):
    """Whether two groups are one. a, b: items of each that were shown, first the one that stands for its group."""

    criterion: Which
    a: Annotated[list[Id], Field(min_length=1, max_length=60)]
    b: Annotated[list[Id], Field(min_length=1, max_length=60)]
    verdict: Literal["same", "different", "not_comparable", "unsure"]
    seconds: Seconds = None


class NameIn(Shape):
    """name: of the group that holds the item; empty takes its name away."""

    criterion: Which
    item: Id
    name: str = Field(max_length=80)

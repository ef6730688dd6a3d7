"""What the routes of synthetic pictures take and send."""

from datetime import datetime
from typing import Literal

from app.api.shapes import MediaOut, Shape
from db.synthetic import State


class SyntheticIn(Shape):
    """May it stand for its anchor? proposed: takes the verdict back."""

    state: State


class SyntheticOut(Shape):
    """A picture that a generator made of an item, its anchor. media: address of the re-encoded picture; add ?size=.
    maker: start of the checksum of the generator's weights. source, decided_at: who judged it and when."""

    id: int
    synthetic: Literal[True]
    media: str
    anchor: MediaOut
    method: str
    maker: str
    seed: int
    state: State
    source: str
    decided_at: datetime | None


class SyntheticsOut(Shape):
    """Synthetic pictures by id. counts: how many of the collection are in each state. next: pass it as `after`."""

    collection: int
    counts: dict[State, int]
    pictures: list[SyntheticOut]
    next: int | None


class SyntheticVerdictOut(Shape):
    """The receipt of a verdict: stored for good."""

    id: int
    picture: int
    state: State

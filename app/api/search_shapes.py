"""What goes in and out of a search."""

from typing import Annotated

from pydantic import Field

from app.api.shapes import Id, ItemOut, Name, Shape

Vector = Annotated[str, Field(max_length=65_536, pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


class SearchIn(Shape):
    """What to look for. items: alike to these; or vector: a picture, as `/search/picture` saw it with `version`; or
    text: a sentence, where captions have taught words.

    liked, disliked: items that steer. where: column -> value that a result must have. after: results to skip.
    """

    criterion: Id | Name
    items: list[Id] = Field(default=[], max_length=50)
    vector: Vector | None = None
    version: Id | None = None
    text: str = Field(default="", max_length=400)
    liked: list[Id] = Field(default=[], max_length=500)
    disliked: list[Id] = Field(default=[], max_length=500)
    where: dict[str, Annotated[str, Field(max_length=200)]] = Field(default={}, max_length=8)
    after: int = Field(default=0, ge=0, le=2000)
    limit: int = Field(default=100, ge=1, le=200)


class FoundOut(Shape):
    """One result. cosine: to what was looked for, steering included, in [-1, 1]."""

    item: ItemOut
    cosine: float


class SearchOut(Shape):
    """A page of results, most alike first. total: how many can be paged through; among: items that were searched.

    engine: how they were searched, see PAIRWRIGHT_SEARCH; recall: measured share of the true ten nearest that it finds,
    1 where all items are compared.
    """

    version: int
    total: int
    among: int
    engine: str
    recall: float
    results: list[FoundOut]


class SeenOut(Shape):
    """A picture as a version sees it: float32 numbers in base64. Nothing of it is kept."""

    version: int
    vector: Vector


class SearchAboutOut(Shape):
    """What can be searched. sentence: why a sentence cannot be searched with, or None where it can."""

    version: int | None
    encoder: str
    items: int
    sentence: str | None

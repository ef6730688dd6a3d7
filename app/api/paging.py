"""Keyset pages: every list is read from the id where the page before ended, so that nothing is shown twice or left out
while rows are added."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query

LARGEST = 2**53 - 1  # a JavaScript number is exact up to here
After = Annotated[int, Query(ge=0, le=LARGEST, description="`next` of the page before.")]
Before = Annotated[int | None, Query(ge=1, le=LARGEST, description="`next` of the page before.")]


def cut(found: Sequence[Any], limit: int) -> tuple[Sequence[Any], int | None]:
    """The page and its `next`, from rows that were asked for with one more than the limit."""
    shown = found[:limit]
    return shown, int(shown[-1].id) if len(found) > limit else None

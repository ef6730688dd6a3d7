"""The groups of the current partition: what the model believes together with what the answers say."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query

from app.api import views
from app.api.context import Context, Here, Viewer
from app.api.models import snapshot_of
from app.api.shapes import GroupOut, GroupsOut, Which
from db import catalog, feedback
from db.nouns import Item, Snapshot, Statement
from oracle.holdout import weighed

router = APIRouter(prefix="/groups", tags=["groups"])


_kept: dict[tuple[int, int, int], np.ndarray] = {}
_KEEP = 4


def partition(key: tuple[int, int, int], snapshot: Snapshot, said: list[Statement]) -> np.ndarray:
    """(N,) group number of every row of the snapshot; the last few are kept, as inference takes its time.

    key: (criterion, version, last event): what the partition depends on.
    """
    if key not in _kept:
        labels = weighed(snapshot, said)[1].labels
        while len(_kept) >= _KEEP:
            _kept.pop(next(iter(_kept)), None)
        _kept[key] = labels
    return _kept[key]


@router.get("")
def groups(
    here: Here,
    _: Viewer,
    criterion: Which,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    items: Annotated[int, Query(ge=1, le=60)] = 12,
) -> GroupsOut:
    """Groups, largest first, each with its first items. next: pass it as `after` for the following page."""
    members, said = _members(here, criterion)
    placed = {item for one in said for item in (one.a, one.b)}
    page = members[after : after + limit]
    wanted = sorted({int(item) for group in page for item in group[:items]})
    with here.database.read() as s:
        known = catalog.items_by_id(s, wanted)
    found = [
        _group(after + place, group, placed, [known[int(item)] for item in group[:items]])
        for place, group in enumerate(page)
    ]
    return GroupsOut(groups=found, next=after + limit if after + limit < len(members) else None)


def _group(place: int, members: np.ndarray, placed: set[int], first: list[Item]) -> GroupOut:
    confirmed = sum(int(item) in placed for item in members)
    return GroupOut(id=place + 1, size=len(members), confirmed=confirmed, items=[views.media(one) for one in first])


def _members(here: Context, criterion: int | str) -> tuple[list[np.ndarray], list[Statement]]:
    """Item ids of every group, largest group first, ties by first item."""
    snapshot = snapshot_of(here, criterion)
    with here.database.read() as s:
        about = catalog.criterion(s, criterion).id
        said = feedback.statements(s, about)
        key = (about, snapshot.version, feedback.last_event(s, about))
    labels = partition(key, snapshot, said)
    members = [snapshot.ids[labels == label] for label in np.unique(labels)]
    return sorted(members, key=lambda group: (-len(group), int(group[0]))), said

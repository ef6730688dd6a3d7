"""Which negatives were dropped because of answers: look-alikes that used to push each other away and no longer do.

Two honest sources. What follows from the caller's last answers is read off the constraint graph, with and without
them. What the model has let go of since the lesson before is in the metrics of its newest version, as the trainer found
it (`trainer.letting_go`).
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from app.api import views
from app.api.context import Context, Here, Viewer
from app.api.models import snapshot_of
from app.api.shapes import DroppedOut, LookAlikeOut, Which
from db import catalog, feedback, versions
from db.errors import Broken, NotFound
from db.nouns import Snapshot, Statement
from oracle.constraints import ConstraintGraph

router = APIRouter(tags=["progress"])
SHOWN = 8
Row = tuple[int, int, float, float, float]  # item, item, weight before, weight now, cosine


@router.get("/dropped")
def dropped(here: Here, person: Viewer, criterion: Which, last: Annotated[int, Query(ge=1, le=200)] = 20) -> DroppedOut:
    """Pairs that stopped pushing because of the caller's last answers, and those the model let go of lately."""
    with here.database.read() as s:
        about = catalog.criterion(s, criterion).id
        said = feedback.statements(s, about)
        known = versions.versions(s, about)
    mine = sorted({one.answer for one in said if one.source == person.name})[-last:]
    count, together = joined([one for one in said if one.answer not in set(mine)], said)
    said_pairs = alike(together, _snapshot(here, about))
    newest = next((one for one in reversed(known) if "let_go" in one.metrics), None)
    let_go: dict[str, Any] = newest.metrics["let_go"] if newest else {"count": 0, "pairs": []}
    softened = [(int(a), int(b), float(was), float(now), float(near)) for a, b, was, now, near in let_go["pairs"]]
    return DroppedOut(
        criterion=about,
        answers=len(mine),
        implied=count,
        implied_alike=len(said_pairs),
        implied_pairs=_shown(here, said_pairs[:SHOWN]),
        softened=int(let_go["count"]),
        softened_pairs=_shown(here, softened[:SHOWN]),
        version=newest.id if newest else None,
    )


def joined(before: Sequence[Statement], after: Sequence[Statement]) -> tuple[int, dict[int, tuple[int, int]]]:
    """Pairs that belong together by the later log and not by the earlier one, and (new, old) group of their items."""
    old, new = (ConstraintGraph.build(log).trusted_components() for log in (before, after))
    was = {item: number for number, group in enumerate(old) for item in group}
    count = 0
    found: dict[int, tuple[int, int]] = {}
    for number, group in enumerate(new):
        parts = [was.get(item, -1 - place) for place, item in enumerate(group)]
        sizes = np.unique(parts, return_counts=True)[1]
        fresh = (len(group) ** 2 - int((sizes**2).sum())) // 2
        count += fresh
        if fresh:
            found |= {item: (number, part) for item, part in zip(group, parts, strict=True)}
    return count, found


def alike(together: dict[int, tuple[int, int]], snapshot: Snapshot | None) -> list[Row]:
    """Those of the newly joined pairs that are near neighbours, nearest first: they pushed hardest, with weight 1."""
    found: dict[tuple[int, int], float] = {}
    for item, (group, part) in together.items():
        row = snapshot.position.get(item) if snapshot is not None else None
        if snapshot is None or row is None:
            continue
        for place, cosine in zip(snapshot.neighbours[row], snapshot.cosines[row], strict=True):
            other = int(snapshot.ids[place])
            its = together.get(other)
            if its is not None and its[0] == group and its[1] != part:
                found[min(item, other), max(item, other)] = float(cosine)
    return [(a, b, 1.0, 0.0, cosine) for (a, b), cosine in sorted(found.items(), key=lambda one: (-one[1], one[0]))]


def _snapshot(here: Context, criterion: int) -> Snapshot | None:
    try:
        return snapshot_of(here, criterion)
    except (NotFound, Broken):
        return None


def _shown(here: Context, rows: Iterable[Row]) -> list[LookAlikeOut]:
    """With their pictures; a pair whose item is gone is left out."""
    rows = list(rows)
    with here.database.read() as s:
        items: Any = catalog.items_by_id(s, sorted({item for row in rows for item in row[:2]}))
    return [
        LookAlikeOut(a=views.media(items[a]), b=views.media(items[b]), before=was, now=now, cosine=near)
        for a, b, was, now, near in rows
        if a in items and b in items
    ]

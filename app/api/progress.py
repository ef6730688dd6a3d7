"""How far a criterion is, and what the last answers were worth in pairs."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sqlalchemy.orm import Session

from app.api.context import Context, Here, Viewer
from app.api.shapes import ProgressOut, ReviewOut, Which
from db import catalog, feedback, queue
from db.catalog import Criterion
from db.nouns import Statement, Verdict
from oracle import proofread
from oracle.ledger import Fits
from trainer.fits import as_it_stands

router = APIRouter(tags=["progress"])


def settled_pairs(said: Sequence[Statement]) -> int:
    """Pairs that follow from these statements: within a group, and between two groups held apart by a "different".

    Raw counting for the screen: every answer is taken at its word; the constraint graph decides what is believed.
    """
    firm = [one for one in said if one.verdict in (Verdict.SAME, Verdict.DIFFERENT)]
    if not firm:
        return 0
    ends = np.array([(one.a, one.b) for one in firm])
    items, flat = np.unique(ends, return_inverse=True)
    ends = flat.reshape(-1, 2)  # (M, 2) positions
    same = np.array([one.verdict is Verdict.SAME and not one.background for one in firm])
    linked = coo_array((np.ones(same.sum()), ends[same].T), shape=(len(items), len(items)))
    _, group = connected_components(linked, directed=False)
    sizes = np.bincount(group).astype(np.int64)
    different = np.array([one.verdict is Verdict.DIFFERENT for one in firm])
    apart = np.unique(np.sort(group[ends[different]].reshape(-1, 2), axis=1), axis=0)
    apart = apart[apart[:, 0] != apart[:, 1]]
    return int((sizes * (sizes - 1) // 2).sum() + (sizes[apart[:, 0]] * sizes[apart[:, 1]]).sum())


@router.get("/progress")
def progress(
    here: Here, person: Viewer, criterion: Which, last: Annotated[int, Query(ge=1, le=200)] = 20
) -> ProgressOut:
    """Counts for the status line: "your last 20 answers settled 143 pairs"."""
    with here.database.read() as s:
        found = catalog.criterion(s, criterion)
        about, credit = found.id, catalog.credit(s, found.collection)
        reviewed = _review(s, here, found) if found.captions else None
        said = feedback.statements(s, about)
        open_questions = queue.open_count(s, about)
    mine = sorted({one.answer for one in said if one.source == person.name})[-last:]
    recent = set(mine)
    before = settled_pairs([one for one in said if one.answer not in recent])
    settled = settled_pairs(said)
    return ProgressOut(
        criterion=about,
        answers=reviewed[1] if reviewed else len({one.answer for one in said}),
        pairs=len(said),
        settled=settled,
        effect=max(0, settled - before),
        effect_answers=len(mine),
        open_questions=open_questions,
        credit=credit,
        review=reviewed[0] if reviewed else None,
    )


def _review(s: Session, here: Context, about: Criterion) -> tuple[ReviewOut, int]:
    """How far a review of captions is, and how many verdicts stand."""
    reader = as_it_stands(s, here.settings.store(), about)
    now = proofread.progress(reader.fits or Fits({}, {}), reader.graph)
    shown = ReviewOut(
        captions=now.captions, looked_at=now.looked_at, found=now.found, left=now.left, stop=now.stop, words=now.words
    )
    return shown, reader.graph.size

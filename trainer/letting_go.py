"""Which look-alikes stopped pushing each other away: what this lesson knows against what the one before knew.

    pushed_ij = 1 - p(same)   of every item i and its neighbours j that no answer places both

Near neighbours push hardest, so these are where a change is felt. Only weights that fell by a quarter or more, to below
a half, are told.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from db.nouns import Snapshot, Statement
from oracle.audits import witnesses_of
from trainer.batches import Knowledge

FELL, BELOW, SHOWN = 0.25, 0.5, 24
BLOCK = 8192


def let_go(before: Knowledge, now: Knowledge, snapshot: Snapshot) -> dict[str, Any]:
    """count: pairs that hardly push any more; pairs: the nearest of them, [id, id, weight before, weight now, cosine].

    Both must know the items of the snapshot, in its order.
    """
    found: list[list[float]] = []
    count = 0
    for first, second, cosine in _near(snapshot):
        old, new = (1 - known.chance(first, second).double() for known in (before, now))
        open_ = (now.member[first] < 0) | (now.member[second] < 0)
        fell = torch.nonzero(open_ & (old - new >= FELL) & (new < BELOW))[:, 0]
        count += len(fell)
        table = torch.stack([now.ids[first], now.ids[second], old, new, cosine], 1)[fell]
        found = sorted([*found, *table.tolist()], key=lambda row: -row[4])[:SHOWN]
    return {"count": count, "pairs": [[int(a), int(b), *(round(x, 4) for x in rest)] for a, b, *rest in found]}


def taken_rightly(known: Knowledge, snapshot: Snapshot, witnesses: Sequence[Statement]) -> dict[str, float]:
    """How far elimination can be trusted, by held-out audit answers: of the pairs it takes half or more from.

    detected_precision: share of them that are the same; detected_asked: how many they are. Nothing where none are.
    """
    found = witnesses_of(witnesses, snapshot)
    first, second = torch.from_numpy(found.rows).T
    open_ = (known.member[first] < 0) | (known.member[second] < 0)
    taken = (open_ & (known.chance(first, second) > BELOW)).numpy()
    if not taken.any():
        return {}
    right = float(np.average(found.same[taken], weights=found.weight[taken]))
    return {"detected_precision": right, "detected_asked": float(taken.sum())}


def _near(snapshot: Snapshot) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Every pair of near neighbours once, as rows (P,), rows (P,) and cosine (P,), in blocks."""
    near, cosines = torch.from_numpy(snapshot.neighbours), torch.from_numpy(snapshot.cosines).double()
    for start in range(0, len(near), BLOCK):
        others, cosine = near[start : start + BLOCK], cosines[start : start + BLOCK]
        rows = torch.arange(start, start + len(others))[:, None].expand_as(others)
        mutual = (near[others] == rows[..., None]).any(-1)
        once = (rows < others) | ~mutual
        yield rows[once], others[once], cosine[once]

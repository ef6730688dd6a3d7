"""For every picture one that a rule relates it to, drawn by weight; in memory that grows with the pictures alone.

rows in an order where related ones are close -> a few stretches of it for each row (`_Line`, `_Grid`)
    -> draw from them, keep what is related [ROUNDS] -> look through the stretches of those left, a part at a time
"""

from dataclasses import dataclass

import numpy as np

from trainer.kernels import Around, Near, Rule

ROUNDS = 8  # draws before the stretches of a row are looked through
AT_ONCE = 1 << 20  # candidates looked at together
CELLS = 1 << 19  # at most so many cells from the middle of the Earth to its surface


@dataclass(frozen=True, eq=False)
class Stretches:
    """order: (M,) rows. low, high: (N, R) where in it the candidates of a row are; they overlap in no place."""

    order: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """(N, R)"""
        return np.maximum(self.high - self.low, 0)


def partners(rule: Rule, random: np.random.Generator, weights: np.ndarray | None = None) -> np.ndarray:
    """(N,) int64: for each row a related one, as likely as it weighs; the row itself where there is none."""
    stretches = _stretches(rule)
    drawn = np.arange(len(stretches.low))
    totals = stretches.lengths.sum(1)
    left = np.flatnonzero(totals > 1)
    keep = None if weights is None else weights / weights.max(initial=1e-300)
    for _ in range(ROUNDS):
        found = _candidates(stretches, left, random)
        good = rule(left, found)
        if keep is not None:
            good &= random.random(len(found)) < keep[found]
        drawn[left[good]] = found[good]
        left = left[~good]
    return _looked_through(rule, stretches, left, drawn, random, weights)


def _candidates(stretches: Stretches, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(n,) one candidate of each row, all alike."""
    ends = stretches.lengths[rows].cumsum(1)  # (n, R)
    at = random.integers(0, np.maximum(ends[:, -1], 1)) if len(rows) else np.empty(0, np.int64)
    which = (at[:, None] >= ends).sum(1)
    line = np.arange(len(rows))
    before = ends[line, which] - stretches.lengths[rows, which]
    return stretches.order[stretches.low[rows, which] + at - before]


def _looked_through(
    rule: Rule, stretches: Stretches, rows: np.ndarray, drawn: np.ndarray, random: np.random.Generator,
    weights: np.ndarray | None,
) -> np.ndarray:  # fmt: skip
    """The same for rows whose draws all failed: among all of their candidates, a part of the rows at a time."""
    ends = stretches.lengths[rows].sum(1).cumsum()
    for part in np.split(rows, np.searchsorted(ends, np.arange(AT_ONCE, ends[-1] if len(ends) else 0, AT_ONCE))):
        one, other = _pairs(stretches, part)
        related = rule(one, other)
        one, other = one[related], other[related]
        noise = random.random(len(one))
        height = np.log(-np.log(noise.clip(1e-300))) - (0 if weights is None else np.log(weights[other]))  # exponential
        order = np.lexsort((height, one))
        first = order[np.flatnonzero(np.diff(one[order], prepend=-1))]
        drawn[one[first]] = other[first]
    return drawn


def _pairs(stretches: Stretches, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(P,) rows and (P,) candidates, all of them."""
    lengths, low = stretches.lengths[rows].ravel(), stretches.low[rows].ravel()
    start = np.repeat(low - np.concatenate([[0], lengths.cumsum()[:-1]]) if len(low) else low, lengths)
    one = np.repeat(np.repeat(rows, stretches.low.shape[1]), lengths)
    return one, stretches.order[start + np.arange(lengths.sum())]


def _stretches(rule: Rule) -> Stretches:
    """By places where the rule has a radius, else by the first window, else by group."""
    groups = rule.groups
    around = next((kernel for kernel in rule.kernels if isinstance(kernel, Around)), None)
    near = next((kernel for kernel in rule.kernels if isinstance(kernel, Near)), None)
    if around is not None:
        return _grid(groups, around)
    if near is not None:
        return _line(groups, near)
    return _within(groups, np.zeros((len(groups), 1)), np.zeros((len(groups), 1)), np.zeros(len(groups)), groups)


def _line(groups: np.ndarray, near: Near) -> Stretches:
    """Values in order within each group; on a circle each turn before and after it once more."""
    values = np.where(groups < 0, 0.0, near.values)
    turns = (-1, 0, 1) if near.period else (0,)
    rows = np.tile(np.arange(len(groups)), len(turns))
    along = np.concatenate([values + turn * near.period for turn in turns])
    slack = 1e-9 * max(1.0, float(np.abs(along).max(initial=0.0)))
    low, high = values - near.reach - slack, values + near.reach + slack
    found = _within(groups, low[:, None], high[:, None], along, groups[rows], rows)
    if not near.period:
        return found
    return Stretches(found.order, found.low, np.minimum(found.high, found.low + _sizes(groups)[:, None]))


def _sizes(groups: np.ndarray) -> np.ndarray:
    """(N,) how many rows the group of each has."""
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(counts[place])


def _grid(groups: np.ndarray, around: Around) -> Stretches:
    """Cells as wide as the radius: nine columns of three cells are around a point."""
    side = max(around.chord, 1 / CELLS) * (1 + 1e-9)
    cell = np.floor(np.where(groups[:, None] < 0, 0.0, around.points) / side).astype(np.int64)  # (N, 3)
    span = np.int64(2 * CELLS + 4)
    flat = (cell[:, 0] + CELLS + 2) * span + cell[:, 1] + CELLS + 2
    known, column = np.unique(np.stack([groups, flat], 1), axis=0, return_inverse=True)
    column = column.reshape(-1)
    wanted = [_place(known, groups, flat + dx * span + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    columns = np.stack(wanted, 1)  # (N, 9), -1 where nobody is
    height = cell[:, 2].astype(float)
    low, high = (np.repeat((height + step)[:, None], 9, 1) for step in (-1, 1))
    return _within(columns, low, high, height, np.where(groups < 0, -1, column))


def _place(known: np.ndarray, groups: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """(N,) number of the column of a group, -1 where it has none."""
    _, place = np.unique(np.concatenate([known, np.stack([groups, flat], 1)]), axis=0, return_inverse=True)
    place = place.reshape(-1)
    number = np.full(int(place.max(initial=0)) + 1, -1, np.int64)
    number[place[: len(known)]] = np.arange(len(known))
    return np.where(groups < 0, -1, number[place[len(known) :]])


def _within(
    wanted: np.ndarray, low: np.ndarray, high: np.ndarray, along: np.ndarray, groups: np.ndarray,
    rows: np.ndarray | None = None,
) -> Stretches:  # fmt: skip
    """wanted: (N,) or (N, R) groups, -1 none; low, high: (N, R) bounds of `along` (M,), which belongs to `groups`."""
    order = np.lexsort((along, groups))
    wanted = np.broadcast_to(wanted[:, None] if wanted.ndim == 1 else wanted, low.shape)
    steps, rank = np.unique(along, return_inverse=True)
    width = len(steps) + 1
    keys = (groups * width + rank.reshape(-1))[order]  # one number that rises along the order
    first = np.searchsorted(keys, wanted * width + np.searchsorted(steps, low, "left"), "left")
    last = np.searchsorted(keys, wanted * width + np.searchsorted(steps, high, "right"), "left")
    nobody = wanted < 0
    return Stretches(order if rows is None else rows[order], np.where(nobody, 0, first), np.where(nobody, 0, last))

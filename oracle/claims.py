"""What a belief claims of pairs: the chance that they are the same, counted up over all pairs.

    claim of a pair: log-odds of sum over groups of q_ig q_jg, in bins of 0.3

Pairs that a partition puts together and pairs it keeps apart are counted separately, and again those no answer settles.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from oracle.audits import Known, implied_pairs
from oracle.belief import Belief
from oracle.constraints import ConstraintGraph

LIMIT = 13.5  # log-odds: chances from about 1e-6 to 1 - 1e-6
BINS = 90
CENTRES = (np.arange(BINS) + 0.5) / BINS * 2 * LIMIT - LIMIT
DRAWN = 40_000  # pairs that stand for all of a stratum


@dataclass(frozen=True, eq=False)
class Claims:
    """Of all pairs of a partition. shares: (2, BINS) for pairs together and pairs apart, rows sum to 1; left: the same
    of the pairs no answer settles. sizes: (2,) pairs; left_sizes: (2,) of those no answer settles. items: N."""

    shares: np.ndarray
    left: np.ndarray
    sizes: np.ndarray
    left_sizes: np.ndarray
    items: int


def claimed(belief: Belief, rows: np.ndarray) -> np.ndarray:
    """(P,) log-odds that pairs of rows are the same, by this belief. rows: (P, 2)."""
    chance = belief.joint[:, :-1] if belief.groups else belief.probabilities  # (N, G)
    one, other = chance[rows[:, 0]], chance[rows[:, 1]]
    return np.asarray(np.clip(logit(np.clip((one * other).sum(1), 1e-9, 1 - 1e-9)), -LIMIT, LIMIT))


def binned(claims: np.ndarray) -> np.ndarray:
    """(P,) bin of each claim."""
    return np.clip(((claims + LIMIT) / (2 * LIMIT) * BINS).astype(np.int64), 0, BINS - 1)


def claims_of(belief: Belief, graph: ConstraintGraph, seed: int = 0) -> Claims:
    """The claims of all pairs, by a large sample of them."""
    snapshot, labels, rng = belief.snapshot, belief.labels, np.random.default_rng(seed)
    sizes = _sizes(labels)
    settled = np.array(implied_pairs(graph, snapshot, labels))
    known = Known.of(graph, snapshot)
    samples = (_together(labels, rng), _apart(labels, rng))
    bins = [binned(claimed(belief, rows)) for rows in samples]
    open_ = [~known.settled(rows) for rows in samples]
    shares = [_shares(one, np.ones(len(one), bool)) for one in bins]
    left = [_shares(one, rows) for one, rows in zip(bins, open_, strict=True)]
    return Claims(np.array(shares), np.array(left), sizes, np.maximum(sizes - settled, 0.0), len(snapshot.ids))


def _sizes(labels: np.ndarray) -> np.ndarray:
    """(2,) pairs that a partition puts together, and apart."""
    count = np.unique(labels, return_counts=True)[1].astype(np.float64)
    together = float((count * (count - 1) / 2).sum())
    return np.array([together, len(labels) * (len(labels) - 1) / 2 - together])


def _together(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(P, 2) pairs within groups, drawn with replacement."""
    order = np.argsort(labels, kind="stable")
    count = np.unique(labels, return_counts=True)[1]
    begin, weight = np.cumsum(count) - count, count * (count - 1.0)
    if not weight.sum():
        return np.zeros((0, 2), dtype=np.int64)
    group = rng.choice(len(count), DRAWN, p=weight / weight.sum())
    one = (rng.random(DRAWN) * count[group]).astype(np.int64)
    other = (one + 1 + (rng.random(DRAWN) * (count[group] - 1)).astype(np.int64)) % count[group]
    return np.column_stack([order[begin[group] + one], order[begin[group] + other]])


def _apart(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(P, 2) pairs across groups, drawn with replacement."""
    rows = rng.integers(0, max(len(labels), 1), (2 * DRAWN, 2)) if len(labels) else np.zeros((0, 2), dtype=np.int64)
    return np.asarray(rows[labels[rows[:, 0]] != labels[rows[:, 1]]])


def _shares(bins: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(BINS,) how the chosen ones spread; evenly where there are none."""
    found = np.bincount(bins[rows], minlength=BINS).astype(np.float64)
    return found / found.sum() if found.sum() else np.full(BINS, 1 / BINS)

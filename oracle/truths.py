"""Hidden truths to play against: partitions drawn from what is believed, and smaller collections to play on.

Near items are drawn alike: a Gaussian copula whose noise is averaged over the neighbours keeps every item's own chances
and makes mistakes come in patches, as they do.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr

from db.nouns import Snapshot, Statement
from oracle.belief import Belief

ALIKE = 8  # neighbours whose noise an item shares


def draw(belief: Belief, rng: np.random.Generator, f1: float | None = None) -> np.ndarray:
    """(N,) one partition drawn from the posterior, near items alike.

    f1: how near it shall be to the current partition, by pair F1. Then the items in most doubt are redrawn first, and
    no more of them than it takes. Items the answers placed may be wrong too, as likely as the belief says.
    """
    drawn, doubt = _posterior(belief, rng)
    if f1 is None:
        return drawn
    luck = -np.log(rng.random(len(drawn)))
    turn = np.argsort(luck / np.maximum(doubt, 1e-9), kind="stable")
    turn = turn[drawn[turn] != belief.labels[turn]]  # redrawing the others changes nothing

    def mixed(count: int) -> np.ndarray:
        made = belief.labels.copy()
        made[turn[:count]] = drawn[turn[:count]]
        return made

    few, many = 0, len(turn)
    while few < many:  # the F1 falls as more items are redrawn
        middle = (few + many) // 2
        few, many = (middle + 1, many) if pair_f1(mixed(middle), belief.labels) > f1 else (few, middle)
    return mixed(few)


def _posterior(belief: Belief, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(N,) a draw in the names of the current partition, and (N,) each item's doubt. Items of a group not seen yet
    share one with whom they started with."""
    snapshot = belief.snapshot
    chance = belief.joint if belief.groups else belief.probabilities  # (N, G + 1) or (N, start groups)
    noise = rng.standard_normal(chance.shape)
    near = snapshot.neighbours[:, :ALIKE]
    if near.shape[1]:
        noise = (noise + noise[near].sum(1)) / np.sqrt(near.shape[1] + 1)  # (N, G) still standard normal
    level = np.clip(ndtr(noise), 1e-12, 1 - 1e-12)
    drawn = (np.log(chance + 1e-12) - np.log(-np.log(level))).argmax(1)  # Gumbel's trick keeps every item's chances
    doubt = 1 - chance.max(1)
    if not belief.groups:
        return drawn, doubt
    house = np.zeros(belief.groups, dtype=np.int64)
    placed = belief.member >= 0
    house[belief.member[placed]] = belief.labels[placed]
    fresh = int(belief.labels.max()) + 1 + snapshot.start
    return np.where(drawn == belief.groups, fresh, house[np.minimum(drawn, belief.groups - 1)]), doubt


def known(snapshot: Snapshot, drawn: np.ndarray, labels: Mapping[int, Any]) -> np.ndarray:
    """The drawn partition with every known label in its place. An unlabelled item takes the label that most labelled
    items of its drawn group carry."""
    if not labels:
        return drawn
    names = {name: number for number, name in enumerate(sorted({str(value) for value in labels.values()}))}
    own = np.array([names[str(labels[item])] if item in labels else -1 for item in snapshot.ids.tolist()])
    votes = np.zeros((int(drawn.max()) + 1, len(names)))
    np.add.at(votes, (drawn[own >= 0], own[own >= 0]), 1.0)
    most = np.where(votes.sum(1) > 0, votes.argmax(1), len(names) + np.arange(len(votes)))
    return np.where(own >= 0, own, most[drawn])


def subsample(snapshot: Snapshot, said: Sequence[Statement], most: int, seed: int) -> Snapshot:
    """At most `most` items: those answers speak of first, the rest by chance; neighbours are found anew."""
    count = len(snapshot.ids)
    if count <= most:
        return snapshot
    rng = np.random.default_rng(seed)
    asked = np.isin(snapshot.ids, np.array([(one.a, one.b) for one in said], dtype=np.int64).ravel())
    order = np.lexsort((rng.random(count), ~asked))
    rows = np.sort(order[:most])
    vectors = snapshot.vectors[rows]
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    near = np.argsort(-cosines, axis=1, kind="stable")[:, : min(snapshot.neighbours.shape[1], most - 1)]
    start = np.unique(snapshot.start[rows], return_inverse=True)[1]
    return Snapshot(
        snapshot.version,
        snapshot.ids[rows],
        vectors,
        near,
        np.take_along_axis(cosines, near, 1),
        start.astype(np.int64),
    )


def pair_f1(truth: np.ndarray, labels: np.ndarray) -> float:
    """Pair F1 of two partitions, (N,) each. 1 where neither puts any pair together."""
    return agreement(truth, labels)[2]


def agreement(truth: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """Pair precision, recall and F1 of labels against the truth, (N,) each. 1 where there is no pair to judge by."""
    groups, names = np.unique(truth, return_inverse=True)[1], np.unique(labels, return_inverse=True)[1]
    both = _pairs(np.bincount(groups * (int(names.max(initial=0)) + 1) + names))
    same, together = _pairs(np.bincount(groups)), _pairs(np.bincount(names))
    whole = same + together
    return both / together if together else 1.0, both / same if same else 1.0, 2 * both / whole if whole else 1.0


def _pairs(sizes: np.ndarray) -> float:
    return float((sizes.astype(np.float64) * (sizes - 1)).sum() / 2)

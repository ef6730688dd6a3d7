"""Hidden truths to play against: partitions that might be true, and smaller collections to play on.

    some items the answers have not placed, drawn by chance -> a group for each from its posterior, near items alike
    -> as if answers had said so, what would be believed? -> its groups, patch by patch, until far enough from today's

A truth made so follows the embedding as a real one does: mistakes come in patches, small and large, and some answers
within a patch set it right. Drawing every item on its own instead makes truths that no number of answers finds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse
from scipy.optimize import linear_sum_assignment
from scipy.special import ndtr

from db.nouns import Snapshot, Statement, Verdict
from oracle.belief import Belief
from oracle.constraints import ConstraintGraph
from oracle.holdout import without

ALIKE = 8  # neighbours whose noise an item shares
CLUSTER = 0.5  # share of the noise's variance that a start cluster has in common
FEWEST, SHARE, MOST = 20, 0.25, 400  # items that are drawn: a share of all, at least and at most
SHARPNESS = (1.0, 0.6, 0.35, 0.2)  # powers of their chances, until a draw is far enough
SURE = 3  # answers that stand for a drawn group
SOURCE = "truth"


def draw(belief: Belief, graph: ConstraintGraph, rng: np.random.Generator, f1: float | None = None) -> np.ndarray:
    """(N,) one partition that might be true.

    graph: what was answered; the belief is of it. It is the same afterwards. f1: how near the truth shall be to the
    current partition, by pair F1; None: however near it is.
    """
    labels = belief.labels
    wild = _wild(belief, graph, rng, SHARPNESS[0])
    if f1 is None:
        return wild
    for sharpness in SHARPNESS[1:]:
        if pair_f1(wild, labels) > f1:
            wild = _wild(belief, graph, rng, sharpness)
    patch = np.unique(np.column_stack([belief.snapshot.start, labels, wild]), axis=0, return_inverse=True)[1].ravel()
    luck = rng.random(int(patch.max(initial=0)) + 1)[patch]
    turn = np.argsort(luck, kind="stable")
    turn = turn[wild[turn] != labels[turn]]

    def mixed(count: int) -> np.ndarray:
        made = labels.copy()
        made[turn[:count]] = wild[turn[:count]]
        return made

    few, many = 0, len(turn)
    while few < many:  # the F1 falls as more items move
        middle = (few + many) // 2
        few, many = (middle + 1, many) if pair_f1(mixed(middle), labels) > f1 else (few, middle)
    return mixed(few)


def _wild(belief: Belief, graph: ConstraintGraph, rng: np.random.Generator, sharpness: float) -> np.ndarray:
    """(N,) what would be believed if some items had said where they belong, in the names of the current partition."""
    pins = _pins(belief, rng, sharpness)
    first = max((one.answer for one in graph.statements), default=0) + 1
    said = [
        Statement(first + number, a, b, Verdict.SAME, SOURCE)
        for number, (a, b) in enumerate(pair for pair in pins for _ in range(SURE))
    ]
    graph.update(said)
    found = without(belief, graph, [])
    for one in said:
        graph.remove(one.answer)
    return _renamed(found.labels, belief.labels)


def _pins(belief: Belief, rng: np.random.Generator, sharpness: float) -> list[tuple[int, int]]:
    """Pairs of item ids said to be the same: a drawn item beside whoever holds its drawn group."""
    snapshot, count = belief.snapshot, len(belief.snapshot.ids)
    chance = belief.joint if belief.groups else belief.probabilities  # (N, G + 1) or (N, start groups)
    open_ = np.flatnonzero(belief.member < 0)
    rows = rng.permutation(open_)[: int(np.clip(SHARE * count, FEWEST, MOST))]
    sharp = np.where(np.isin(rows, belief.asked), 1.0, sharpness)[:, None]  # or the answers given would be lies
    drawn = (sharp * np.log(chance[rows] + 1e-12) + _noise(snapshot, chance.shape[1], rng)[rows]).argmax(1)
    holder: dict[tuple[int, int], int] = {(group, -1): int(row) for group, row in enumerate(belief.founders)}
    pins = []
    for row, group in zip(rows.tolist(), drawn.tolist(), strict=True):
        known = group < belief.groups
        key = (group, -1 if known else int(snapshot.start[row]))
        held = holder.setdefault(key, row)
        if held != row:
            pins.append((int(snapshot.ids[row]), int(snapshot.ids[held])))
    return pins


def _noise(snapshot: Snapshot, groups: int, rng: np.random.Generator) -> np.ndarray:
    """(N, G) Gumbel noise, alike where items are near or started together."""
    own = rng.standard_normal((len(snapshot.ids), groups))
    near = snapshot.neighbours[:, :ALIKE]
    if near.shape[1]:
        own = (own + own[near].sum(1)) / np.sqrt(near.shape[1] + 1)  # still standard normal
    shared = rng.standard_normal((int(snapshot.start.max(initial=0)) + 1, groups))[snapshot.start]
    level = np.clip(ndtr(np.sqrt(CLUSTER) * shared + np.sqrt(1 - CLUSTER) * own), 1e-12, 1 - 1e-12)
    return np.asarray(-np.log(-np.log(level)))


def _renamed(labels: np.ndarray, names: np.ndarray) -> np.ndarray:
    """(N,) the partition in the names of another one, as far as groups overlap; the others get new names."""
    own, old = (np.unique(one, return_inverse=True) for one in (labels, names))
    table = sparse.coo_matrix((np.ones(len(labels)), (own[1].ravel(), old[1].ravel()))).toarray()
    rows, columns = linear_sum_assignment(-table)
    name = int(names.max(initial=0)) + 1 + np.arange(len(own[0]))
    kept = table[rows, columns] > 0
    name[rows[kept]] = old[0][columns[kept]]
    return np.asarray(name[own[1].ravel()])


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
        snapshot.finer[:, rows] if len(snapshot.finer) else snapshot.finer,
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

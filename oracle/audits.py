"""Audit answers as a weighted sample of all pairs; and which pairs the answers settle.

A uniform screen draws an anchor among the items, then m of its o open partners, so a pair's weight is o / m. o is read
back from the stored probability share / (N C(o, m)); constants cancel in every share.
Source: Horvitz and Thompson 1952, "A generalization of sampling without replacement from a finite universe".

Witnesses, the audit answers that judge, are left out of the graph whose partition they judge: an answer that is obeyed
would always agree with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

import numpy as np
import scipy.sparse as sparse

from db.nouns import Snapshot, Statement
from oracle.constraints import ConstraintGraph
from oracle.evidence import direction

SHARE = 0.1  # of audit screens in the default mix; only weights of very small screens feel it


@dataclass(frozen=True, eq=False)
class Witnesses:
    """The answers that judge, one row per pair: rows (P, 2) positions, same (P,) bool, weight (P,), screen (P,)."""

    rows: np.ndarray
    same: np.ndarray
    weight: np.ndarray
    screen: np.ndarray
    sources: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.same)

    @property
    def screens(self) -> int:
        """How many answers these are."""
        return len(np.unique(self.screen))


def separate(said: Iterable[Statement], judges: Callable[[Statement], bool]) -> tuple[list[Statement], list[Statement]]:
    """Answers to build the partition on, and the audit answers that may judge it."""
    build: list[Statement] = []
    witnesses: list[Statement] = []
    for one in said:
        (witnesses if one.audit and judges(one) else build).append(one)
    return build, witnesses


def witnesses_of(said: Sequence[Statement], snapshot: Snapshot) -> Witnesses:
    """The rows of the witnesses that say same or different about items the snapshot holds."""
    shown: dict[int, int] = {}
    for one in said:
        shown[one.answer] = shown.get(one.answer, 0) + 1
    place = snapshot.position
    kept = [one for one in said if direction(one) and one.a in place and one.b in place]
    rows = np.array([(place[one.a], place[one.b]) for one in kept], dtype=np.int64).reshape(-1, 2)
    same = np.array([direction(one) > 0 for one in kept], dtype=bool)
    weight = np.array([_weight(one, shown[one.answer], len(snapshot.ids)) for one in kept], dtype=np.float64)
    screen = np.array([one.answer for one in kept], dtype=np.int64)
    return Witnesses(rows, same, weight, screen, tuple(one.source for one in kept))


def _weight(said: Statement, shown: int, items: int) -> float:
    """Pairs of the anchor that this pair stands for."""
    return open_partners(said.probability, shown, items) / shown


def open_partners(probability: float, shown: int, items: int, share: float = SHARE) -> float:
    """How many partners an anchor had open: C(o, m) = share / (N probability), solved for o in [m, N - 1].

    A screen without a stored probability counts as drawn from all items.
    """
    if probability >= 1.0:
        return float(items - 1)
    ways = log(share) - log(items) - log(probability)
    found = exp((ways + lgamma(shown + 1)) / shown) + (shown - 1) / 2  # C(o, m) is about (o - (m - 1)/2)^m / m!
    return float(np.clip(found, shown, max(shown, items - 1)))


def together(parts: Sequence[Witnesses]) -> Witnesses:
    """All of them as one."""
    rows, same = np.concatenate([one.rows for one in parts]), np.concatenate([one.same for one in parts])
    weight, screen = np.concatenate([one.weight for one in parts]), np.concatenate([one.screen for one in parts])
    return Witnesses(rows, same, weight, screen, tuple(source for one in parts for source in one.sources))


@dataclass(frozen=True, eq=False)
class Known:
    """What the answers settle. part: (N,) number of an asked row's trusted component, -1 for the others; walls: codes
    i parts + j, i < j, sorted, of components held apart."""

    part: np.ndarray
    walls: np.ndarray
    parts: int

    @classmethod
    def of(cls, graph: ConstraintGraph, snapshot: Snapshot) -> "Known":
        """Of one state of the log."""
        part, parts = _parts(graph, snapshot)
        walls = _walls(graph, snapshot, part) if parts else np.zeros((0, 2), dtype=np.int64)
        return cls(part, np.sort(walls[:, 0] * parts + walls[:, 1]), parts)

    def settled(self, rows: np.ndarray) -> np.ndarray:
        """(P,) bool: a pair of rows (P, 2) follows from the answers."""
        ends = np.sort(self.part[rows], axis=1)
        asked = ends[:, 0] >= 0
        apart = np.isin(ends[:, 0] * self.parts + ends[:, 1], self.walls)
        return np.asarray(asked & ((ends[:, 0] == ends[:, 1]) | apart))


def implied_pairs(graph: ConstraintGraph, snapshot: Snapshot, labels: np.ndarray) -> tuple[float, float]:
    """Pairs that follow from the answers: how many the partition puts together, how many apart."""
    part, parts = _parts(graph, snapshot)
    groups = np.unique(labels, return_inverse=True)[1]
    asked = np.flatnonzero(part >= 0)
    if not len(asked):
        return 0.0, 0.0
    table = sparse.csr_matrix((np.ones(len(asked)), (part[asked], groups[asked])), shape=(parts, int(groups.max()) + 1))
    size = np.asarray(table.sum(1)).ravel()
    inside = float((table.multiply(table).sum() - len(asked)) / 2)
    walls = _walls(graph, snapshot, part)
    crossing = float(table[walls[:, 0]].multiply(table[walls[:, 1]]).sum()) if len(walls) else 0.0
    total = float((size * (size - 1) / 2).sum() + (size[walls[:, 0]] * size[walls[:, 1]]).sum())
    return inside + crossing, total - inside - crossing


def _parts(graph: ConstraintGraph, snapshot: Snapshot) -> tuple[np.ndarray, int]:
    """(N,) number of the trusted component of each asked row, -1 for the others; how many there are."""
    part = np.full(len(snapshot.ids), -1, dtype=np.int64)
    components = graph.trusted_components()
    for number, members in enumerate(components):
        part[_rows(snapshot, members)] = number
    a, b, _, _ = graph.arrays()
    alone = _rows(snapshot, np.unique(np.concatenate([a, b])).tolist())
    alone = alone[part[alone] < 0]
    part[alone] = len(components) + np.arange(len(alone))
    return part, len(components) + len(alone)


def _walls(graph: ConstraintGraph, snapshot: Snapshot, part: np.ndarray) -> np.ndarray:
    """(W, 2) pairs of components that a "different" holds apart."""
    a, b, sign, _ = graph.arrays()
    known = np.array([x in snapshot.position and y in snapshot.position for x, y in zip(a, b, strict=True)], dtype=bool)
    apart = known & (sign < 0)
    ends = np.column_stack([part[_rows(snapshot, side[apart].tolist())] for side in (a, b)]).reshape(-1, 2)
    ends = np.unique(np.sort(ends, axis=1), axis=0)
    return ends[ends[:, 0] != ends[:, 1]]


def _rows(snapshot: Snapshot, items: Sequence[int]) -> np.ndarray:
    """Positions of those items the snapshot holds."""
    return np.array([snapshot.position[item] for item in items if item in snapshot.position], dtype=np.int64)

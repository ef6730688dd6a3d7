"""What the acquisition functions share: open pairs, uniform draws with their probability, expectations, questions."""

from collections.abc import Iterable, Sequence
from math import comb

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.belief import Belief
from oracle.constraints import ConstraintGraph

COUNTED = 2000  # up to this many items, anchors that still have open pairs are counted, beyond it they are estimated
SAMPLED = 200
SMALLEST = 1e-300  # probabilities stay above 0


class Desk:
    """One round of proposals: which pairs may still be offered."""

    def __init__(self, snapshot: Snapshot, graph: ConstraintGraph) -> None:
        self.snapshot, self.graph = snapshot, graph
        self._open: dict[int, np.ndarray] = {}

    def open_rows(self, row: int) -> np.ndarray:
        """(N,) bool: rows that may be shown beside this one: neither asked with it, nor implied, nor offered yet."""
        if row not in self._open:
            mask = np.ones(len(self.snapshot.ids), dtype=bool)
            place = self.snapshot.position
            known = self.graph.closed(int(self.snapshot.ids[row]))
            mask[[place[item] for item in known if item in place]] = False
            mask[row] = False
            self._open[row] = mask
        return self._open[row]

    def take(self, anchor: int, rows: Iterable[int]) -> None:
        """These pairs were offered: not again in this round."""
        for row in rows:
            self.open_rows(anchor)[row] = False
            self.open_rows(int(row))[anchor] = False


def generator(seed: int, graph: ConstraintGraph, salt: int = 0) -> np.random.Generator:
    """Random numbers that depend on the seed and the number of answers alone, so that a restart draws the same."""
    return np.random.default_rng([seed, graph.size, salt])


def uniform_screen(desk: Desk, rng: np.random.Generator, size: int) -> tuple[int, np.ndarray, float] | None:
    """An anchor drawn uniformly among those with open pairs, and up to `size` open candidates drawn uniformly.

    Returns: (row, rows, probability of this very draw); None if no pair is open.
    """
    for anchor in map(int, rng.permutation(len(desk.snapshot.ids))):
        rows = np.flatnonzero(desk.open_rows(anchor))
        if len(rows):
            chosen = rng.choice(rows, size=min(size, len(rows)), replace=False)
            draws = anchors_left(desk) * comb(len(rows), len(chosen))
            return anchor, chosen, max(float(1 / draws), SMALLEST)
    return None


def anchors_left(desk: Desk) -> int:
    """How many items have an open pair: counted, or estimated from a sample of very many."""
    ids, graph = desk.snapshot.ids, desk.graph
    touched = sum(bool(graph.closed(int(item))) for item in ids) if len(ids) <= graph.size * 2 else 0
    if touched < len(ids):  # somebody was never shown: everybody can still be compared with that item
        return len(ids)
    rows = np.arange(len(ids)) if len(ids) <= COUNTED else np.linspace(0, len(ids) - 1, SAMPLED).astype(int)
    share = np.mean([desk.open_rows(int(row)).any() for row in rows])
    return max(1, round(float(share) * len(ids)))


def chance_same(belief: Belief, row: int, rows: np.ndarray) -> np.ndarray:
    """(M,) the model's chance that a row belongs with each of `rows`, in [0, 1]."""
    return np.array([belief.same(row, int(other)) for other in rows])


def doubt(chance: np.ndarray) -> np.ndarray:
    """Entropy of a yes-no question in nats, any shape; chance in [0, 1]."""
    p = np.clip(np.asarray(chance, dtype=np.float64), 1e-9, 1 - 1e-9)
    return np.asarray(-(p * np.log(p) + (1 - p) * np.log1p(-p)))


def group_centres(snapshot: Snapshot, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Names (G,) of the groups of a partition, and their mean directions (G, D), unit rows."""
    names, place = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(names), snapshot.vectors.shape[1]))
    np.add.at(sums, place, snapshot.vectors)
    return names, sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)


def question(
    snapshot: Snapshot,
    kind: Kind,
    anchor: int,
    rows: Sequence[int] | np.ndarray,
    *,
    criterion: int,
    proposer: str,
    reason: str,
    expected: Sequence[float] | np.ndarray = (),
    context: Sequence[int] | np.ndarray = (),
    probability: float = 1.0,
    audit: bool = False,
) -> Question:
    """A question from row positions."""
    return Question(
        criterion=criterion,
        kind=kind,
        anchor=int(snapshot.ids[anchor]),
        candidates=tuple(int(snapshot.ids[row]) for row in rows),
        proposer=proposer,
        probability=probability,
        audit=audit,
        version=snapshot.version,
        expected=tuple(round(float(np.clip(chance, 0, 1)), 4) for chance in expected),
        context=tuple(int(snapshot.ids[row]) for row in context),
        reason=reason,
    )

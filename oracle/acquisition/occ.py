"""Ask whether representative items of the clusters are the same, where the model is least sure.

    representatives   of every cluster, the items its head is surest of
    pair              argmax over pairs of representatives of the entropy of p(same cluster)

Source: Wang et al. 2022, "Oracle-guided contrastive clustering" (OCC), arXiv 2211.00409.
Differs: the paper's exact query rule was not available; this is "the most uncertain same-cluster probability among
representative items". The cluster head is our belief. Once all representatives have been compared, each cluster gets
twice as many. A screen shows one representative beside those it is least sure about.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._neighbourhoods import all_at_least
from oracle.acquisition._screens import Desk, doubt, generator, group_centres, question
from oracle.belief import Belief, infer
from oracle.bounds import Whole
from oracle.constraints import ConstraintGraph

REASON = "Typical of their groups, yet the model cannot tell whether these are the same."
MOST = 1024  # representatives compared at a time: every pair of them is looked at


@dataclass(frozen=True)
class Acquisition:
    """seed: breaks ties. screen: most candidates on one screen. representatives: of each cluster, to begin with."""

    seed: Whole = 0
    screen: int = 12
    representatives: int = 3

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen, representatives=self.representatives)

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, least sure first; a representative is the anchor of one screen only."""
        if not len(snapshot.ids):
            return []
        belief, desk, rng = infer(snapshot, graph), Desk(snapshot, graph), generator(self.seed, graph)
        found: list[Question] = []
        anchors: set[int] = set()
        for rows in self._typical(belief, rng):
            chance = same(belief, rows)
            value = np.where(self._open(desk, rows), doubt(chance) + 1e-6 * rng.random(chance.shape), -1.0)
            while len(found) < n and value.max(initial=-1.0) >= 0:
                at = int(value.max(1).argmax())
                beside = np.argsort(-value[at], kind="stable")[: self.screen]
                beside = beside[value[at, beside] >= 0]
                value[at] = value[:, at] = -1.0
                if int(rows[at]) not in anchors:
                    anchors.add(int(rows[at]))
                    desk.take(int(rows[at]), rows[beside])
                    kind = Kind.PAIR if len(beside) == 1 else Kind.TICK
                    found.append(
                        question(snapshot, kind, int(rows[at]), rows[beside], criterion=criterion, proposer="occ",
                                 reason=REASON, expected=chance[at, beside])
                    )  # fmt: skip
            if len(found) >= n:
                break
        return found

    def _typical(self, belief: Belief, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Representatives of all clusters: few of each, then twice as many, until everything is among them."""
        names, centres = group_centres(belief.snapshot, belief.labels)
        place = np.searchsorted(names, belief.labels)
        sure = np.einsum("nd,nd->n", belief.snapshot.vectors, centres[place])
        order = np.lexsort((rng.random(len(sure)), -sure, place))
        rank = np.empty(len(order), dtype=np.int64)  # 0 for the surest of each cluster
        starts = np.searchsorted(place[order], np.arange(len(names)))
        rank[order] = np.arange(len(order)) - starts[place[order]]
        size = self.representatives
        while True:
            rows = np.flatnonzero(rank < size)
            yield rows[np.argsort(rank[rows], kind="stable")[:MOST]]
            if len(rows) >= min(len(rank), MOST):
                return
            size *= 2

    def _open(self, desk: Desk, rows: np.ndarray) -> np.ndarray:
        """(R, R) bool: pairs that may be asked."""
        return np.stack([desk.open_rows(int(row))[rows] for row in rows])


def same(belief: Belief, rows: np.ndarray) -> np.ndarray:
    """(R, R) the model's chance that two rows belong together, in [0, 1]; as `Belief.same`, for all pairs at once."""
    if belief.groups:
        known = belief.probabilities[rows] * (1 - belief.fresh[rows, None])
        return np.clip(known @ known.T, 0.0, 1.0)
    vectors, start = belief.snapshot.vectors[rows], belief.snapshot.start[rows]
    chance = np.clip((vectors @ vectors.T + 1) / 2, 0.0, 1.0)
    return np.asarray(np.where(start[:, None] == start, chance, 0.5 * chance), dtype=np.float64)

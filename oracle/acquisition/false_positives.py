"""Ask about the least alike inside one group: the loss pulls them together, yet they may not belong.

    doubt of x in group g = 1 - cosine(x, centre of g); the centre of the members answers put there, where they put any

The group of the most doubtful member comes first: its most central member beside those it doubts most.
Source: noisy positives as in Chuang et al. 2022, "Robust contrastive learning against noisy views" (arXiv 2201.04309),
put to a person; the mirror of `false_negatives`.
Differs from `groups`: its screens go by how unlike the members are, whatever the model believes of them. Pairs that
answers imply are not asked again: where answers contradict each other, `conflicts` does that.
"""

from dataclasses import dataclass

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._neighbourhoods import all_at_least
from oracle.acquisition._screens import Desk, chance_same, generator, question
from oracle.belief import Belief, infer
from oracle.bounds import Whole
from oracle.constraints import ConstraintGraph

REASON = "These are in one group but look least alike: click the ones that do not belong."
REASON_PAIR = "These are in one group but look unlike each other: do they belong together?"


@dataclass(frozen=True)
class Acquisition:
    """seed: breaks ties. screen: most candidates on one screen."""

    seed: Whole = 0
    screen: int = 12

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen)

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, the most doubtful members first; each is shown once in a round."""
        if not len(snapshot.ids):
            return []
        belief, desk = infer(snapshot, graph), Desk(snapshot, graph)
        doubtful, central = outliers(belief)
        doubtful = doubtful + 1e-6 * generator(self.seed, graph).random(len(doubtful))
        found: list[Question] = []
        shown = np.zeros(len(doubtful), dtype=bool)
        for row in map(int, np.argsort(-doubtful, kind="stable")):
            if len(found) >= n:
                break
            anchor = int(central[row])
            rows = [] if shown[row] else self._least_alike(desk, belief.labels, doubtful, shown, anchor)
            if row in rows:
                shown[rows] = True
                desk.take(anchor, rows)
                kind = Kind.PAIR if len(rows) == 1 else Kind.ODD
                found.append(
                    question(snapshot, kind, anchor, rows, criterion=criterion, proposer="false_positives",
                             reason=REASON_PAIR if kind is Kind.PAIR else REASON,
                             expected=chance_same(belief, anchor, np.array(rows)))
                )  # fmt: skip
        return found

    def _least_alike(
        self, desk: Desk, labels: np.ndarray, doubtful: np.ndarray, shown: np.ndarray, anchor: int
    ) -> list[int]:
        """Open members of the anchor's group, the most doubtful first."""
        rows = np.flatnonzero((labels == labels[anchor]) & desk.open_rows(anchor) & ~shown)
        return [int(row) for row in rows[np.argsort(-doubtful[rows], kind="stable")[: self.screen]]]


def outliers(belief: Belief) -> tuple[np.ndarray, np.ndarray]:
    """(N,) 1 - cosine to the centre of an item's own group, in [0, 2]; (N,) row of that group's most central member.

    Where answers put members in a group, they alone make its centre, and the most central member is one of them.
    """
    vectors, labels = belief.snapshot.vectors, belief.labels
    doubtful, central = np.zeros(len(labels)), np.zeros(len(labels), dtype=np.int64)
    for rows in np.split(np.argsort(labels, kind="stable"), np.cumsum(np.unique(labels, return_counts=True)[1])[:-1]):
        known = rows[belief.member[rows] >= 0]
        kernel = known if len(known) else rows
        centre = vectors[kernel].mean(0)
        centre = centre / max(float(np.linalg.norm(centre)), 1e-12)
        doubtful[rows] = 1.0 - vectors[rows] @ centre
        central[rows] = kernel[(vectors[kernel] @ centre).argmax()]
    return doubtful, central

"""Ask on the border: an item about as near to one group as to another, beside its nearest members of both.

Source: Scheffer, Decomain and Wrobel 2001, "Active hidden Markov models for information extraction" (margin sampling).
Differs: the margin is between cosines to the centres of the current groups.
"""

from dataclasses import dataclass

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._screens import Desk, chance_same, generator, group_centres, question
from oracle.belief import infer
from oracle.bounds import Count, Whole
from oracle.constraints import ConstraintGraph

REASON = "This one lies between two groups: which of these does it belong with?"


@dataclass(frozen=True)
class Acquisition:
    """seed: breaks ties. screen: most candidates on one screen, shared by the two groups."""

    seed: Whole = 0
    screen: Count = 12

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, smallest margin first; neighbours of an anchor are no anchors of the same round."""
        if not len(snapshot.ids):
            return []
        belief, desk = infer(snapshot, graph), Desk(snapshot, graph)
        names, near, margin = borders(snapshot, belief.labels)
        margin = margin + 1e-6 * generator(self.seed, graph).random(len(margin))
        found: list[Question] = []
        passed = np.zeros(len(snapshot.ids), dtype=bool)
        for anchor in map(int, np.argsort(margin, kind="stable")):
            if len(found) >= n:
                break
            rows = [] if passed[anchor] else self._beside(desk, belief.labels, anchor, names[near[anchor]])
            if rows:
                passed[snapshot.neighbours[anchor]] = True
                desk.take(anchor, rows)
                expected = chance_same(belief, anchor, np.array(rows))
                found.append(
                    question(snapshot, Kind.TICK, anchor, rows, criterion=criterion, proposer="boundary",
                             reason=REASON, expected=expected)
                )  # fmt: skip
        return found

    def _beside(self, desk: Desk, labels: np.ndarray, anchor: int, groups: np.ndarray) -> list[int]:
        """The nearest open members of each of the groups, in turn."""
        cosine = desk.snapshot.vectors @ desk.snapshot.vectors[anchor]
        share = -(-self.screen // len(groups))
        rows: list[int] = []
        for group in groups:
            members = np.flatnonzero((labels == group) & desk.open_rows(anchor))
            rows += members[np.argsort(-cosine[members], kind="stable")[:share]].tolist()
        return rows[: self.screen]


def borders(snapshot: Snapshot, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group names (G,), places of each item's two nearest groups (N, 2), and its margin between them (N,) in cosine.

    With a single group there is one place each (N, 1), and the margin is the cosine to its centre.
    """
    names, centres = group_centres(snapshot, labels)
    cosine = snapshot.vectors @ centres.T
    near = np.argsort(-cosine, axis=1, kind="stable")[:, :2]
    best = np.take_along_axis(cosine, near, 1)
    return names, near, best[:, 0] - best[:, 1] if best.shape[1] > 1 else best[:, 0]

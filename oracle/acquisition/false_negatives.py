"""Ask about lookalikes in different groups: the loss pushes them apart, yet they may belong together.

Source: false negatives as in Chuang et al. 2020, "Debiased contrastive learning" (arXiv 2007.00224), put to a person.
"""

from dataclasses import dataclass

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._screens import Desk, chance_same, generator, question
from oracle.belief import infer
from oracle.bounds import Count, Whole
from oracle.constraints import ConstraintGraph

REASON = "These look alike but are kept apart for now: click the ones that belong after all."


@dataclass(frozen=True)
class Acquisition:
    """seed: breaks ties. screen: most candidates on one screen."""

    seed: Whole = 0
    screen: Count = 12

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, the most suspicious first: an anchor and its nearest believed negatives."""
        belief, desk = infer(snapshot, graph), Desk(snapshot, graph)
        suspicion = strangers_near(snapshot, belief.labels)
        suspicion += 1e-6 * generator(self.seed, graph).random(len(suspicion))
        found: list[Question] = []
        passed = np.zeros(len(snapshot.ids), dtype=bool)
        for anchor in map(int, np.argsort(-suspicion, kind="stable")):
            if len(found) >= n:
                break
            rows = [] if passed[anchor] else self._lookalikes(desk, belief.labels, anchor)
            if rows:
                passed[snapshot.neighbours[anchor]] = True
                desk.take(anchor, rows)
                expected = chance_same(belief, anchor, np.array(rows))
                found.append(
                    question(snapshot, Kind.MISSING, anchor, rows, criterion=criterion, proposer="false_negatives",
                             reason=REASON, expected=expected)
                )  # fmt: skip
        return found

    def _lookalikes(self, desk: Desk, labels: np.ndarray, anchor: int) -> list[int]:
        """The nearest open items of other groups."""
        others = np.flatnonzero((labels != labels[anchor]) & desk.open_rows(anchor))
        cosine = desk.snapshot.vectors[others] @ desk.snapshot.vectors[anchor]
        return others[np.argsort(-cosine, kind="stable")[: self.screen]].tolist()  # type: ignore[no-any-return]


def strangers_near(snapshot: Snapshot, labels: np.ndarray) -> np.ndarray:
    """(N,) how much of an item's neighbourhood is in other groups: sum of its positive cosines to them."""
    foreign = labels[snapshot.neighbours] != labels[:, None]
    return np.asarray((np.maximum(snapshot.cosines, 0) * foreign).sum(1), dtype=np.float64)

"""Ask where the model is least sure: an item of uncertain group, beside the items it is nearest to a coin toss with.

Source: Lewis and Gale 1994, "A sequential algorithm for training text classifiers" (uncertainty sampling), on pairs.
"""

from dataclasses import dataclass

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._screens import Desk, chance_same, doubt, generator, question
from oracle.belief import Belief, infer
from oracle.bounds import Count, Whole
from oracle.constraints import ConstraintGraph

REASON = "The model could not tell whether these belong together."


@dataclass(frozen=True)
class Acquisition:
    """seed: breaks ties. screen: most candidates on one screen. strangers: far items that compete with near ones."""

    seed: Whole = 0
    screen: Count = 12
    strangers: Whole = 48

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, least sure first; an anchor's neighbours are no anchors of the same round."""
        belief, desk, rng = infer(snapshot, graph), Desk(snapshot, graph), generator(self.seed, graph)
        found: list[Question] = []
        passed = np.zeros(len(snapshot.ids), dtype=bool)
        for anchor in map(int, np.argsort(-self._unsure(belief, rng), kind="stable")):
            if len(found) >= n:
                break
            rows = self._candidates(belief, desk, rng, anchor) if not passed[anchor] else np.array([], dtype=int)
            if len(rows):
                passed[snapshot.neighbours[anchor]] = True
                desk.take(anchor, rows)
                expected = chance_same(belief, anchor, rows)
                found.append(
                    question(snapshot, Kind.TICK, anchor, rows, criterion=criterion, proposer="uncertainty",
                             reason=REASON, expected=expected)
                )  # fmt: skip
        return found

    def _unsure(self, belief: Belief, rng: np.random.Generator) -> np.ndarray:
        """(N,) entropy of each item's group in nats, ties broken by chance."""
        p = np.clip(belief.joint, 1e-12, 1.0)
        return np.asarray(-(p * np.log(p)).sum(1) + 1e-6 * rng.random(len(p)))

    def _candidates(self, belief: Belief, desk: Desk, rng: np.random.Generator, anchor: int) -> np.ndarray:
        count = len(desk.snapshot.ids)
        pool = np.union1d(desk.snapshot.neighbours[anchor], rng.integers(0, count, self.strangers))
        pool = pool[desk.open_rows(anchor)[pool]]
        order = np.argsort(-doubt(chance_same(belief, anchor, pool)), kind="stable")
        return np.asarray(pool[order[: self.screen]])

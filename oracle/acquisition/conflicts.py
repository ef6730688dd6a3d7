"""Ask again where answers contradict each other: suspected pairs, and answers that alone glue large groups together.

A question shows one item beside everything it is suspected with. Asked together with the item, not with one pair at a
time, a contradiction costs few screens.

Source: our own. What is suspected is a minimum cut, as in correlation clustering (Bansal, Blum and Chawla 2004).
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._screens import chance_same, question
from oracle.belief import infer
from oracle.bounds import Count, Whole
from oracle.constraints import ConstraintGraph
from oracle.evidence import Pair

REASON = "Earlier answers contradict each other here. Please look again."


@dataclass(frozen=True)
class Acquisition:
    """seed: unused, nothing is drawn. screen: most candidates on one screen. times: most answers a pair gets."""

    seed: Whole = 0
    screen: Count = 12
    times: Count = 3

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, items in most contradictions first; none if no answer is contradicted."""
        left = self._suspects(snapshot, graph)
        belief = infer(snapshot, graph) if left else None
        found: list[Question] = []
        while left and len(found) < n and belief is not None:
            anchor = most_common(left)
            beside = [b if a == anchor else a for a, b in left if anchor in (a, b)][: self.screen]
            left = [pair for pair in left if not (anchor in pair and (set(pair) - {anchor}) <= set(beside))]
            row, rows = snapshot.position[anchor], np.array([snapshot.position[one] for one in beside])
            kind = Kind.PAIR if len(rows) == 1 else Kind.TICK
            expected = chance_same(belief, row, rows)
            found.append(
                question(snapshot, kind, row, rows, criterion=criterion, proposer="conflicts", reason=REASON,
                         expected=expected)
            )  # fmt: skip
        return found

    def _suspects(self, snapshot: Snapshot, graph: ConstraintGraph) -> list[Pair]:
        """Suspected and unconfirmed pairs of this snapshot that were not asked too often; the lightest first."""
        pairs = [pair for conflict in graph.conflicts() for pair in conflict.suspects] + graph.unconfirmed()
        known = snapshot.position
        return [
            (a, b)
            for a, b in dict.fromkeys(pairs)
            if a in known and b in known and graph.times(a, b) < self.times and graph.relation(a, b) is None
        ]


def most_common(pairs: list[Pair]) -> int:
    """The item in most pairs; the smallest id of several."""
    count = Counter(item for pair in pairs for item in pair)
    return min(count, key=lambda item: (-count[item], item))

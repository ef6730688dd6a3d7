"""Ask about neighbours whose cosine is nearest to a cutoff: there "same" turns into "different"."""

from dataclasses import dataclass

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.constraints import ConstraintGraph


@dataclass(frozen=True)
class Acquisition:
    """cutoff: cosine in [-1, 1]. screen: most candidates on one screen. seed: changes nothing, nothing is drawn."""

    cutoff: float = 0.5
    screen: int = 6
    seed: int = 0

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, the most doubtful anchor first; no pair that answers imply already, and none twice."""
        found: list[Question] = []
        offered: set[frozenset[int]] = set()
        gaps = np.abs(snapshot.cosines - self.cutoff)  # (N, K)
        for row in np.argsort(gaps.min(axis=1, initial=np.inf), kind="stable"):
            if len(found) == n:
                break
            anchor = int(snapshot.ids[row])
            near = [
                int(snapshot.ids[place]) for place in snapshot.neighbours[row][np.argsort(gaps[row], kind="stable")]
            ]
            fresh = [one for one in near if graph.implied(anchor, one) is None and {anchor, one} not in offered]
            if chosen := fresh[: self.screen]:
                offered |= {frozenset((anchor, one)) for one in chosen}
                found.append(self._question(snapshot, anchor, chosen, criterion))
        return found

    def _question(self, snapshot: Snapshot, anchor: int, chosen: list[int], criterion: int) -> Question:
        return Question(
            criterion, Kind.TICK, anchor, tuple(chosen), "near_cutoff", version=snapshot.version,
            reason="These look neither quite alike nor quite different.",
        )  # fmt: skip

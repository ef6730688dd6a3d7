"""Ask again what is settled: whoever answers otherwise than a dozen others shows how often they are wrong.

    item beside items it is settled with (gold), and items it was compared with before (retest)
    -> right or wrong, steady or not -> `oracle.reliability`

Breaks a promise of the other rules on purpose: the pairs it offers are implied already, that is what makes them a test.
Gold pairs are settled by other answers, and most of them were never shown, so nobody can remember them. The screen
looks like any other and its reason does not give it away. Not audits: settled pairs are no fair sample of all pairs.
Source: Oleson et al. 2011, "Programmatic gold: targeted and scalable quality assurance in crowdsourcing".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._screens import SMALLEST, chance_same, generator, question
from oracle.acquisition.random import REASON
from oracle.belief import infer
from oracle.bounds import Count, Whole
from oracle.constraints import ConstraintGraph
from oracle.evidence import Pair, pair_of

COUNTED = 100  # anchors looked at to tell how many could be drawn


@dataclass(frozen=True)
class Acquisition:
    """seed: of the draw. screen: most candidates on one screen. times: most answers a pair gets by this rule."""

    seed: Whole = 0
    screen: Count = 12
    times: Count = 3

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens with the probability of each draw; none while nothing is settled and nothing was said."""
        table, rng = _Table(snapshot, graph, self), generator(self.seed, graph, 5)
        found: list[Question] = []
        for anchor, partners, anchors in table.drawn(rng, n):
            chosen = rng.choice(partners, size=min(self.screen, len(partners)), replace=False)
            table.take(anchor, chosen)
            row, rows = snapshot.position[anchor], np.array([snapshot.position[int(one)] for one in chosen])
            found.append(
                question(
                    snapshot, Kind.PAIR if len(rows) == 1 else Kind.TICK, row, rows, criterion=criterion,
                    proposer="gold", reason=REASON, expected=chance_same(infer(snapshot, graph), row, rows),
                    probability=max(1 / (anchors * comb(len(partners), len(chosen))), SMALLEST),
                )
            )  # fmt: skip
        return found


class _Table:
    """One round: which pairs are known well enough to test somebody with, and not used up."""

    def __init__(self, snapshot: Snapshot, graph: ConstraintGraph, rule: Acquisition) -> None:
        self.snapshot, self.graph, self.rule = snapshot, graph, rule
        self.items = sorted(graph.items() & snapshot.position.keys())
        self.used: set[Pair] = set()

    def drawn(self, rng: np.random.Generator, n: int) -> Iterator[tuple[int, np.ndarray, int]]:
        """Up to n of: an anchor, its partners, and among how many anchors it was drawn."""
        order = rng.permutation(len(self.items))[: None if n else 0]
        looked = [self._has_partners(self.items[place]) for place in order[:COUNTED]]
        anchors = max(1, round(float(np.mean(looked)) * len(self.items))) if looked else 0
        for place in order:
            if n <= 0 or not anchors:
                return
            partners = self.partners(self.items[place])
            if len(partners):
                n -= 1
                yield self.items[place], partners, anchors

    def partners(self, item: int) -> np.ndarray:
        """Items it may be shown with, sorted."""
        return np.array(sorted(other for other in self._known(item) if self._tests(item, other)), dtype=np.int64)

    def _has_partners(self, item: int) -> bool:
        """True if it may be shown with anybody; those it was asked with are looked at first, they are likeliest."""
        asked = self.graph.asked_with(item)
        return self._any(item, asked) or self._any(item, self.graph.closed(item) - asked)

    def _any(self, item: int, others: set[int]) -> bool:
        return any(other in self.snapshot.position and self._tests(item, other) for other in others)

    def _known(self, item: int) -> list[int]:
        return [other for other in self.graph.closed(item) if other in self.snapshot.position]

    def take(self, anchor: int, others: np.ndarray) -> None:
        """These pairs were offered: not again in this round."""
        self.used |= {pair_of(anchor, int(other)) for other in others}

    def _tests(self, a: int, b: int) -> bool:
        """Gold, or a retest: settled, or answered before and not contradicted."""
        if pair_of(a, b) in self.used or self.graph.times(a, b) >= self.rule.times:
            return False
        if self.graph.settled(a, b):
            return True
        return self.graph.evidence(a, b) != 0 and self.graph.relation(a, b) is not None

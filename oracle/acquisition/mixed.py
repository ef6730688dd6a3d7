"""Another acquisition with a share of uniform audit screens in between: what it learns is checked without bias.

Source: our own; a uniform share with known probability, as importance-weighted active learning has it (Beygelzimer,
Dasgupta and Langford 2009, arXiv 0812.4952).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from db.errors import BadInput
from db.nouns import Kind, Question, Snapshot
from oracle import plugins
from oracle.acquisition.random import uniform_questions
from oracle.bounds import Count, Share, Whole
from oracle.constraints import ConstraintGraph


@dataclass(frozen=True)
class Acquisition:
    """inner: name of the acquisition that does the asking. audit: share of uniform screens, in [0, 1].

    recheck: share of screens for answers that contradict others, in [0, 1], as long as there are any.
    gold: share of screens that ask again what is settled, to learn how reliable whoever answers is. Breaks, for
    these, the promise never to offer an implied pair. Audits and rechecks take their shares first.
    Stored probabilities include the shares. Once the inner acquisition has nothing left to ask, what is still open is
    asked uniformly.
    """

    seed: Whole = 0
    screen: Count = 12
    inner: str = "pairwright"
    audit: Share = 0.1
    recheck: Share = 0.05
    gold: float = 0.02

    def __post_init__(self) -> None:
        if min(self.audit, self.recheck) < 0 or self.audit + self.recheck > 1:
            raise BadInput(f"audit and recheck = shares from 0, 1 in all, expected, got {self.audit}, {self.recheck}.")
        if not 0 <= self.gold <= 1:
            raise BadInput(f"gold = a share from 0 to 1 expected, got {self.gold}. Try 0.02.")
        if self.inner == "mixed":
            raise BadInput("inner = another acquisition than 'mixed' expected. Try pairwright.")

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens; which places are audits depends on the seed and the number of answers alone."""
        draws = [draw(self.seed, graph, place) for place in range(n)]
        slots = [one < self.audit for one in draws]
        audits = self._uniform(snapshot, graph, sum(slots), criterion, audit=True)
        rechecks = sum(self.audit <= one < self.audit + self.recheck for one in draws)
        others = self._inner("conflicts", snapshot, graph, rechecks, criterion, audits) if rechecks else []
        tests = sum(0 <= one - self.audit - self.recheck < self.gold for one in draws)
        golds = self._inner("gold", snapshot, graph, tests, criterion, [*audits, *others]) if tests else []
        for name in (self.inner, None):  # what the rechecks leave goes to the inner one, what that leaves is uniform
            left = n - len(audits) - len(golds) - len(others)
            others += self._inner(name, snapshot, graph, left, criterion, [*audits, *golds, *others])
        if golds and not (audits or others) and not self._uniform(snapshot, graph, 1, criterion, audit=False):
            return []  # nothing is open: no reason to test anybody
        return woven(slots, audits, [*golds, *others])

    def _uniform(
        self, snapshot: Snapshot, graph: ConstraintGraph, n: int, criterion: int, *, audit: bool
    ) -> list[Question]:
        if n == 0:
            return []
        share, salt = (self.audit, 1) if audit else (1 - self.audit, 2)
        return uniform_questions(snapshot, graph, n, criterion, self.seed, self.screen, "mixed",
                                 audit=audit, share=share, salt=salt)  # fmt: skip

    def _inner(
        self,
        name: str | None,
        snapshot: Snapshot,
        graph: ConstraintGraph,
        n: int,
        criterion: int,
        offered: list[Question],
    ) -> list[Question]:
        """Up to n screens of another acquisition (None: uniform), without pairs already offered in this round."""
        if n <= 0:
            return []
        if name is None:
            asked = self._uniform(snapshot, graph, n, criterion, audit=False)
        else:
            asked = _rule(name, self.seed, self.screen).propose(snapshot, graph, n, criterion=criterion)
            share = {"conflicts": self.recheck, "gold": self.gold}.get(name, 1 - self.audit)
            asked = [replace(one, probability=one.probability * max(share, 1e-9)) for one in asked]
        taken = {frozenset(pair) for one in offered for pair in one.pairs()}
        return [kept for one in asked if (kept := without(one, taken)) is not None]


@lru_cache(maxsize=16)  # looking through what is installed takes longer than asking
def _rule(name: str, seed: int, screen: int) -> Any:
    return plugins.load("oracle.acquisition", name, seed=seed, screen=screen)


def draw(seed: int, graph: ConstraintGraph, place: int) -> float:
    """A number in [0, 1) that decides what this place of the round is for."""
    return float(np.random.default_rng([seed, graph.size, place, 3]).random())


def without(asked: Question, taken: set[frozenset[int]]) -> Question | None:
    """The question without candidates that are on an audit screen of the same round; None if none is left."""
    if asked.kind is Kind.MERGE:
        return None if frozenset(asked.pairs()[0]) in taken else asked
    kept = [k for k, pair in enumerate(asked.pairs()) if frozenset(pair) not in taken]
    if not kept:
        return None
    expected = tuple(asked.expected[k] for k in kept) if asked.expected else ()
    return replace(asked, candidates=tuple(asked.candidates[k] for k in kept), expected=expected)


def woven(slots: list[bool], audits: list[Question], others: list[Question]) -> list[Question]:
    """Audits in their places, the others in theirs; what has no place left goes last."""
    waiting = {True: list(audits), False: list(others)}
    placed = [waiting[slot].pop(0) for slot in slots if waiting[slot]]
    return placed + waiting[True] + waiting[False]

"""Another rule with a share of uniform draws in between: how many wrong words are left is known without bias."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from db.errors import BadInput
from db.nouns import Question
from oracle import plugins
from oracle.bounds import Whole
from oracle.captions import FAMILY
from oracle.captions._asking import drawn
from oracle.ledger import Fits, Ledger


@dataclass(frozen=True)
class Acquisition:
    """inner: the rule that does the asking. audit: share of uniform draws among words nobody looked at, in [0, 1].

    Stored probabilities include the share. Which places are audits depends on the seed and the number of answers alone.
    """

    seed: Whole = 0
    inner: str = "doubted"
    audit: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.audit <= 1:
            raise BadInput(f"audit = a share from 0 to 1 expected, got {self.audit}. Try 0.1.")
        if self.inner == "mixed":
            raise BadInput("inner = another rule than 'mixed' expected. Try doubted.")

    def propose(self, fits: Fits, ledger: Ledger, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n questions; no item twice."""
        slots = [
            float(np.random.default_rng([self.seed, ledger.size, place, 5]).random()) < self.audit for place in range(n)
        ]
        audits = drawn(
            fits, ledger, sum(slots), self.seed, criterion=criterion, proposer="mixed", audit=True, share=self.audit
        )
        rule: Any = plugins.load(FAMILY, self.inner, seed=self.seed)
        taken = {one.anchor for one in audits}
        asked = rule.propose(fits, ledger, n + len(audits), criterion=criterion)
        share = max(1 - self.audit, 1e-9)
        others = [replace(one, probability=one.probability * share) for one in asked if one.anchor not in taken]
        return _woven(slots, audits, others)


def _woven(slots: list[bool], audits: list[Question], others: list[Question]) -> list[Question]:
    """Audits in their places as far as there are any, the others in order around them."""
    one, other, found = iter(audits), iter(others), []
    for wanted in slots:
        following = next(one, None) if wanted else None
        following = following or next(other, None) or next(one, None)
        if following is not None:
            found.append(following)
    return found

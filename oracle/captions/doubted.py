"""Ask first about words that a training run doubted, the most doubted first; then as another rule does.

A run with a selector (jest, acid, aced) looks at every pair many times: words that neither its learner nor its
reference model finds fitting are its suspects, in nats of doubt. They come first until several in a row, by the order
of doubt, turned out to belong: what is left of them is no better a guess than the other rule's.
"""

from dataclasses import dataclass
from typing import Any

from db.errors import BadInput
from db.nouns import Question
from oracle import plugins
from oracle.bounds import Whole
from oracle.captions import FAMILY
from oracle.captions._asking import put
from oracle.ledger import Fits, Ledger


@dataclass(frozen=True)
class Acquisition:
    """seed: of the other rule. inner: its name. patience: suspects in a row that belong before it has its turn."""

    seed: Whole = 0
    inner: str = "suspicious"
    patience: int = 5

    def __post_init__(self) -> None:
        if self.inner == "doubted" or self.patience < 1:
            raise BadInput(
                f"inner = another rule than 'doubted' and patience = at least 1 expected, got '{self.inner}' and "
                f"{self.patience}."
            )

    def propose(self, fits: Fits, ledger: Ledger, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n questions; no item twice."""
        first = [
            put(fits, ledger, item, criterion=criterion, proposer="doubted", reason=_reason(place, len(fits.suspects)))
            for place, item in self._open(fits, ledger)[:n]
        ]
        taken = {one.anchor for one in first}
        rule: Any = plugins.load(FAMILY, self.inner, seed=self.seed)
        others = rule.propose(fits, ledger, n, criterion=criterion) if len(first) < n else []
        return [*first, *(one for one in others if one.anchor not in taken)][:n]

    def _open(self, fits: Fits, ledger: Ledger) -> list[tuple[int, int]]:
        """(place in the order of doubt, item) of suspects that nobody said anything about; none once they proved to be
        no better than others."""
        order = [
            item for item in sorted(fits.suspects, key=lambda one: (-fits.suspects[one], one)) if item in fits.texts
        ]
        answered = [item for item in order if item in ledger.nats]
        if len(answered) >= self.patience and not any(map(ledger.rejected, answered[-self.patience :])):
            return []
        return [
            (place, item)
            for place, item in enumerate(order, start=1)
            if item not in ledger.votes and item not in ledger.silent
        ]


def _reason(place: int, of: int) -> str:
    return f"A training run doubted these words: {place} in the order of doubt, of {of}."

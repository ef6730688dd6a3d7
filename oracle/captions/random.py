"""Ask anything: words drawn uniformly from those nobody looked at yet. The fair baseline."""

from dataclasses import dataclass

from db.nouns import Question
from oracle.bounds import Whole
from oracle.captions._asking import drawn
from oracle.ledger import Fits, Ledger


@dataclass(frozen=True)
class Acquisition:
    """seed: of the draw."""

    seed: Whole = 0

    def propose(self, fits: Fits, ledger: Ledger, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n questions with the probability of each draw; none once all was looked at."""
        return drawn(fits, ledger, n, self.seed, criterion=criterion, proposer="random")

"""Ask where what stands is most likely wrong: words that hardly fit, and answers that the model or others contradict.

Words nobody rejected are taken to belong; so at first this ranks by how badly they fit. An answer that nothing speaks
against leaves hardly a doubt; one that contradicts the model, or another answer, is asked again.
"""

from dataclasses import dataclass

from db.nouns import Question
from oracle.bounds import Share, Whole
from oracle.captions._asking import PATIENCE, put
from oracle.ledger import Fits, Ledger


@dataclass(frozen=True)
class Acquisition:
    """seed: unused, nothing is drawn. again: what the doubt of words with an answer is worth beside that of words
    without, in [0, 1]. settled: a doubt below which nobody is asked again, in [0, 1]."""

    seed: Whole = 0
    again: Share = 0.5
    settled: Share = 0.02

    def propose(self, fits: Fits, ledger: Ledger, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n questions, the most doubtful first; none once all was looked at and nothing is in doubt."""
        worth = {item: value for item in fits.texts if (value := self._worth(fits, ledger, item)) > 0}
        best = sorted(worth, key=lambda item: (-worth[item], item))[:n]
        return [
            put(fits, ledger, item, criterion=criterion, proposer="suspicious", reason=reason(fits, ledger, item))
            for item in best
        ]

    def _worth(self, fits: Fits, ledger: Ledger, item: int) -> float:
        """Chance that a question puts something right; 0 where it must not be asked."""
        votes, silent = ledger.votes.get(item, 0), ledger.silent.get(item, 0)
        doubt = ledger.doubt(item, fits.of(item))
        if votes + silent >= PATIENCE or (votes and doubt < self.settled):
            return 0.0
        return doubt * (self.again if votes else 1.0) * 0.5**silent


def reason(fits: Fits, ledger: Ledger, item: int) -> str:
    """Why this one, in a sentence for the person."""
    if ledger.votes.get(item):
        return "What was answered here is in doubt. Please look again."
    said = f"judging by the others, the model gives these words a chance of {100 * fits.of(item):.0f} %"
    return f"{said[0].upper()}{said[1:]}." if fits.of(item) < 0.5 else f"No other words fit worse; {said}."

"""How far a review of captions is: how many were found, about how many are left, and whether to stop.

    left = sum over words that stand of (1 - p_i)      found = words rejected by the answers
    stop when found / (found + left) reaches the target, and the draws by chance do not speak against it

The draws by chance were uniform among what nobody had looked at then: the share of wrong ones among the last of them,
with its interval, is a witness that knows nothing of the model.
"""

from dataclasses import dataclass

from scipy.stats import beta

from oracle.captions._asking import fresh
from oracle.ledger import Fits, Ledger

LATEST = 30  # draws by chance that say how things are now
LEAST = 20  # answers before there is any advice
TARGET = 0.9


@dataclass(frozen=True)
class Progress:
    """captions: in all; looked_at: with an answer that weighs something; found: rejected; left: expected number of
    wrong ones that stand. audits: (wrong, of) the latest draws by chance; at_most: of those nobody looked at, by these
    draws, with 90 % confidence. stop: whether to; words: all of it in plain sentences."""

    captions: int
    looked_at: int
    found: int
    left: float
    audits: tuple[int, int]
    at_most: float
    stop: bool
    words: str


def progress(fits: Fits, ledger: Ledger, target: float = TARGET) -> Progress:
    """From the chances of a model and the answers that stand."""
    items = sorted(fits.texts)
    found = sum(ledger.rejected(item) for item in items)
    left = sum(ledger.doubt(item, fits.of(item)) for item in items if not ledger.rejected(item))
    unseen, latest = len(fresh(fits, ledger)), list(ledger.audits)[-LATEST:]
    wrong = sum(not fine for _, fine in latest)
    share = float(beta.ppf(0.9, wrong + 0.5, len(latest) - wrong + 0.5)) if latest else 1.0
    reached = found + left > 0 and found / (found + left) >= target
    contradicted = bool(latest) and wrong / len(latest) * unseen > 2 * max(left, 1.0)
    voted = sum(item in ledger.votes for item in items)
    stop = unseen == 0 or (voted >= LEAST and reached and not contradicted)
    words = _words(voted, found, left, unseen, (wrong, len(latest)), stop)
    return Progress(len(items), voted, found, left, (wrong, len(latest)), share * unseen, stop, words)


def _words(voted: int, found: int, left: float, unseen: int, audits: tuple[int, int], stop: bool) -> str:
    if not unseen:
        return f"Every caption was looked at; {found} of them did not belong."
    if voted < LEAST:
        return "Too early to say how many captions do not belong. Go on."
    said = f"{found} captions that do not belong were found; about {left:.0f} are probably left."
    if audits[1]:
        said += f" Of the last {audits[1]} drawn by chance, {audits[0]} did not belong."
    return f"{said} {'You can stop.' if stop else 'Go on.'}"

"""How often the answers of a log are wrong, by the groups that explain them best; a distribution, not a number.

    rate: `Belief.error_rate`, every answer judged by all else that is known; where that is at its floor, by the answers
          the groups overrule, of which about as many again go unseen
    width: that of rate x n wrong ones in n = 60 + (answers between items in no doubt) / 5
    one source: as many times as often wrong as it is overruled as often, shrunk to the rest

The fifth stands for what answers of one screen have in common; in logs of known truth the rate then lay within its own
width (docs/benchmarks/quality.md). The rates that weigh annotators (`oracle.reliability`) do not serve: they take two
answers of one person about one pair for two witnesses, and who errs the same way twice for faultless.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from db.nouns import Statement
from oracle.belief import Belief
from oracle.evidence import direction
from oracle.posterior import LOWEST, SURE

HIGHEST = 0.45
PRIOR, WORTH = 60.0, 0.2  # answers that the width starts from; independent ones by answer
UNSEEN = 1.5  # wrong answers by overruled ones
SHRINK = 10.0  # overruled answers that the rest lends to every source
GRID = 24


@dataclass(frozen=True)
class ErrorRate:
    """How often an answer is wrong: Beta(wrong, right). wrong 0: never."""

    wrong: float = 1.0
    right: float = 19.0

    @property
    def mean(self) -> float:
        """In [0, 0.45]."""
        return min(self.wrong / (self.wrong + self.right), HIGHEST) if self.wrong else 0.0

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Rates where the mass lies, and their log-densities up to a constant, (E,) each."""
        if self.wrong <= 0:
            return np.zeros(1), np.zeros(1)
        total = self.wrong + self.right
        mean, spread = self.wrong / total, np.sqrt(self.wrong * self.right / (total + 1)) / total
        low, high = max(0.0, mean - 5 * spread), min(HIGHEST, mean + 6 * spread)
        rates = low + (np.arange(GRID) + 0.5) / GRID * max(high - low, 1e-6)
        return rates, (self.wrong - 1) * np.log(rates) + (self.right - 1) * np.log1p(-rates)


def error_of(belief: Belief, audits: Sequence[Statement], said: Sequence[Statement]) -> ErrorRate:
    """How often these audit answers are wrong, from the whole log `said` and the groups it led to."""
    if belief.found is None or not said:
        return ErrorRate()
    sure, overruled = _overruled(belief)
    size = PRIOR + WORTH * sure
    rate = belief.error_rate
    if rate <= LOWEST:
        rate = min((UNSEEN * overruled + 0.5) / (sure + 1), LOWEST)
    rate = float(np.clip(rate * _compared(belief, audits, said), 1e-4, HIGHEST))
    return ErrorRate(max(rate * size, 0.5), (1 - rate) * size)


def sources(belief: Belief, said: Sequence[Statement], level: float = 0.9) -> dict[str, tuple[float, float, float]]:
    """How often each source is wrong: mean and the ends of its interval, as wide as its own answers leave it."""
    found = {}
    for source, told in Counter(one.source for one in said if direction(one)).items():
        rate = error_of(belief, [one for one in said if one.source == source], said)
        share = rate.mean * (PRIOR + WORTH * told)
        ends = beta.ppf([(1 - level) / 2, (1 + level) / 2], max(share, 0.5), PRIOR + WORTH * told - share)
        found[source] = (rate.mean, float(ends[0]), float(max(ends[1], rate.mean)))
    return found


def _overruled(belief: Belief) -> tuple[int, int]:
    """Answered pairs between items in no doubt, and how many of them the groups overrule."""
    assert belief.found is not None
    found = belief.found
    group = np.where(found.chance.max(1) > SURE, found.group, -1)
    one, other = group[found.asked.a], group[found.asked.b]
    sure = (one >= 0) & (other >= 0)
    return int(sure.sum()), int(((one == other) != (found.asked.answers > 0))[sure].sum())


def _compared(belief: Belief, audits: Sequence[Statement], said: Sequence[Statement]) -> float:
    """How often the sources of these answers are overruled, by how often all are."""
    place, labels = belief.snapshot.position, belief.labels
    told, wrong = Counter[str](), Counter[str]()
    for one in said:
        if direction(one) and one.a in place and one.b in place:
            told[one.source] += 1
            wrong[one.source] += (labels[place[one.a]] == labels[place[one.b]]) != (direction(one) > 0)
    usual = sum(wrong.values()) / max(sum(told.values()), 1)
    if not usual or len(told) < 2:
        return 1.0
    lent = SHRINK / usual
    known = [(wrong[one.source] + SHRINK) / (told[one.source] + lent) / usual for one in audits if one.source in told]
    return float(np.mean(known)) if known else 1.0

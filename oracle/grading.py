"""How many of some drawn pairs belong together, as far as answers tell.

    share = sum_known t_p [p is the same] / sum_known t_p        t_p: how often pair p was drawn
    interval: Jeffreys, on Kish's effective number (sum t)^2 / sum t^2 of known pairs

Pairs drawn with replacement by their weight make the plain share an estimate of the weighted one.
Source: Brown, Cai, DasGupta 2001, "Interval estimation for a binomial proportion"; Kish 1965, "Survey sampling".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from db.nouns import Verdict

LEVEL = 0.9
FIRM = (Verdict.SAME, Verdict.DIFFERENT)


@dataclass(frozen=True)
class Graded:
    """Share of the same among the known pairs with its interval; value None, low 0 and high 1 where none is known.

    known: pairs that answers settle, of `pairs` distinct ones that were drawn.
    """

    value: float | None
    low: float
    high: float
    known: int
    pairs: int


def graded(times: Sequence[float], verdicts: Sequence[Verdict | None], level: float = LEVEL) -> Graded:
    """times: (P,) > 0, how often each pair was drawn. verdicts: (P,) what answers say of it, None where open."""
    drawn = np.asarray(times, float)
    known = np.array([one in FIRM for one in verdicts], bool)
    weight = drawn[known]
    if not len(weight):
        return Graded(None, 0.0, 1.0, 0, len(drawn))
    same = np.array([one is Verdict.SAME for one in verdicts], bool)[known]
    share = float(weight[same].sum() / weight.sum())
    low, high = jeffreys(share, float(weight.sum() ** 2 / (weight**2).sum()), level)
    return Graded(share, low, high, len(weight), len(drawn))


def jeffreys(share: float, size: float, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a share seen in `size` > 0 draws; it ends at 0 or 1 where the share itself does."""
    ends = (1 - level) / 2, (1 + level) / 2
    low, high = beta.ppf(ends, share * size + 0.5, (1 - share) * size + 0.5)
    return (0.0 if share == 0 else float(min(low, share))), (1.0 if share == 1 else float(max(high, share)))

"""How many more answers: what is wrong now, against how fast answers settle things.

    x = share of items in a wrong group; two of a pair must both be right, so F1 is about (1 - x)^2
    the doubt left falls by a steady share per answer: x(n) = x(0) exp(-k n);  n = ln(x(0) / x*) / k

k is the median of the slopes of log-doubt between recent answers (Theil 1950, Sen 1968). A rough guide: the forecast
plays the answers through and knows more.
"""

from collections.abc import Sequence

import numpy as np

from oracle.quality import Estimate

RECENT, ENOUGH = 40, 12


def misplaced(f1: float) -> float:
    """Share of items in a wrong group that goes with a pair F1."""
    return 1 - max(f1, 0.0) ** 0.5


def remaining(unsettled: Sequence[float], f1: Estimate, *, target: float = 0.95, level: float = 0.9) -> Estimate:
    """Answers still needed for a pair F1 of `target`. unsettled: doubt left after each recent answer, oldest first.

    high None: the recent answers do not rule out that it takes any number.
    """
    count = len(unsettled)
    if count < ENOUGH:
        return Estimate(None, None, None, count, 0, f"needs {ENOUGH} answers to see a trend, there are {count}")
    if f1.value is None or f1.low is None or f1.high is None:
        return Estimate(None, None, None, count, 0, f"needs to know where things stand: {f1.reason}")
    low, middle, high = slopes(unsettled[-RECENT:], level)
    shares = [misplaced(one) for one in (f1.high, f1.value, f1.low)]  # best, likely, worst
    least = _answers(shares[0], misplaced(target), high)
    most = _answers(shares[2], misplaced(target), low)
    value = _answers(shares[1], misplaced(target), middle)
    if value is None:
        reason = "the last answers hardly settled anything, so no number follows from them; run a forecast"
        return Estimate(None, least, None, min(count, RECENT), 0, reason)
    return Estimate(value, least, most, min(count, RECENT), 0)


def slopes(unsettled: Sequence[float], level: float = 0.9) -> tuple[float, float, float]:
    """By what share the doubt falls per answer: low, median, high over answers at least a third of the way apart."""
    doubt = np.log(np.maximum(np.asarray(unsettled, np.float64), 1e-6))
    one, other = np.triu_indices(len(doubt), k=max(2, len(doubt) // 3))
    falls = (doubt[one] - doubt[other]) / (other - one)
    tail = 50 * (1 - level)
    low, middle, high = np.percentile(falls, [tail, 50, 100 - tail])
    return float(low), float(middle), float(high)


def _answers(now: float, goal: float, fall: float) -> float | None:
    """Answers from one share to another; 0 if it is reached, None if it never will be at this pace."""
    if now <= goal:
        return 0.0
    return None if fall <= 1e-6 else float(np.log(now / goal) / fall)

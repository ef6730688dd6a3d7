"""When to stop asking: once answers have not moved anything for long enough.

    mu = exponentially weighted mean (span 20) of "this answer changed a group", 1 before the first answer
    stop when 1 - (1 - mu)^72 < .052: hardly a chance that any of the next 72 answers changes a group

From mu = 1 that takes 73 answers in a row that change nothing. The rule knows nothing about how good the groups are, so
its advice stands beside the audit estimate; and as long as items wait for another question (`Belief.pending`) it says
to go on, unless the audits agree that the target is reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

SPAN, AHEAD, CALM = 20, 72, 0.052
ENOUGH = 10  # answers before the chance is worth a number


@dataclass(frozen=True)
class Advice:
    """stop: whether to. mean: mu, the chance that the next answer changes a group, in [0, 1], with its interval.

    ahead: chance that any of the next 72 does. answers: how many it rests on. words: the advice in plain sentences.
    """

    stop: bool
    mean: float
    low: float
    high: float
    ahead: float
    answers: int
    words: str


def weighted_mean(changed: Sequence[bool], span: int = SPAN) -> float:
    """mu of the answers in order, oldest first. Starts at 1: nothing is known, everything may change."""
    keep, mean = 1 - 2 / (span + 1), 1.0
    for one in changed:
        mean = keep * mean + (1 - keep) * float(one)
    return mean


def any_of(mean: float, ahead: int = AHEAD) -> float:
    """Chance that at least one of the next `ahead` answers changes a group."""
    return float(1 - (1 - mean) ** ahead)


def advice(
    changed: Sequence[bool],
    *,
    f1: tuple[float, float] | None = None,
    target: float = 0.95,
    level: float = 0.9,
    pending: int = 0,
) -> Advice:
    """Stop or go on. changed: one flag per answer, oldest first. f1: the interval of the audited pair F1, if known.

    pending: items whose group is still in doubt and which wait for another question.
    """
    mean, (low, high) = weighted_mean(changed), _spread(changed, level)
    ahead = any_of(mean)
    calm, reached = ahead < CALM, f1 is not None and f1[0] >= target
    waiting = 0 if reached else pending
    words = _words(changed, calm, f1, target, waiting)
    return Advice(calm and not waiting, mean, min(low, mean), max(high, mean), ahead, len(changed), words)


def _spread(changed: Sequence[bool], level: float) -> tuple[float, float]:
    """Jeffreys interval of the recent share of changes, on Kish's effective number of answers."""
    weight = (1 - 2 / (SPAN + 1)) ** np.arange(len(changed))[::-1]
    if not len(changed):
        return 0.0, 1.0
    size = float(weight.sum() ** 2 / (weight**2).sum())
    share = float(weight @ np.asarray(changed, float) / weight.sum())
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = beta.ppf(ends, share * size + 0.5, (1 - share) * size + 0.5)
    return float(low), float(high)


def _words(changed: Sequence[bool], calm: bool, f1: tuple[float, float] | None, target: float, waiting: int) -> str:
    if len(changed) < ENOUGH:
        return f"Too early to say: {_answers(len(changed))} so far. Go on."
    quiet = _quiet(changed)
    if calm:
        said = f"The last {quiet} answers moved nothing"
        if waiting:
            return f"{said}, but the group of {_pictures(waiting)} is still in doubt and will be asked about. Go on."
        return f"{said}: more of the same will hardly change the groups. {_beside(f1, target)}"
    recent = sum(map(bool, changed[-SPAN:]))
    shown = min(SPAN, len(changed))
    if not recent:
        return f"The last {quiet} answers moved nothing, but that is not long enough to be sure. Go on a little."
    said = f"{recent} of the last {shown} answers still moved something between groups."
    if f1 is not None and f1[0] >= target:
        return f"{said} The audits put pair F1 above {100 * target:.0f} % already: stop if that is good enough."
    return f"{said} Go on."


def _beside(f1: tuple[float, float] | None, target: float) -> str:
    """What the audits say to the advice to stop."""
    if f1 is None:
        return "You can stop; no audit answer says yet how good the groups are."
    if f1[0] >= target:
        return "You can stop: the audits agree that the groups are good enough."
    if f1[1] < target:
        return f"The audits put pair F1 below {100 * target:.0f} % all the same: ask in another way rather than more."
    return "You can stop; the audits neither confirm nor deny that the groups are good enough."


def _quiet(changed: Sequence[bool]) -> int:
    """How many answers in a row, up to the last, changed nothing."""
    return next((place for place, one in enumerate(reversed(changed)) if one), len(changed))


def _pictures(count: int) -> str:
    return "one picture" if count == 1 else f"{count} pictures"


def _answers(count: int) -> str:
    return "no answer" if count == 0 else "one answer" if count == 1 else f"{count} answers"

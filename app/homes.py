"""The groups as people see them: what nobody was asked about stays where it was.

Whoever approves one group looked at one group, yet a log of "same" and never "different" reads like a collection of one
kind, and what was never asked about would move into it. So a start group leaves its place only once any of it was part
of an answer; where answers show start groups to be too coarse, that holds of their parts. What to ask and what to learn
go by the belief itself.
"""

from typing import NamedTuple

import numpy as np

from oracle.belief import Belief


class Seen(NamedTuple):
    """labels: (N,) int64 group of every row. sure: (N,) float32 chance that it is in it, 0 where no answer tells."""

    labels: np.ndarray
    sure: np.ndarray


def seen(belief: Belief) -> Seen:
    """Labels as `Belief.labels` but for start groups that no answer is about, and how sure they are."""
    start = belief.start
    if not belief.groups:
        return Seen(belief.labels, np.zeros(len(start), np.float32))
    home = ~np.isin(start, start[belief.asked])
    labels = np.where(home, belief.labels.max(initial=-1) + 1 + start, belief.labels)
    likely = belief.joint[:, :-1].max(axis=1)
    return Seen(labels.astype(np.int64), np.where(home, 0, likely).astype(np.float32))

"""The scripted oracle: knows the truth, lies at a fixed rate, counts what it was asked.

Whether it lies about a pair depends on the seed and the pair alone: every system meets the same lies in whatever order
it asks, asking again brings the same answer, and the lies at 5 % are among those at 10 %.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

CHECKPOINTS = (25, 50, 100, 150, 200, 300, 400, 500)


class OutOfTime(Exception):
    """The run has used up its seconds."""


@dataclass
class Oracle:
    """error_rate: chance that a pair's verdict is wrong. A screen is one question, whatever it holds."""

    truth: np.ndarray
    error_rate: float
    seed: int
    cap_s: float = float("inf")
    verdicts: int = 0
    wrong: int = 0
    screens: int = 0
    began: float = field(default_factory=time.monotonic)

    def same(self, i: int, j: int) -> bool:
        """One pair verdict about two rows. Raises OutOfTime after `cap_s` seconds."""
        truth = bool(self.truth[i] == self.truth[j])
        return self._said(truth != self.lies(i, j), truth)

    def picked(self, pairs: Sequence[tuple[int, int]]) -> list[bool]:
        """All verdicts of a screen as one answer: with chance `error_rate` a random one of the pairs is called the
        same and no other, or none of them is. Depends on the seed and the pairs alone."""
        truth = [bool(self.truth[i] == self.truth[j]) for i, j in pairs]
        random = np.random.default_rng((self.seed, *(int(row) for pair in pairs for row in pair)))
        if random.random() >= self.error_rate:
            return [self._said(same, same) for same in truth]
        pick = int(random.integers(len(pairs) + 1))
        return [self._said(place == pick, same) for place, same in enumerate(truth)]

    def _said(self, verdict: bool, truth: bool) -> bool:
        if self.seconds > self.cap_s:
            raise OutOfTime
        self.verdicts += 1
        self.wrong += verdict != truth
        return verdict

    def lies(self, i: int, j: int) -> bool:
        """Whether this pair is answered wrongly."""
        low, high = sorted((int(i), int(j)))
        return bool(np.random.default_rng((self.seed, low, high)).random() < self.error_rate)

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self.began

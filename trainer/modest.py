"""Heavy work beside people: low priority, not all cores, and pauses, so that a click never waits for it."""

import os
import time
from collections.abc import Callable

import torch

from db.errors import BadInput

POLITE = 10  # of 19: others go first whenever they want to
LONGEST_S = 5.0  # of one pause


def be_modest(threads: int = 0) -> None:
    """Low priority for this process and a number of threads, 0 for half of the cores."""
    if hasattr(os, "nice"):
        os.nice(max(POLITE - os.nice(0), 0))
    torch.set_num_threads(threads or max(1, (os.cpu_count() or 2) // 2))


class Pauses:
    """Call it between two steps: it rests so long that work takes `share` of the time, in (0, 1]."""

    def __init__(
        self,
        share: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0 < share <= 1:
            raise BadInput(f"share = above 0 and at most 1 expected, got {share}. Half of the time is 0.5.")
        self.share, self.clock, self.rest = share, clock, rest
        self.began = clock()

    def __call__(self) -> None:
        worked_s = self.clock() - self.began
        if self.share < 1:
            self.rest(min(worked_s * (1 - self.share) / self.share, LONGEST_S))
        self.began = self.clock()

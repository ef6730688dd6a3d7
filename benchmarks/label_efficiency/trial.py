"""One run: a system, a labelled set, an oracle, and what is written down on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.label_efficiency.oracle import Oracle
from benchmarks.label_efficiency.scores import Track
from benchmarks.label_efficiency.sets import LabelledSet


class BudgetSpent(Exception):
    """Every checkpoint has been scored."""


@dataclass
class Trial:
    """What a system gets: features and an oracle. It must never look at the truth; `groups` is told to peers only.

    trace: (screens, verdicts, ARI) along the run, finer than the checkpoints.
    """

    data: LabelledSet
    oracle: Oracle
    seed: int
    verdicts: Track
    screens: Track
    trace: list[tuple[int, int, float]] = field(default_factory=list)
    note: str = ""

    @property
    def features(self) -> np.ndarray:
        """(N, D) float32, unit rows."""
        return self.data.features

    @property
    def groups(self) -> int:
        """The true number of groups."""
        return self.data.groups

    @property
    def budget(self) -> int:
        """The last checkpoint."""
        return max(self.verdicts.checkpoints)

    def ask(self, i: int, j: int, labels: Callable[[], np.ndarray]) -> bool:
        """One pair on one screen; see `screen`."""
        return self.screen([(i, j)], labels)[0]

    def screen(
        self, pairs: Sequence[tuple[int, int]], labels: Callable[[], np.ndarray], *, at_once: bool = False
    ) -> list[bool]:
        """The verdicts on one screen of pairs of rows. `labels` gives the partition before it: it is called only where
        this screen would go past a checkpoint. at_once: they are one answer, right or wrong as a whole.

        Raises: BudgetSpent where this would be one screen too many, OutOfTime.
        """
        screens, verdicts = self.oracle.screens, self.oracle.verdicts + len(pairs) - 1
        if self.screens.due(screens) or self.verdicts.due(verdicts):
            now = labels()
            self.screens.reached(screens, now)
            self.verdicts.reached(verdicts, now)
        if screens >= self.budget:
            raise BudgetSpent
        self.oracle.screens += 1
        return self.oracle.picked(pairs) if at_once else [self.oracle.same(i, j) for i, j in pairs]

    def point(self, labels: np.ndarray) -> None:
        """One more point of the trace."""
        score = float(adjusted_rand_score(self.data.truth, labels))
        self.trace.append((self.oracle.screens, self.oracle.verdicts, round(score, 5)))

    def ended(self, labels: Callable[[], np.ndarray]) -> None:
        """The system has no more questions: its partition stays what it is for every checkpoint left."""
        if self.verdicts.due(self.budget) or self.screens.due(self.budget):
            now = labels()
            self.verdicts.reached(self.budget, now)
            self.screens.reached(self.budget, now)


System = Callable[[Trial], None]

"""How good a partition is, over all items; and a run's record of it at fixed amounts of effort."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, pair_confusion_matrix

from benchmarks.label_efficiency.oracle import CHECKPOINTS


def scores(truth: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """ARI, NMI and the F1 of the pairs put together."""
    (_, extra), (missed, right) = pair_confusion_matrix(truth, labels)
    f1 = 2 * right / max(2 * right + extra + missed, 1)
    found = {
        "ari": adjusted_rand_score(truth, labels),
        "nmi": normalized_mutual_info_score(truth, labels),
        "f1": f1,
    }
    return {name: round(float(value), 5) for name, value in found.items()}


@dataclass
class Track:
    """Scores at each checkpoint of one unit of effort ("screens" or "verdicts")."""

    truth: np.ndarray
    checkpoints: Sequence[int] = CHECKPOINTS
    at: dict[str, dict[str, float]] = field(default_factory=dict)

    def reached(self, effort: int, labels: np.ndarray) -> None:
        """`labels` is the partition after `effort`: it counts for each checkpoint up to there not scored yet."""
        due = self.due(effort)
        if due:
            scored = scores(self.truth, labels)
            self.at.update({str(point): scored for point in due})

    def due(self, effort: int) -> list[int]:
        """Checkpoints up to here that are not scored yet."""
        return [point for point in self.checkpoints if point <= effort and str(point) not in self.at]

"""One bin alone: a person picks what belongs and says nothing about the rest. How likely does a thing belong?

Ridge regression of "was picked" on things, then divided by how likely a thing that belongs is picked: the mean held-out
score of the picked ones. What was not picked counts as an ordinary thing that nobody has picked yet, never as a
negative. Source: Elkan and Noto, 2008, "Learning classifiers from only positive and unlabeled data", estimator e1.
Differs from the paper: least squares instead of a calibrated classifier, in which all others together weigh as much
as the picked ones; held out by leaving one thing out.
"""

from dataclasses import dataclass

import numpy as np

FLOOR = 0.02  # least share of picked among those that belong


@dataclass(frozen=True)
class Picking:
    """rows: (N, D) that it knows. weights: (N,). often: chance that what belongs is picked, in [FLOOR, 1]."""

    rows: np.ndarray
    weights: np.ndarray
    start: float
    often: float

    def scores(self, views: np.ndarray) -> np.ndarray:
        """(n,) how much things look like what is picked; any scale, to rank by."""
        return np.asarray(views @ self.rows.T @ self.weights + self.start)

    def chances(self, views: np.ndarray) -> np.ndarray:
        """(n,) that they belong, in [0, 1]."""
        return np.clip(self.scores(views) / self.often, 0.0, 1.0)


def picking(picked: np.ndarray, others: np.ndarray, penalty: float = 0.1) -> Picking:
    """Learn from (P, D) picked things and (U, D) others, unit rows; P at least 2."""
    rows = np.concatenate([picked, others]).astype(np.float64)
    said = np.zeros(len(rows))
    said[: len(picked)] = 1.0
    apart = np.full(len(rows), penalty)
    apart[len(picked) :] *= max(1.0, len(others) / len(picked))  # a row of weight w has the penalty / w
    inverse = np.linalg.inv(rows @ rows.T + np.diag(apart))
    sums = inverse.sum(1)
    start = float(sums @ said / sums.sum())
    weights = inverse @ (said - start)
    left_out = said - weights / np.diag(inverse - np.outer(sums, sums) / sums.sum())
    often = float(np.clip(left_out[: len(picked)].mean(), FLOOR, 1.0))
    return Picking(rows, weights, start, often)

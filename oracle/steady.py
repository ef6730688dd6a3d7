"""Kernel ridge regression that takes rows in and out one at a time, and knows its own held-out predictions.

With K the inner products of the rows, A = K + penalty I, and a free intercept, the weights for targets Y are C Y where
C = B - (B 1)(B 1)' / (1' B 1), B = A^-1. B is bordered when a row comes and its Schur complement taken when one goes,
O(N^2) each. What a model without the rows g would predict for them is Y_g - (C_gg)^-1 (C Y)_g: no second fit.
Source: Rifkin and Lippert, 2007, "Notes on regularized least squares"; the block form is the same identity.
"""

from collections.abc import Sequence

import numpy as np

START = 64


class Steady:
    """penalty: > 0, on unit rows. Rows are numbered 0..n-1; dropping one moves the last row into its place."""

    def __init__(self, dim: int, penalty: float = 0.1) -> None:
        self.penalty = penalty
        self.size = 0
        self._rows = np.zeros((START, dim), np.float32)
        self._products = np.zeros((START, START), np.float32)
        self._inverse = np.zeros((START, START))

    @property
    def rows(self) -> np.ndarray:
        """(n, D) float32."""
        return self._rows[: self.size]

    @property
    def products(self) -> np.ndarray:
        """(n, n) inner products of the rows."""
        return self._products[: self.size, : self.size]

    @property
    def inverse(self) -> np.ndarray:
        """(n, n) B."""
        return self._inverse[: self.size, : self.size]

    def add(self, row: np.ndarray) -> int:
        """Take a row in; its number."""
        if self.size == len(self._rows):
            self._grow()
        n = self.size
        beside = self.rows @ row  # (n,)
        own = float(row @ row)
        self._rows[n] = row
        self._products[n, :n] = self._products[:n, n] = beside
        self._products[n, n] = own
        through = self.inverse @ beside
        left = own + self.penalty - float(beside @ through)
        self._inverse[:n, :n] += np.outer(through, through) / left
        self._inverse[n, :n] = self._inverse[:n, n] = -through / left
        self._inverse[n, n] = 1 / left
        self.size = n + 1
        return n

    def drop(self, at: int) -> int:
        """Take a row out; the number of the row that lies in its place now has (its old number)."""
        last = self.size - 1
        for table in (self._products, self._inverse):
            table[[at, last]] = table[[last, at]]
            table[:, [at, last]] = table[:, [last, at]]
        self._rows[[at, last]] = self._rows[[last, at]]
        column = self._inverse[:last, last].copy()
        self._inverse[:last, :last] -= np.outer(column, column) / self._inverse[last, last]
        self.size = last
        return last

    def fit(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights (n, K) and intercept (K,) for targets (n, K)."""
        sums = self.inverse.sum(1)
        intercept = sums @ targets / sums.sum()
        return self.inverse @ (targets - intercept), intercept

    def held_out(self, targets: np.ndarray, owner: np.ndarray) -> np.ndarray:
        """(n, K) predictions for each row by a model without any row of the same owner. At least two owners."""
        sums = self.inverse.sum(1)
        centred = self.inverse - np.outer(sums, sums) / sums.sum()  # C
        weights, _ = self.fit(targets)
        left = np.empty_like(weights)
        for block in _blocks(owner):
            if len(block) == 1:
                left[block] = weights[block] / centred[block, block][:, None]
            else:
                left[block] = np.linalg.solve(centred[np.ix_(block, block)], weights[block])
        return np.asarray(targets - left)

    def _grow(self) -> None:
        room = 2 * len(self._rows)
        self._rows = _larger(self._rows, (room, self._rows.shape[1]))
        self._products = _larger(self._products, (room, room))
        self._inverse = _larger(self._inverse, (room, room))


def _larger(table: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    made = np.zeros(shape, table.dtype)
    made[: table.shape[0], : table.shape[1]] = table
    return made


def _blocks(owner: np.ndarray) -> Sequence[np.ndarray]:
    """Row numbers of each owner."""
    order = np.argsort(owner, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(owner[order])) + 1)

"""The best few rows of every column, chosen one by one while each dims its neighbours, without going over all again.

A value only ever falls. So a choice stands until one of its own rows is dimmed, and a row that was not among the best
few hundred of its column matters only once these have fallen below it: then the whole column is looked at again.
Source: the lazy evaluation of Minoux 1978, "Accelerated greedy algorithms for maximizing submodular set functions".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

KEPT, SAMPLE, BLOCK = 1024, 2048, 8192
LEAST = 1e-9  # less is worth nothing

Rows = np.ndarray | slice
Values = Callable[[Rows, Rows], np.ndarray]  # rows, columns -> (R, C) float32, what each is worth at first
ALL = slice(None)


@dataclass(frozen=True)
class Choice:
    """rows: best first. total: sum of what they were worth when the choice began."""

    rows: np.ndarray
    total: float


@dataclass(frozen=True)
class _Column:
    """rows: (R,), rising. values: (R,), at first. floor: no other row is worth more."""

    rows: np.ndarray
    values: np.ndarray
    floor: float

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Where in the column those of (K,) different rows stand that are in it."""
        at = self.rows.searchsorted(rows)
        return at[self.rows.take(at, mode="clip") == rows]

    def most(self, size: int) -> float:
        """No `size` rows of the column are worth more together."""
        best = np.sort(self.values)[-size:]
        return float(best.sum() + (size - len(best)) * self.floor)


class Shortlist:
    """values: what every row is worth in every column at first. worth: (N,) in [0, 1], falls as rows are used, is read
    here only. neighbours: (N, K) rows that a chosen one dims, to the share `dim`. size: most rows of a choice."""

    def __init__(
        self, values: Values, columns: int, worth: np.ndarray, neighbours: np.ndarray, dim: float, size: int
    ) -> None:
        self._values, self._worth, self._neighbours = values, worth, neighbours
        self._dim, self._size = dim, size
        self._columns = shortened(values, len(worth), columns)
        self._chosen: dict[int, Choice] = {}
        # No choice is worth more: what its best rows are worth each by itself, then what it was worth when last made.
        self._bound = np.array([column.most(size) for column in self._columns])
        self._users: dict[int, set[int]] = {}  # columns whose choice holds a row

    def choices(self) -> Iterator[tuple[int, Choice]]:
        """Columns with their best rows as things stand, by falling total. Only those that are looked at are worked
        out."""
        bound = self._bound.copy()
        while len(bound) and bound.max() >= 0:
            column = int(bound.argmax())
            found = self.choice(column)
            bound[column] = found.total
            if found.total >= bound.max():
                yield column, found
                bound[column] = -1.0

    def choice(self, column: int) -> Choice:
        """The best rows of a column as things stand."""
        if column not in self._chosen:
            found, most = self._choose(self._columns[column]), KEPT
            while found is None:
                self._columns[column] = self._renewed(column, most)
                found, most = self._choose(self._columns[column]), 8 * most
            self._chosen[column] = found
            self._bound[column] = found.total
            for row in found.rows.tolist():
                self._users.setdefault(row, set()).add(column)
        return self._chosen[column]

    def dimmed(self, rows: np.ndarray) -> None:
        """These rows are worth less than before: choices that hold them are no longer valid."""
        for row in self._users.keys() & rows.tolist():
            for column in self._users.pop(row):
                self._chosen.pop(column, None)

    def _choose(self, column: _Column) -> Choice | None:
        """None if rows outside the column's list may be better."""
        values = column.values * self._worth[column.rows]
        first = values.copy()
        chosen: list[int] = []
        while len(chosen) < self._size:
            at = int(values.argmax()) if len(values) else -1
            best = values[at] if at >= 0 else 0.0
            if best < column.floor:
                return None
            if best <= LEAST:
                break
            chosen.append(at)
            values[column.places(self._neighbours[column.rows[at]])] *= self._dim
            values[at] = 0.0
        return Choice(column.rows[chosen], float(first[chosen].sum()))

    def _renewed(self, column: int, most: int) -> _Column:
        """The rows of a column that are worth most now."""
        first = self._values(ALL, np.array([column]))[:, 0]
        values = first * self._worth
        if most >= len(values):
            rows, floor = np.flatnonzero(values > LEAST), 0.0
        else:
            ranked = np.argpartition(-values, most)
            rows, floor = np.sort(ranked[:most]), float(values[ranked[most]])
        return _Column(rows, first[rows].astype(np.float64), floor)


def shortened(values: Values, count: int, columns: int) -> list[_Column]:
    """About the best KEPT rows of every column."""
    if not columns:
        return []
    floor = _floors(values, count)  # (G,)
    found = []
    for at in range(0, count, BLOCK):
        block = values(slice(at, at + BLOCK), ALL)
        cell = np.flatnonzero(block > floor)
        found.append((cell // columns + at, cell % columns, block.ravel()[cell]))
    row, column, value = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(column, kind="stable")
    ends = np.searchsorted(column[order], np.arange(columns + 1))
    parts = [order[begin:end] for begin, end in pairwise(ends)]
    return [_Column(row[part], value[part].astype(np.float64), float(floor[g])) for g, part in enumerate(parts)]


def _floors(values: Values, count: int) -> np.ndarray:
    """(G,) about the KEPT-th value of each column, from evenly spaced rows where there are many; 0 where all fit."""
    sample = values(np.linspace(0, count - 1, min(count, SAMPLE)).astype(np.int64), ALL)
    rank = KEPT * len(sample) // count
    if rank >= len(sample):
        return np.zeros(sample.shape[1], sample.dtype)
    ranked = np.partition(np.ascontiguousarray(sample.T), len(sample) - 1 - rank, axis=1)
    return np.asarray(ranked[:, len(sample) - 1 - rank])

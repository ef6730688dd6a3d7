"""Shortlists: what is chosen lazily equals what going over all rows again would choose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from oracle import shortlist
from oracle.shortlist import Rows, Shortlist

DIM, SIZE = 0.7, 4


def chosen_from_scratch(values: np.ndarray, worth: np.ndarray, neighbours: np.ndarray) -> tuple[list[int], float]:
    """The plain greedy choice over one column."""
    now = values * worth
    first, rows = now.copy(), []
    while len(rows) < SIZE and now.max() > shortlist.LEAST:
        row = int(now.argmax())
        rows.append(row)
        now[neighbours[row]] *= DIM
        now[row] = 0.0
    return rows, float(first[rows].sum())


def made(count: int, columns: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Shortlist]:
    random = np.random.default_rng(seed)
    values = random.random((count, columns)).astype(np.float32)
    neighbours = random.random((count, count)).argsort(1)[:, :5]
    worth = np.ones(count)

    def look(rows: Rows, wanted: Rows) -> np.ndarray:
        return np.asarray(values[rows][:, wanted])

    return values, neighbours, worth, Shortlist(look, columns, worth, neighbours, DIM, SIZE)


@settings(max_examples=30, deadline=None)
@given(some.integers(0, 10_000), some.integers(1, 120), some.integers(1, 6), some.sampled_from([2, 8, 40]))
def test_each_choice_is_the_greedy_one_however_often_rows_are_dimmed(
    seed: int, count: int, columns: int, kept: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shortlist, "KEPT", kept)
        patched.setattr(shortlist, "SAMPLE", 30)
        patched.setattr(shortlist, "BLOCK", 16)
        values, neighbours, worth, lazily = made(count, columns, seed)
        for _ in range(8):
            for column in range(columns):
                rows, total = chosen_from_scratch(values[:, column].astype(float), worth, neighbours)
                choice = lazily.choice(column)
                assert choice.rows.tolist() == rows
                assert choice.total == pytest.approx(total)
            used = lazily.choice(0).rows
            dimmed = np.unique(neighbours[used])
            worth[dimmed] *= DIM
            worth[used] = 0.0
            lazily.dimmed(np.concatenate([dimmed, used]))


def test_choices_come_by_falling_total() -> None:
    _, _, _, lazily = made(200, 6, 0)
    totals = [choice.total for _, choice in lazily.choices()]
    assert len(totals) == 6
    assert totals == sorted(totals, reverse=True)


def test_only_choices_that_may_be_the_best_are_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    values, _, _, lazily = made(200, 6, 0)
    looked: list[int] = []
    plain = Shortlist.choice
    monkeypatch.setattr(Shortlist, "choice", lambda self, column: looked.append(column) or plain(self, column))
    next(lazily.choices())
    assert 0 < len(looked) < values.shape[1]


def test_without_columns_there_is_nothing_to_choose() -> None:
    _, _, _, lazily = made(10, 0, 0)
    assert list(lazily.choices()) == []

"""Neighbours: exact where promised, measured where not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import BadInput
from trainer.index import build_index, neighbours


def unit(count: int, dim: int = 16, seed: int = 0, groups: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, dim))
    if groups:
        rows = 0.4 * rows + rng.normal(size=(groups, dim))[rng.integers(0, groups, count)]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(2, 60), st.integers(1, 20), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_neighbours_are_what_plain_loops_find(count: int, k: int, seed: int) -> None:
    rows = unit(count, 8, seed)
    positions, cosines = neighbours(rows, k)
    table = rows.astype(np.float64) @ rows.T.astype(np.float64)
    np.fill_diagonal(table, -9)
    wanted = min(k, count - 1)
    best = np.sort(table, axis=1)[:, ::-1][:, :wanted]
    assert positions.dtype == np.int64 and cosines.dtype == np.float32
    assert positions.shape == cosines.shape == (count, wanted)
    np.testing.assert_allclose(cosines, best, atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(table, positions, 1), best, atol=1e-5)


def test_nobody_is_its_own_neighbour_even_among_copies() -> None:
    rows = np.repeat(unit(3, 8), 20, axis=0)
    positions, cosines = neighbours(rows, 7)
    assert not (positions == np.arange(60)[:, None]).any()
    assert all(len(set(row)) == 7 for row in positions.tolist())
    np.testing.assert_allclose(cosines, 1, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_rows_have_no_neighbours(count: int) -> None:
    positions, cosines = neighbours(unit(count, 4), 5)
    assert positions.shape == cosines.shape == (count, 0)


def test_a_small_index_is_exact_and_a_large_one_says_its_recall() -> None:
    rows = unit(6_000, 16, groups=40)
    exact, lists = build_index(rows), build_index(rows, exact_up_to=1_000)
    assert (exact.kind, exact.recall) == ("exact", 1.0)
    assert lists.kind == "lists" and lists.recall >= 0.95
    asked = np.random.default_rng(1).choice(6_000, 300, replace=False)
    truth, found = exact.search(rows[asked], 10)[0], lists.search(rows[asked], 10)[0]
    hits = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(truth, found, strict=True)])
    assert hits >= 0.9


def test_lists_are_the_same_for_the_same_seed() -> None:
    rows = unit(4_000, 12, groups=20)
    first, second = (build_index(rows, exact_up_to=100, seed=3).search(rows[:50], 5)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_asking_nothing_finds_nothing() -> None:
    positions, cosines = build_index(unit(9)).search(np.empty((0, 16), np.float32), 3)
    assert positions.shape == cosines.shape == (0, 3)


def test_rows_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(BadInput, match=r"expected \(N, D\)"):
        neighbours(np.zeros(3, np.float32), 2)
    with pytest.raises(BadInput, match="finite"):
        neighbours(np.full((3, 2), np.nan, np.float32), 2)


@pytest.mark.parametrize("limit", [10_000, 100])
def test_a_search_among_some_rows_is_exact_in_either_kind_of_index(limit: int) -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(3000, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    some = np.sort(rng.choice(3000, 40, replace=False))
    index = build_index(rows, exact_up_to=limit)
    assert index.kind == ("exact" if limit > 3000 else "lists")
    found, cosines = index.search(rows[:5], 60, some)
    for query, positions, near in zip(rows[:5], found, cosines, strict=True):
        wanted = some[np.argsort(-(rows[some] @ query), kind="stable")]
        assert positions[:40].tolist() == wanted.tolist() and (positions[40:] == -1).all()
        np.testing.assert_allclose(near[:40], rows[wanted] @ query, atol=1e-5)

"""The long walk on large graphs: near the true one, linear, and the same whatever was computed before."""

from functools import lru_cache

import numpy as np
import pytest
import scipy.sparse as sparse

from oracle import kernel as kernels
from oracle.kernel import Kernel, build_kernel
from oracle.walk import regions
from tests.oracle.test_belief import blobs


@lru_cache
def both() -> tuple[Kernel, Kernel]:
    """The same graph of 1,500 items walked in big steps, and exactly."""
    snapshot, _ = blobs(per_group=300, groups=5, spread=0.4)
    exact = build_kernel(snapshot.neighbours, snapshot.cosines)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kernels, "LARGE", 1000)
        return build_kernel(snapshot.neighbours, snapshot.cosines), exact


def some_mass(seed: int = 0, asked: int = 60) -> np.ndarray:
    random = np.random.default_rng(seed)
    mass = np.zeros((1500, 5))
    mass[random.choice(1500, asked, replace=False), random.integers(0, 5, asked)] = random.random(asked)
    return mass


def test_it_arrives_where_the_exact_walk_arrives() -> None:
    large, exact = both()
    one, other = large.spread(some_mass()), exact.spread(some_mass(), tolerance=1e-6)
    assert np.linalg.norm(one - other) < 0.02 * np.linalg.norm(other)
    shares, truth = one / one.sum(1, keepdims=True), other / other.sum(1, keepdims=True)
    assert np.abs(shares - truth).sum(1).mean() < 0.02


def test_it_is_linear_so_that_parts_may_be_added() -> None:
    large, _ = both()
    one, other = some_mass(1), some_mass(2)
    added = large.spread(one) + 2 * large.spread(other)
    np.testing.assert_allclose(large.spread(one + 2 * other), added, rtol=1e-4, atol=1e-6)


def test_what_was_computed_before_changes_no_bit() -> None:
    large, _ = both()
    first = large.spread(some_mass(1))
    large.spread(some_mass(2))
    np.testing.assert_array_equal(large.spread(some_mass(1)), first)
    np.testing.assert_array_equal(large.spread(some_mass(1), start=first / 2), first)


def test_it_is_two_steps_down_from_the_regions_taken_one_after_the_other() -> None:
    large, _ = both()
    walk = large.long
    assert walk is not None
    everywhere = np.random.default_rng(3).random((1500, 5))
    for mass in (some_mass(), everywhere, everywhere[:, :1], some_mass()[:, :2]):
        flow = (walk.back.T @ (walk.regions @ (walk.back @ mass))) / walk.degree[:, None]
        for _ in range(2):
            flow = mass + walk.step @ flow
        np.testing.assert_allclose(large.spread(mass), flow, rtol=1e-5, atol=1e-6)


def test_mass_of_few_rows_walks_as_if_it_were_looked_for_everywhere() -> None:
    large, _ = both()
    mass, rows = some_mass(), np.flatnonzero(some_mass().any(1))
    flow = large.spread(mass, sources=np.arange(1500))
    np.testing.assert_allclose(large.spread(mass, sources=rows), flow, rtol=1e-5, atol=1e-6)
    assert large.long is not None
    np.testing.assert_allclose(large.long.spread_from(rows[::-1], mass[rows[::-1]]), flow, rtol=1e-5, atol=1e-6)


def test_some_rows_get_what_all_rows_get() -> None:
    rows = np.array([3, 700, 701, 1499, 3])
    for kernel in both():
        flow = kernel.spread(some_mass())
        at, total = kernel.spread_at(some_mass(), rows)
        assert np.linalg.norm(at - flow[rows]) <= 1e-5 * np.linalg.norm(flow[rows])
        np.testing.assert_allclose(total, flow.sum(0), rtol=0.02)


def test_naming_the_sources_changes_nothing() -> None:
    large, _ = both()
    mass, rows = some_mass(), np.flatnonzero(some_mass().any(1))
    np.testing.assert_array_equal(large.spread(mass, sources=rows), large.spread(mass))
    np.testing.assert_array_equal(large.spread_at(mass, rows, sources=rows)[0], large.spread_at(mass, rows)[0])


def test_mass_everywhere_and_few_columns_take_the_same_walk() -> None:
    large, exact = both()
    mass = np.random.default_rng(0).random((1500, 5))
    np.testing.assert_allclose(large.spread(mass), exact.spread(mass, tolerance=1e-6), rtol=0.1)
    np.testing.assert_allclose(large.spread(mass[:, :2]), large.spread(mass)[:, :2], rtol=1e-5)


def test_no_mass_arrives_nowhere() -> None:
    large, _ = both()
    assert not large.spread(np.zeros((1500, 2))).any()
    assert not large.spread_at(np.zeros((1500, 2)), np.array([1, 2]))[0].any()


def test_regions_stay_within_the_pieces_of_a_graph() -> None:
    region, count = regions(sparse.block_diag([np.ones((3, 3)) - np.eye(3)] * 400).tocsr())
    assert set(region.tolist()) == set(range(count))
    assert (region.reshape(-1, 3).max(1)[:-1] < region.reshape(-1, 3).min(1)[1:]).all()


def test_a_graph_in_thousands_of_pieces_is_still_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "LARGE", 1000)
    row = np.arange(9000)
    near = np.stack([row // 3 * 3 + (row + 1) % 3, row // 3 * 3 + (row + 2) % 3], axis=1)
    kernel = build_kernel(near, np.full((9000, 2), 0.6, np.float32))
    mass = np.zeros((9000, 2))
    mass[[0, 8999], [0, 1]] = 1.0
    flow = kernel.spread(mass)
    assert set(np.flatnonzero(flow[:, 0])) == {0, 1, 2}
    assert flow[0, 0] >= flow[1, 0]

"""Maps on paper: PCA against scikit-learn, laying one over another against closed forms, UMAP by what it keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from trainer import planar, snapshot
from trainer.umap_map import umap_map


def cloud(count: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, width)) * np.linspace(3, 0.2, width)).astype(np.float32)


def test_pca_is_that_of_scikit_learn_up_to_the_sign_of_an_axis() -> None:
    rows = cloud(500, 12)
    ours, theirs = planar.pca(rows), PCA(2, svd_solver="full").fit_transform(rows.astype(np.float64))
    for axis in range(2):
        assert min(np.abs(ours[:, axis] - theirs[:, axis]).max(), np.abs(ours[:, axis] + theirs[:, axis]).max()) < 1e-3


def test_pca_does_not_depend_on_the_order_of_the_items_and_is_the_same_each_time() -> None:
    rows = cloud(300, 8, seed=3)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_allclose(planar.pca(rows)[order], planar.pca(rows[order]), atol=1e-4)
    assert np.array_equal(planar.pca(rows), planar.pca(rows))


@pytest.mark.parametrize(("count", "width"), [(0, 4), (1, 4), (3, 1), (5, 2)])
def test_pca_of_few_items_or_numbers_is_finite(count: int, width: int) -> None:
    flat = planar.pca(cloud(count, width))
    assert flat.shape == (count, 2) and np.isfinite(flat).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(0.1, 10), st.booleans(), st.integers(3, 40))
def test_a_map_that_was_turned_mirrored_scaled_and_shifted_comes_back(
    seed: int, angle: float, scale: float, mirrored: bool, count: int
) -> None:
    rng = np.random.default_rng(seed)
    there = rng.normal(size=(count, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn @ np.diag([1, -1]) if mirrored else turn
    ids = np.arange(count)
    moved = there @ turn * scale + rng.normal(size=2) * 5
    np.testing.assert_allclose(planar.laid_over(ids, moved, ids, there), there, atol=1e-4)


def test_no_other_turn_lies_nearer_and_the_size_is_that_of_the_other_map() -> None:
    rng = np.random.default_rng(1)
    here, there, ids = rng.normal(size=(30, 2)), rng.normal(size=(30, 2)) * 3, np.arange(30)
    laid = planar.laid_over(ids, here, ids, there)
    best = float(((laid - there) ** 2).sum())
    assert abs(laid.std() / there.std() - 1) < 0.05
    assert abs(np.linalg.norm(laid - laid.mean(axis=0)) / np.linalg.norm(there - there.mean(axis=0)) - 1) < 1e-5
    middle = (
        (here - here.mean(axis=0))
        * np.linalg.norm(there - there.mean(axis=0))
        / np.linalg.norm(here - here.mean(axis=0))
    )
    for angle in np.linspace(0, 2 * np.pi, 361):
        for flip in (1, -1):
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, flip])
            assert ((middle @ turn + there.mean(axis=0) - there) ** 2).sum() >= best - 1e-4


def test_only_shared_items_decide_and_all_are_moved() -> None:
    ids, onto_ids = np.array([1, 2, 3, 9]), np.array([2, 3, 1000, 1001, 1])[[4, 0, 1, 2, 3]]
    points = np.array([[0, 0], [2, 0], [0, 2], [4, 4]], float)
    onto = np.array([[0, 0], [1, 0], [0, 1], [50, 50], [-70, 3]], float)  # items 1, 2, 3 at half the size
    np.testing.assert_allclose(planar.laid_over(ids, points, onto_ids, onto), points / 2, atol=1e-5)


def test_maps_that_share_nothing_or_one_place_are_only_shifted() -> None:
    points = np.array([[1.0, 1.0], [1.0, 1.0]])
    ids = np.arange(2)
    np.testing.assert_array_equal(planar.laid_over(ids, points, ids + 7, points + 3), points)
    np.testing.assert_allclose(planar.laid_over(ids, points, ids, np.array([[5.0, 5.0], [7.0, 5.0]])), [[6, 5], [6, 5]])


def test_umap_of_too_few_items_is_pca() -> None:
    made = snapshot.build(np.arange(1, 4), cloud(3, 4))
    np.testing.assert_array_equal(umap_map(made), planar.pca(made.vectors))


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_umap_keeps_clusters_together_tells_how_far_it_is_stops_and_repeats_itself() -> None:
    """One test: importing umap-learn and compiling it costs more than all maps here."""
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(4), 30)
    rows = np.eye(4, 8)[truth] * 4 + rng.normal(size=(120, 8)) * 0.3
    made = snapshot.build(np.arange(1, 121), rows.astype(np.float32))
    told: list[tuple[int, int]] = []
    flat = umap_map(made, lambda done, of: told.append((done, of)))
    assert flat is not None and flat.shape == (120, 2) and np.isfinite(flat).all()
    own = np.stack([flat[truth == kind].mean(axis=0) for kind in range(4)])
    assert (np.linalg.norm(flat[:, None] - own, axis=2).argmin(axis=1) == truth).all()
    assert told[-1] == (500, 500) and [done for done, _ in told] == sorted(done for done, _ in told)
    assert umap_map(made, stopped=lambda: True) is None
    again = umap_map(made)
    assert again is not None and np.array_equal(flat, again)

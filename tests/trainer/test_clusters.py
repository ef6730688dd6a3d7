"""The start partition: groups found without an answer."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from db.errors import BadInput
from trainer import clusters
from trainer.clusters import CLOSER, LINKS, by_size, neighbour_graph, start_partition, taken_apart


def blobs(groups: int, each: int, seed: int = 0, spread: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows around random directions, and the direction of each row."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(groups, 16))
    truth = np.repeat(np.arange(groups), each)
    vectors = centres[truth] / np.linalg.norm(centres[truth], axis=1, keepdims=True)
    vectors = vectors + spread * rng.normal(size=vectors.shape) / 4
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def near(vectors: np.ndarray, k: int = LINKS) -> tuple[np.ndarray, np.ndarray]:
    """Exact neighbours by a plain sort."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, : min(k, len(vectors) - 1)]
    return order, np.take_along_axis(cosines, order, axis=1)


def test_the_number_of_groups_is_found() -> None:
    vectors, truth = blobs(groups=7, each=40)
    found = start_partition(vectors, *near(vectors), seed=0)
    assert len(set(zip(found, truth, strict=True))) == 7 == len(set(found))


def test_the_same_seed_gives_the_same_groups() -> None:
    vectors, _ = blobs(groups=5, each=30, spread=1.5)
    first, second = (start_partition(vectors, *near(vectors), seed=3) for _ in range(2))
    assert np.array_equal(first, second)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(0, 40), seed=st.integers(0, 1000))
def test_every_item_has_one_group_and_groups_are_numbered_by_size(count: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(count, 8))
    vectors = (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    neighbours, cosines = near(vectors) if count > 1 else (np.zeros((count, 0), int), np.zeros((count, 0)))
    found = start_partition(vectors, neighbours, cosines, seed)
    sizes = np.bincount(found) if count else np.zeros(0)
    assert found.shape == (count,) and (np.diff(sizes) <= 0).all() and (sizes > 0).all()


def test_identical_items_are_one_group() -> None:
    vectors = np.tile(np.eye(1, 4, dtype=np.float32), (30, 1))
    assert set(start_partition(vectors, *near(vectors), seed=0)) == {0}


def test_the_graph_is_symmetric_without_loops() -> None:
    vectors, _ = blobs(groups=3, each=20, spread=1.0)
    graph = neighbour_graph(*near(vectors))
    assert abs(graph - graph.T).max() == 0 and graph.diagonal().sum() == 0 and graph.data.min() > 0


def test_groups_are_renamed_from_the_largest_to_the_smallest() -> None:
    assert by_size(np.array([9, 4, 4, 7, 4, 7])).tolist() == [2, 0, 0, 1, 0, 1]


def test_neighbours_of_another_embedding_are_refused() -> None:
    vectors, _ = blobs(groups=2, each=5)
    neighbours, cosines = near(vectors)
    with pytest.raises(BadInput, match="compute both from the same vectors"):
        start_partition(vectors[:-1], neighbours, cosines)


@settings(max_examples=15, deadline=None)
@given(count=st.integers(0, 60), seed=st.integers(0, 1000))
def test_groups_are_taken_apart_and_their_parts_again(count: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(count, 8))
    vectors = (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    neighbours, cosines = near(vectors) if count > 1 else (np.zeros((count, 0), int), np.zeros((count, 0)))
    levels = [start_partition(vectors, neighbours, cosines, seed)]
    levels += list(taken_apart(levels[0], neighbours, cosines, seed))
    assert len(levels) == 1 + len(CLOSER)
    for whole, parts in pairwise(levels):
        assert parts.shape == (count,)
        assert all(len(np.unique(whole[parts == part])) == 1 for part in np.unique(parts))


def test_kinds_that_stick_together_come_apart_at_a_closer_look() -> None:
    vectors, truth = blobs(groups=40, each=12, spread=0.8)
    start = start_partition(vectors, *near(vectors))
    finer = taken_apart(start, *near(vectors))
    assert start.max() + 1 < 20
    assert max(adjusted_rand_score(truth, level) for level in finer) > adjusted_rand_score(truth, start) + 0.4


def test_taken_apart_one_by_one_groups_fall_into_parts_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = blobs(groups=12, each=60, spread=1.4)
    neighbours, cosines = near(vectors)
    start = start_partition(vectors, neighbours, cosines)
    together = taken_apart(start, neighbours, cosines)
    monkeypatch.setattr(clusters, "APART", 0)
    alone = taken_apart(start, neighbours, cosines)
    whole, graph = start, neighbour_graph(neighbours, cosines)
    for level, resolution in enumerate(CLOSER):
        for part, group in zip(alone[level], whole, strict=True):
            assert (whole[alone[level] == part] == group).all()
        graph = clusters._inside(graph, whole)
        good, as_good = (_modularity(graph, found[level], resolution) for found in (together, alone))
        assert as_good > good - 0.005, "the gain of a move is the same, so the parts are as good"
        whole = alone[level]


def _modularity(graph: sp.csr_matrix, groups: np.ndarray, resolution: float) -> float:
    """Share of the weight inside groups, less what chance would put there."""
    total, ends = graph.data.sum(), graph.tocoo()
    inside = ends.data[groups[ends.row] == groups[ends.col]].sum() / total
    degree = np.bincount(groups, weights=np.asarray(graph.sum(1)).ravel()) / total
    return float(inside - resolution * (degree**2).sum())

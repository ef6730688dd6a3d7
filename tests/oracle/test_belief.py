"""Belief: groups from evidence, propagation, the partition that obeys every answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from db.nouns import Snapshot, Statement, Verdict
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.grouping import answered_groups, signed_evidence
from oracle.kernel import build_kernel, kernel_of


def blobs(per_group: int = 20, groups: int = 3, spread: float = 0.25, seed: int = 0) -> tuple[Snapshot, np.ndarray]:
    """Well separated directions on a sphere, ids 1..N in shuffled order of groups."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(groups), per_group)
    random.shuffle(labels)
    vectors = np.eye(max(groups, 2) + 4)[labels] + spread * random.standard_normal((len(labels), max(groups, 2) + 4))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    near = np.argsort(-cosines, axis=1)[:, :10]
    start = np.zeros(len(labels), dtype=np.int64)
    return Snapshot(
        1, np.arange(1, len(labels) + 1), vectors, near, np.take_along_axis(cosines, near, 1), start
    ), labels


def said(labels: np.ndarray, pairs: list[tuple[int, int]]) -> ConstraintGraph:
    """A truthful oracle's answers about pairs of rows."""
    graph = ConstraintGraph()
    for number, (i, j) in enumerate(pairs, start=1):
        verdict = Verdict.SAME if labels[i] == labels[j] else Verdict.DIFFERENT
        graph.add(Statement(number, i + 1, j + 1, verdict, "truth"))
    return graph


def test_the_kernel_equals_the_dense_inverse() -> None:
    snapshot, _ = blobs()
    kernel = build_kernel(snapshot.neighbours, snapshot.cosines)
    mass = np.random.default_rng(0).random((60, 3))
    walk = np.diag(1 / kernel.scale[:, 0]) @ kernel.walk.toarray() @ np.diag(kernel.scale[:, 0])
    dense = np.linalg.solve(np.eye(60) - kernel.alpha * walk, mass)
    np.testing.assert_allclose(kernel.spread(mass, tolerance=1e-6), dense, rtol=2e-3)


def test_a_kernel_is_built_once_per_snapshot() -> None:
    snapshot, _ = blobs()
    assert kernel_of(snapshot) is kernel_of(snapshot)


def test_without_answers_the_belief_is_the_start_partition() -> None:
    snapshot, _ = blobs()
    belief = infer(snapshot, ConstraintGraph())
    assert belief.groups == 0
    np.testing.assert_array_equal(belief.labels, snapshot.start)
    np.testing.assert_allclose(belief.probabilities.sum(1), 1, rtol=1e-6)


def test_a_few_answers_per_group_place_everybody() -> None:
    snapshot, labels = blobs()
    rows = [np.flatnonzero(labels == group) for group in range(3)]
    pairs = [(int(r[0]), int(r[k])) for r in rows for k in (1, 2, 3, 4)]
    pairs += [(int(rows[a][0]), int(rows[b][0])) for a in range(3) for b in range(a)]
    belief = infer(snapshot, said(labels, pairs))
    assert belief.groups == 3
    agreement = (belief.labels[:, None] == belief.labels[None]) == (labels[:, None] == labels[None])
    assert agreement.mean() > 0.98
    np.testing.assert_allclose(belief.probabilities.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(belief.joint.sum(1), 1, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(some.lists(some.tuples(some.integers(0, 29), some.integers(0, 29)).filter(lambda p: p[0] != p[1]), max_size=60))
def test_the_partition_obeys_every_answer_of_a_truthful_oracle(pairs: list[tuple[int, int]]) -> None:
    snapshot, labels = blobs(per_group=10)
    labels = np.random.default_rng(1).permutation(labels)  # a notion the embedding knows nothing of
    belief = infer(snapshot, said(labels, pairs))
    for i, j in pairs:
        if labels[i] == labels[j]:
            assert belief.labels[i] == belief.labels[j]
        elif belief.member[i] >= 0 and belief.member[j] >= 0:
            assert belief.labels[i] != belief.labels[j]


@settings(max_examples=30, deadline=None)
@given(some.permutations(list(range(12))))
def test_the_order_of_answers_does_not_matter(order: list[int]) -> None:
    snapshot, labels = blobs(per_group=10)
    pairs = [(k, (7 * k + 3) % 30) for k in range(12)]
    one = infer(snapshot, said(labels, pairs))
    other = infer(snapshot, said(labels, [pairs[k] for k in order]))
    np.testing.assert_array_equal(one.labels, other.labels)


def test_one_lie_among_many_answers_glues_nothing() -> None:
    two = np.repeat([0, 1], 6)
    a, b = np.array([(i, j) for i in range(12) for j in range(i)]).T
    nats = np.where(two[a] == two[b], 2.9, -2.9)
    lie = np.flatnonzero(two[a] != two[b])[0]
    nats[lie] = 2.9
    group = answered_groups(signed_evidence(a, b, nats, 12))
    assert len(set(group)) == 2
    assert (group == group[0]).sum() == 6


def test_an_item_denied_by_every_group_founds_its_own() -> None:
    a, b = np.array([0, 2, 0, 4, 4]), np.array([1, 3, 2, 0, 2])
    nats = np.array([2.9, 2.9, -2.9, -2.9, -2.9])
    np.testing.assert_array_equal(answered_groups(signed_evidence(a, b, nats, 6)), [0, 0, 1, 1, 2, -1])


def test_answers_about_items_outside_the_snapshot_are_ignored() -> None:
    snapshot, labels = blobs()
    graph = said(labels, [(0, 1)])
    graph.add(Statement(99, 1, 5000, Verdict.SAME, "truth"))
    assert infer(snapshot, graph).labels.shape == labels.shape


@pytest.mark.parametrize("rows", [(0, 1), (3, 9)])
def test_the_chance_of_belonging_together_is_a_chance(rows: tuple[int, int]) -> None:
    snapshot, labels = blobs()
    for graph in (ConstraintGraph(), said(labels, [(0, 1), (0, 2), (1, 5)])):
        assert 0 <= infer(snapshot, graph).same(*rows) <= 1

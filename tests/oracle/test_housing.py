"""Housing: scattered groups live where they started, and no cannot-link shares a house."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.metrics import adjusted_rand_score

from db.nouns import Statement, Verdict
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.housing import houses, standing
from tests.oracle.test_belief import blobs


def test_groups_that_all_differ_stand_alone() -> None:
    between = np.full((3, 3), -2.9)
    np.fill_diagonal(between, 5.0)
    assert standing(between, np.array([4.0, 2.0, 3.0])).all()
    member = np.array([0, 0, 1, 2, -1])
    np.testing.assert_array_equal(houses(member, between, np.zeros(5, dtype=np.int64)), [0, 1, 2])


def test_a_group_nobody_compared_lives_where_its_members_started() -> None:
    between = np.diag([5.0, 5.0])
    member, start = np.array([0, 0, 0, 1, 1, -1]), np.array([0, 0, 1, 1, 1, 0])
    np.testing.assert_array_equal(houses(member, between, start), [0, 2 + 1])


def test_two_groups_known_to_differ_never_share_a_house() -> None:
    between = np.diag([5.0, 5.0, 5.0])
    between[1, 2] = between[2, 1] = -2.9  # neither was compared with the largest
    member, start = np.array([0, 0, 0, 1, 1, 2, 2]), np.zeros(7, dtype=np.int64)
    label = houses(member, between, start)
    assert label[1] != label[2]


@settings(max_examples=40, deadline=None)
@given(some.lists(some.tuples(some.integers(0, 29), some.integers(0, 29)).filter(lambda p: p[0] != p[1]), max_size=80))
def test_every_stated_pair_is_obeyed_however_scattered(pairs: list[tuple[int, int]]) -> None:
    snapshot, _ = blobs(per_group=10)
    labels = np.random.default_rng(5).integers(0, 4, 30)
    graph = ConstraintGraph()
    for number, (i, j) in enumerate(pairs, start=1):
        same = Verdict.SAME if labels[i] == labels[j] else Verdict.DIFFERENT
        graph.add(Statement(number, i + 1, j + 1, same, "truth"))
    belief = infer(snapshot, graph)
    for i, j in pairs:
        if labels[i] == labels[j]:
            assert belief.labels[i] == belief.labels[j]
        elif belief.member[i] >= 0 or belief.member[j] >= 0:
            assert belief.labels[i] != belief.labels[j]


def test_scattered_answers_do_not_tear_the_start_partition_apart() -> None:
    snapshot, labels = blobs(per_group=60, groups=3, spread=0.2)
    start = np.where(np.arange(180) % 9 == 0, (labels + 1) % 3, labels)  # one in nine starts in the wrong place
    snapshot = type(snapshot)(**{**vars(snapshot), "start": start})
    graph, random = ConstraintGraph(), np.random.default_rng(0)
    for number in range(1, 121):
        i, j = random.choice(180, 2, replace=False)
        same = Verdict.SAME if labels[i] == labels[j] else Verdict.DIFFERENT
        graph.add(Statement(number, int(i) + 1, int(j) + 1, same, "truth"))
    assert adjusted_rand_score(labels, infer(snapshot, graph).labels) > 0.97
    assert adjusted_rand_score(labels, start) < 0.75

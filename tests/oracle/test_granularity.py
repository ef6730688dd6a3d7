"""How closely start clusters are looked at, and what one that nobody was asked about may hold."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from db.nouns import Snapshot
from oracle.belief import infer
from oracle.granularity import ALIKE, HELD, fitting, kin, novel
from tests.oracle.test_belief import blobs, said

LABELS = some.lists(some.tuples(*[some.integers(0, 3)] * 3), min_size=0, max_size=25)


def coarse(groups: int, each: int = 30) -> tuple[Snapshot, np.ndarray]:
    """One start cluster that falls into one part a blob, and the blob of every row."""
    snapshot, labels = blobs(each, groups)
    return replace(snapshot, finer=labels[None]), labels


@given(LABELS)
def test_kin_is_the_share_of_one_group_across_the_parts_of_a_cluster(items: list[tuple[int, int, int]]) -> None:
    shares = []
    for one in items:
        across = [other for other in items if other[0] == one[0] and other[1] != one[1]]
        if across:
            shares.append(np.mean([other[2] == one[2] for other in across]))
    cluster, part, group = np.array(items, dtype=np.int64).reshape(-1, 3).T
    part = 4 * cluster + part  # parts lie inside their clusters
    assert kin(cluster, part, group) == pytest.approx((HELD + sum(shares)) / (HELD + len(shares)))


@given(LABELS)
def test_a_cluster_is_novel_as_often_as_groups_were_met_in_one_cluster_only(items: list[tuple[int, int, int]]) -> None:
    met = {group: {cluster for cluster, _, other in items if other == group} for _, _, group in items}
    clusters = {cluster for cluster, _, _ in items}
    cluster, _, group = np.array(items, dtype=np.int64).reshape(-1, 3).T
    once = sum(len(where) == 1 for where in met.values())
    assert novel(cluster, group) == pytest.approx(once / (len(clusters) + 1))


def test_before_any_answer_the_start_clusters_are_read_as_they_are() -> None:
    snapshot, _ = coarse(4)
    none = np.zeros(0, dtype=np.int64)
    assert fitting(snapshot, none, none) is snapshot.start
    assert infer(snapshot, said(snapshot.start, [])).start is snapshot.start


def test_parts_of_different_kinds_are_read_apart_and_parts_of_one_kind_are_not() -> None:
    snapshot, labels = coarse(8)
    rows = np.concatenate([np.flatnonzero(labels == blob)[:3] for blob in range(8)])
    np.testing.assert_array_equal(fitting(snapshot, rows, labels[rows]), labels)
    np.testing.assert_array_equal(fitting(snapshot, rows, labels[rows] % 2), snapshot.start)


def test_no_further_level_is_read_past_one_that_fits() -> None:
    snapshot, labels = coarse(8)
    snapshot = replace(snapshot, start=labels, finer=np.arange(len(labels))[None])
    rows = np.arange(0, len(labels), 4)
    assert kin(labels[rows], rows, labels[rows]) > ALIKE
    np.testing.assert_array_equal(fitting(snapshot, rows, labels[rows]), labels)


def test_answers_about_some_of_many_kinds_keep_the_others_apart() -> None:
    snapshot, labels = coarse(24, each=15)
    met = [np.flatnonzero(labels == blob)[:3] for blob in range(10)]
    pairs = [(int(rows[0]), int(row)) for rows in met for row in rows[1:]]
    pairs += [(int(met[a][0]), int(met[b][0])) for a in range(10) for b in range(a)]
    belief = infer(snapshot, said(labels, pairs))
    found = belief.labels[labels >= 10]
    together = found[:, None] == found
    np.testing.assert_array_equal(together, labels[labels >= 10][:, None] == labels[labels >= 10])
    alone = infer(replace(snapshot, finer=snapshot.finer[:0]), said(labels, pairs))
    assert len(np.unique(alone.labels[labels >= 10])) < 14


def test_parts_that_two_kinds_share_evenly_are_not_read_apart() -> None:
    snapshot, labels = coarse(12)
    half = labels % 2
    rows = np.concatenate([np.flatnonzero(labels == blob)[:4] for blob in range(12)])
    assert fitting(snapshot, rows, half[rows]) is snapshot.start

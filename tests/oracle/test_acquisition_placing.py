"""Rules that place one item at a time among the groups found so far: NPU, Explore-Consolidate, MinMax, covers."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BadInput
from db.nouns import Kind, Question, Snapshot, Verdict
from oracle import plugins
from oracle.acquisition._neighbourhoods import farthest_first, neighbourhoods, typicality
from oracle.acquisition.explore_consolidate import CONSOLIDATE, EXPLORE
from oracle.acquisition.npu import leaf_similarity, normalised_uncertainty
from oracle.constraints import ConstraintGraph
from tests.oracle.conftest import blobs, say

PLACING = ["npu", "explore_consolidate", "minmax", "k_center", "typiclust"]
each = pytest.mark.parametrize("name", PLACING)


def rule(name: str, **settings: object) -> Any:
    return plugins.load("oracle.acquisition", name, **settings)


def on_circle(degrees: Sequence[float], start: Sequence[int], first_id: int = 11) -> Snapshot:
    """Items at angles, so that who is near whom can be seen."""
    angle = np.deg2rad(np.array(degrees, dtype=np.float64))
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(5, len(degrees) - 1)]
    ids = first_id + 3 * np.arange(len(degrees))
    return Snapshot(7, ids, vectors, nearest, np.take_along_axis(cosines, nearest, 1), np.array(start, dtype=np.int64))


def told(snapshot: Snapshot, *pairs: tuple[int, int, str]) -> ConstraintGraph:
    """Answers about rows."""
    ids = snapshot.ids
    return ConstraintGraph.build(say(n, int(ids[a]), int(ids[b]), v) for n, (a, b, v) in enumerate(pairs, start=1))


def rows_of(snapshot: Snapshot, question: Question) -> tuple[int, list[int]]:
    return snapshot.position[question.anchor], [snapshot.position[item] for item in question.candidates]


def answer(graph: ConstraintGraph, question: Question, labels: dict[int, int]) -> None:
    for a, b in question.pairs():
        graph.add(say(graph.size + 1, a, b, "same" if labels[a] == labels[b] else "different"))


# neighbourhoods -------------------------------------------------------------------------------------------------------
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()).filter(lambda p: p[0] != p[1]), max_size=30)
)
def test_every_two_neighbourhoods_are_known_to_differ_even_under_lies(said: list[tuple[int, int, bool]]) -> None:
    snapshot = blobs([0] * 10)
    graph = told(snapshot, *((a, b, "same" if same else "different") for a, b, same in said))
    known = neighbourhoods(snapshot, graph)
    for one, other in combinations(known.rows, 2):
        assert graph.relation(int(snapshot.ids[one[0]]), int(snapshot.ids[other[0]])) is Verdict.DIFFERENT
    assert not set(known.begun) & set(np.flatnonzero(known.of >= 0).tolist())


def test_an_item_denied_by_all_neighbourhoods_founds_one_and_by_some_is_half_placed() -> None:
    snapshot = blobs([0] * 6)
    graph = told(snapshot, (0, 1, "same"), (0, 2, "different"), (3, 0, "different"), (3, 2, "different"),
                 (4, 1, "different"))  # fmt: skip
    known = neighbourhoods(snapshot, graph)
    assert [rows.tolist() for rows in known.rows] == [[0, 1], [2], [3]]
    assert known.begun == [4]
    assert known.of.tolist() == [0, 0, 1, 2, -1, -1]


def test_a_half_placed_item_does_not_take_the_place_of_neighbourhoods_it_was_not_compared_with() -> None:
    snapshot = blobs([0] * 8)
    graph = told(snapshot, (2, 5, "different"), (2, 7, "different"), (5, 7, "different"), (0, 7, "different"))
    known = neighbourhoods(snapshot, graph)
    assert [rows.tolist() for rows in known.rows] == [[7], [2], [5]]
    assert known.begun == [0]
    far = told(snapshot, (2, 5, "different"), (3, 2, "same"), *((0, row, "different") for row in (1, 4, 6, 7)))
    assert neighbourhoods(snapshot, far).rows[0].tolist() == [2, 3]  # size goes before


@each
def test_a_half_placed_item_goes_before_anything_new_until_it_is_placed(name: str) -> None:
    snapshot = blobs([row % 3 for row in range(30)])
    graph = told(snapshot, (0, 1, "different"), (0, 2, "different"), (1, 2, "different"), (3, 1, "different"))
    asked = []
    for _ in range(2):
        (question,) = rule(name, screen=1).propose(snapshot, graph, 1)
        anchor, beside = rows_of(snapshot, question)
        assert anchor == 3
        assert question.kind is Kind.PAIR
        asked += beside
        graph.add(say(graph.size + 1, question.anchor, question.candidates[0], "different"))
    assert sorted(asked) == [0, 2]
    (question,) = rule(name, screen=1).propose(snapshot, graph, 1)
    assert rows_of(snapshot, question)[0] != 3


@each
def test_a_screen_shows_an_item_beside_one_member_of_each_group(name: str) -> None:
    labels = [row % 4 for row in range(40)]
    snapshot = blobs(labels)
    pairs = [(a, b, "different") for a, b in combinations(range(4), 2)] + [(g, g + 4, "same") for g in range(4)]
    (question,) = rule(name, screen=12).propose(snapshot, told(snapshot, *pairs), 1)
    anchor, beside = rows_of(snapshot, question)
    assert anchor >= 8
    assert sorted(labels[row] for row in beside) == [0, 1, 2, 3]
    assert max(beside) < 8
    assert question.kind is Kind.TICK


@each
def test_a_truthful_person_places_every_item(name: str) -> None:
    labels = [row % 3 for row in range(15)]
    snapshot = blobs(labels)
    known = {int(item): label for item, label in zip(snapshot.ids, labels, strict=True)}
    graph = ConstraintGraph()
    for _ in range(60):
        found = rule(name, seed=1, screen=1).propose(snapshot, graph, 1)
        if not found:
            break
        answer(graph, found[0], known)
    assert sorted(len(part) for part in graph.components()) == [5, 5, 5]


@pytest.mark.parametrize("setting", ["screen"])
@pytest.mark.parametrize("name", [*PLACING, "cobras", "disagreement", "false_positives", "lca", "occ"])
def test_settings_without_meaning_are_refused(name: str, setting: str) -> None:
    with pytest.raises(BadInput, match=f"{setting} = 1 or more expected, got 0"):
        rule(name, **{setting: 0})


# NPU ------------------------------------------------------------------------------------------------------------------
def test_uncertainty_is_entropy_over_expected_questions() -> None:
    chance = np.random.default_rng(0).dirichlet(np.ones(4), 20)
    for row, found in zip(chance, normalised_uncertainty(chance), strict=True):
        entropy = -sum(p * np.log(p) for p in row)
        questions = sum(place * p for place, p in enumerate(sorted(row, reverse=True), start=1))
        assert found == pytest.approx(entropy / questions)


def test_an_item_between_two_groups_goes_before_one_that_may_be_in_any_of_ten() -> None:
    between, anywhere = np.array([0.5, 0.5] + [0.0] * 8), np.full(10, 0.1)
    score = normalised_uncertainty(np.stack([between, anywhere]))
    assert score[0] == pytest.approx(np.log(2) / 1.5)
    assert score[1] == pytest.approx(np.log(10) / 5.5)
    assert score[0] > score[1]


def test_forest_similarity_is_the_mean_share_of_common_leaves() -> None:
    leaves = np.random.default_rng(1).integers(0, 3, (8, 5))
    groups = [np.array([0, 1, 2]), np.array([5])]
    found = leaf_similarity(leaves, groups)
    for item in range(8):
        for place, group in enumerate(groups):
            assert found[item, place] == pytest.approx(
                np.mean([(leaves[item] == leaves[other]).mean() for other in group])
            )


def test_npu_asks_about_the_item_between_two_groups() -> None:
    degrees = [*range(20), *range(70, 90), 44.6]
    snapshot = on_circle(degrees, [0] * 20 + [1] * 20 + [0])
    graph = told(snapshot, (5, 25, "different"), (5, 6, "same"), (25, 26, "same"))
    (question,) = rule("npu", screen=2, leaf=1).propose(snapshot, graph, 1)
    assert rows_of(snapshot, question)[0] == 40
    assert len(question.candidates) == 2


# Explore-Consolidate --------------------------------------------------------------------------------------------------
def test_exploring_asks_about_the_farthest_item_until_no_group_is_alone() -> None:
    snapshot = on_circle([0, 5, 10, 120, 125, 200, 60], [0] * 7)
    two = told(snapshot, (0, 3, "different"))
    (question,) = rule("explore_consolidate").propose(snapshot, two, 1)
    assert rows_of(snapshot, question)[0] == 5  # 80 degrees from 120; 60 is only 60 from both
    assert question.reason == EXPLORE
    full = told(snapshot, (0, 3, "different"), (0, 1, "same"), (3, 4, "same"))
    drawn = {
        rows_of(snapshot, rule("explore_consolidate", seed=seed).propose(snapshot, full, 1)[0])[0] for seed in range(30)
    }
    assert drawn == {2, 5, 6}
    assert rule("explore_consolidate").propose(snapshot, full, 1)[0].reason == CONSOLIDATE


def test_a_given_number_of_groups_ends_exploring() -> None:
    snapshot = on_circle([0, 5, 120, 125, 200, 60], [0] * 6)
    graph = told(snapshot, (0, 2, "different"))
    assert rule("explore_consolidate", groups=2).propose(snapshot, graph, 1)[0].reason == CONSOLIDATE
    full = told(snapshot, (0, 2, "different"), (0, 1, "same"), (2, 3, "same"))
    assert rule("explore_consolidate", groups=3).propose(snapshot, full, 1)[0].reason == EXPLORE


def test_consolidating_compares_with_the_nearest_centre_first() -> None:
    snapshot = on_circle([0, 80, 100, 110, 58], [0] * 5)  # nearest member of 58: 80; nearest centre: 40, of 0 and 80
    graph = told(snapshot, (0, 1, "same"), (2, 3, "same"), (0, 2, "different"))
    (question,) = rule("explore_consolidate", screen=1).propose(snapshot, graph, 1)
    assert rows_of(snapshot, question) == (4, [1])


# MinMax and covers ----------------------------------------------------------------------------------------------------
def least_covered(snapshot: Snapshot, covered: Sequence[int], pool: Sequence[int]) -> int:
    """By plain loops: argmin over the pool of the largest Gaussian similarity to what is covered."""
    vectors = snapshot.vectors.astype(np.float64)
    return min(pool, key=lambda x: max(float(np.exp(-((vectors[x] - vectors[y]) ** 2).sum() / 2)) for y in covered))


@pytest.mark.parametrize("name", ["minmax", "k_center"])
def test_the_item_least_like_anything_placed_comes_next(name: str) -> None:
    snapshot = blobs([row % 5 for row in range(50)], seed=4)
    graph = told(snapshot, (0, 1, "different"), (0, 5, "same"))
    (question,) = rule(name).propose(snapshot, graph, 1)
    assert rows_of(snapshot, question)[0] == least_covered(snapshot, [0, 1, 5], [*range(2, 5), *range(6, 50)])


def test_what_was_answered_unsure_is_covered_for_k_center_but_not_placed_for_minmax() -> None:
    snapshot = on_circle([0, 10, 20, 170, 180, 95], [0] * 6)
    graph = told(snapshot, (0, 1, "same"), (4, 0, "unsure"))
    assert rows_of(snapshot, rule("minmax", screen=1).propose(snapshot, graph, 1)[0])[0] == 4
    assert rows_of(snapshot, rule("k_center", screen=1).propose(snapshot, graph, 1)[0])[0] == 5


def test_k_center_leaves_outliers_uncovered_while_there_is_anything_else() -> None:
    snapshot = on_circle([*range(0, 40, 2), *range(100, 140, 2), 190], [0] * 41)
    graph = told(snapshot, (0, 1, "same"))
    lonely = 40
    assert rows_of(snapshot, rule("k_center", outliers=0.0).propose(snapshot, graph, 1)[0])[0] == lonely
    assert rows_of(snapshot, rule("k_center", outliers=0.05).propose(snapshot, graph, 1)[0])[0] == 39
    with pytest.raises(BadInput, match="outliers"):
        rule("k_center", outliers=1.0)


def test_farthest_first_covers_every_blob_before_any_twice() -> None:
    labels = [row % 6 for row in range(60)]
    snapshot = blobs(labels, spread=0.1)
    chosen = farthest_first(snapshot, np.array([], dtype=int), np.arange(60), 6, first=17)
    assert chosen[0] == 17
    assert sorted(labels[row] for row in chosen) == list(range(6))


# TypiClust ------------------------------------------------------------------------------------------------------------
def test_typicality_is_one_over_the_mean_distance_to_the_neighbours() -> None:
    snapshot = blobs([row % 3 for row in range(20)])
    for row, found in enumerate(typicality(snapshot)):
        apart = [np.linalg.norm(snapshot.vectors[row] - snapshot.vectors[near]) for near in snapshot.neighbours[row]]
        assert found == pytest.approx(1 / np.mean(apart), rel=1e-3)


def test_typiclust_asks_about_the_densest_item_of_a_part_without_questions() -> None:
    parts = [[-8, -4, -1, 0, 1, 4, 8], [82, 86, 89, 90, 91, 94, 98], [172, 176, 179, 180, 181, 184, 188]]
    snapshot = on_circle([degree for part in parts for degree in part], [0] * 21)
    graph = told(snapshot, (3, 10, "different"))
    (question,) = rule("typiclust", parts=3).propose(snapshot, graph, 1)
    assert rows_of(snapshot, question)[0] == 17  # the middle of the third part


def test_typiclust_goes_on_to_the_part_with_the_fewest_questions() -> None:
    snapshot = on_circle([*range(12), *range(90, 98)], [0] * 20)
    graph = told(snapshot, (3, 15, "different"), (15, 16, "same"), (15, 17, "same"))
    for n in (1, 2):
        first = rule("typiclust", parts=2).propose(snapshot, graph, n)[0]
        assert rows_of(snapshot, first)[0] < 12  # the other part is smaller and has been asked about three times


def test_typiclust_asks_about_small_parts_last() -> None:
    snapshot = on_circle([*range(16), 100, 103, *range(200, 216)], [0] * 34)
    found = [row for question in rule("typiclust", parts=3, screen=1).propose(snapshot, ConstraintGraph(), 34)
             for row in rows_of(snapshot, question)[:1]]  # fmt: skip
    lonely = [place for place, row in enumerate(found) if row in (16, 17)]
    assert len(found) > 4
    assert lonely == list(range(len(found) - len(lonely), len(found)))


@pytest.mark.parametrize("how", [lambda s: s, lambda s: ConstraintGraph.build(reversed(s.statements))])
def test_the_order_of_answers_is_irrelevant(how: Callable[[ConstraintGraph], ConstraintGraph]) -> None:
    snapshot = blobs([row % 3 for row in range(30)])
    graph = told(snapshot, (0, 1, "different"), (4, 1, "same"), (2, 0, "different"), (9, 2, "different"))
    for name in PLACING:
        assert rule(name).propose(snapshot, how(graph), 3) == rule(name).propose(snapshot, graph, 3)

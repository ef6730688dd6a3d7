"""Rules that judge the groups as they are: committees, unlike members, alternatives, representatives."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from db.nouns import Kind
from oracle import plugins
from oracle.acquisition._neighbourhoods import parts
from oracle.acquisition._screens import Desk
from oracle.acquisition.disagreement import committee, vote_entropy
from oracle.acquisition.false_positives import outliers
from oracle.acquisition.lca import Alternatives, likelihood_ratio
from oracle.acquisition.occ import same
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from tests.oracle.conftest import blobs
from tests.oracle.test_acquisition_placing import on_circle, rows_of, told


def rule(name: str, **settings: object) -> Any:
    return plugins.load("oracle.acquisition", name, **settings)


# disagreement ---------------------------------------------------------------------------------------------------------
def test_vote_entropy_is_that_of_the_shares() -> None:
    votes = np.random.default_rng(0).integers(0, 3, (8, 30))
    for column, found in zip(votes.T, vote_entropy(votes), strict=True):
        shares = [(column == name).mean() for name in np.unique(column)]
        assert found == pytest.approx(-sum(p * np.log(p) for p in shares))


def test_a_head_votes_for_the_nearest_centre_of_what_it_learnt() -> None:
    snapshot = on_circle([0, 10, 90, 100, 49.9], [0] * 5)
    group = np.array([4, 4, 9, 9, 4])
    weight = np.array([[1, 1, 1, 1, 0], [0, 1, 1, 0, 0], [2, 0, 0, 0, 0], [1, 0, 3, 0, 0]])
    votes = committee(snapshot.vectors, group, weight)
    assert votes[:, :4].tolist() == [[4, 4, 9, 9], [4, 4, 9, 9], [4, 4, 4, 4], [4, 4, 9, 9]]  # the third saw no 9
    assert votes[:, 4].tolist() == [4, 4, 4, 9]  # centres at 5 and 95, 10 and 90, 0 alone, 0 and 90


def test_the_committee_is_asked_about_the_item_between_two_groups() -> None:
    degrees = [*range(0, 20, 2), *range(80, 100, 2), 49.3]
    snapshot = on_circle(degrees, [0] * 10 + [1] * 10 + [0])
    found = [
        rule("disagreement", seed=seed, screen=2, members=32).propose(snapshot, ConstraintGraph(), 1)[0]
        for seed in range(9)
    ]
    about = [rows_of(snapshot, question) for question in found]
    assert all(anchor == 20 for anchor, _ in about)
    assert all(sorted(row // 10 for row in beside) == [0, 1] for _, beside in about)


def test_a_group_that_answers_have_ruled_out_is_not_asked_about_again() -> None:
    degrees = [*range(0, 20, 2), *range(80, 100, 2), 49.3]
    snapshot = on_circle(degrees, [0] * 10 + [1] * 10 + [0])
    graph = told(snapshot, (20, 10, "different"))
    for seed in range(9):
        for question in rule("disagreement", seed=seed, screen=2).propose(snapshot, graph, 1):
            anchor, beside = rows_of(snapshot, question)
            assert anchor != 20 or all(row < 10 for row in beside)


# false positives ------------------------------------------------------------------------------------------------------
def test_the_stranger_in_a_group_is_asked_about_first() -> None:
    snapshot = on_circle([0, 3, 6, 9, 12, 70, 200, 203, 206, 209], [0] * 6 + [1] * 4)
    (question,) = rule("false_positives", screen=3).propose(snapshot, ConstraintGraph(), 1)
    anchor, beside = rows_of(snapshot, question)
    assert question.kind is Kind.ODD
    assert beside[0] == 5
    assert {anchor, *beside} <= set(range(6))
    (pair,) = rule("false_positives", screen=1).propose(snapshot, ConstraintGraph(), 1)
    assert pair.kind is Kind.PAIR
    assert rows_of(snapshot, pair)[1] == [5]


def test_doubt_is_one_minus_the_cosine_to_the_centre_of_the_group() -> None:
    snapshot = blobs([row % 3 for row in range(18)], spread=0.6)
    belief = infer(snapshot, ConstraintGraph())
    doubtful, central = outliers(belief)
    for row in range(18):
        rows = np.flatnonzero(belief.labels == belief.labels[row])
        centre = snapshot.vectors[rows].mean(0)
        cosines = snapshot.vectors[rows] @ centre / np.linalg.norm(centre)
        assert doubtful[row] == pytest.approx(1 - cosines[rows.tolist().index(row)], abs=1e-5)
        assert central[row] == rows[cosines.argmax()]


def test_members_that_answers_placed_make_the_centre() -> None:
    snapshot = blobs([row % 3 for row in range(30)])
    graph = told(snapshot, (0, 3, "same"), (1, 4, "same"), (2, 5, "same"), (0, 1, "different"), (0, 2, "different"),
                 (1, 2, "different"))  # fmt: skip
    belief = infer(snapshot, graph)
    assert set(outliers(belief)[1][belief.member >= 0].tolist()) <= set(range(6))


def test_no_doubtful_member_is_shown_twice_in_a_round() -> None:
    snapshot = blobs([row % 4 for row in range(40)])
    found = rule("false_positives", screen=3).propose(snapshot, ConstraintGraph(), 6)
    assert len(found) == 6
    shown = [item for one in found for item in one.candidates]
    assert len(shown) == len(set(shown))


# LCA ------------------------------------------------------------------------------------------------------------------
def pull(table: Alternatives, one: np.ndarray, other: np.ndarray) -> float:
    """By plain loops: mean opinion of the pairs between two sides, and what was said about them; 0 without pairs."""
    pairs = [(a, b) for a in one for b in other if a != b and (a, b) in linked(table)]
    if not pairs:
        return 0.0
    return float(np.mean([table.weights[a, b] for a, b in pairs]) + sum(table.told[a, b] for a, b in pairs))


def linked(table: Alternatives) -> set[tuple[int, int]]:
    found = table.weights.tocoo()
    return set(zip(found.row.tolist(), found.col.tolist(), strict=True))


def test_gains_are_twice_the_pull_an_alternative_adds_inside_groups() -> None:
    snapshot = blobs([row % 3 for row in range(18)], spread=0.9)
    graph = told(snapshot, (0, 3, "same"), (3, 1, "different"), (2, 5, "same"), (5, 8, "same"))
    belief = infer(snapshot, graph)
    table = Alternatives(belief, graph, parts(snapshot, graph), 2.0, 4)
    seen = set()
    for step in table.best_first(np.random.default_rng(0)):
        home, goal = np.flatnonzero(table.group == step.home), np.flatnonzero(table.group == step.goal)
        if step.part < 0:
            expected = 2 * pull(table, home, goal)
        else:
            own = np.flatnonzero(table.part == step.part)
            expected = 2 * ((pull(table, own, goal) if len(goal) else 0) - pull(table, own, np.setdiff1d(home, own)))
        assert step.gain == pytest.approx(expected, abs=1e-6)
        seen.add("join" if step.part < 0 else "leave" if step.goal < 0 else "move")
    assert seen == {"join", "leave", "move"}


def test_the_least_decided_alternative_comes_first_and_its_least_sure_open_pair_is_asked() -> None:
    snapshot = blobs([row % 3 for row in range(30)], spread=0.9)
    graph = told(snapshot, (0, 3, "same"), (3, 1, "different"))
    table = Alternatives(infer(snapshot, graph), graph, parts(snapshot, graph), 2.0, 10)
    steps = list(table.best_first(np.random.default_rng(0)))
    assert np.all(np.diff([abs(step.gain) for step in steps]) >= -1e-6)
    nobody = np.zeros(30, dtype=bool)
    anchor, rows = table.deciding(steps[0], Desk(snapshot, graph), nobody, 1)
    own = table.part == steps[0].part if steps[0].part >= 0 else table.group == steps[0].home
    sides = np.isin(table.group, [steps[0].goal, steps[0].home] if steps[0].part >= 0 else [steps[0].goal])
    fits = [(a, b) for a, b in linked(table) if own[a] and sides[b] and not own[b]
            and graph.relation(int(snapshot.ids[a]), int(snapshot.ids[b])) is None]  # fmt: skip
    assert abs(table.weights[anchor, rows[0]]) == pytest.approx(min(abs(table.weights[a, b]) for a, b in fits))


def test_an_answer_settles_the_alternative_it_was_asked_for() -> None:
    snapshot = blobs([row % 2 for row in range(30)], spread=0.9)
    (question,) = rule("lca", screen=1).propose(snapshot, ConstraintGraph(), 1)
    row, (other,) = rows_of(snapshot, question)
    for verdict in ("same", "different"):
        (again,) = rule("lca", screen=1).propose(snapshot, told(snapshot, (row, other, verdict)), 1)
        assert set(again.pairs()[0]) != set(question.pairs()[0])


def test_alike_pairs_speak_for_one_group() -> None:
    cosine = np.concatenate([np.linspace(0.5, 0.9, 50), np.linspace(0.1, 0.6, 10)])
    odds = likelihood_ratio(cosine, np.arange(60) < 50)
    assert np.all(np.diff(odds[:50]) > 0)
    assert odds[:50].mean() > 0 > odds[50:].mean()
    assert likelihood_ratio(cosine, np.ones(60, dtype=bool)).tolist() == [0.0] * 60


# OCC ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("answers", [0, 3])
def test_chances_of_all_pairs_are_those_of_the_belief(answers: int) -> None:
    snapshot = blobs([row % 3 for row in range(12)], spread=0.8)
    belief = infer(snapshot, told(snapshot, *[(0, 1, "different"), (0, 3, "same"), (1, 4, "same")][:answers]))
    found = same(belief, np.arange(12))
    for a, b in combinations(range(12), 2):
        assert found[a, b] == pytest.approx(belief.same(a, b), abs=1e-6)


@pytest.mark.parametrize("answers", [0, 5])
def test_occ_asks_the_least_sure_pair_of_representatives(answers: int) -> None:
    snapshot = blobs([row % 4 for row in range(40)], spread=0.8)
    said = [(0, 1, "different"), (0, 4, "same"), (1, 5, "same"), (2, 6, "same"), (2, 0, "different")]
    graph = told(snapshot, *said[:answers])
    belief = infer(snapshot, graph)
    (question,) = rule("occ", screen=1, representatives=2).propose(snapshot, graph, 1)
    typical = []
    for name in np.unique(belief.labels):
        rows = np.flatnonzero(belief.labels == name)
        centre = snapshot.vectors[rows].astype(np.float64).sum(0)
        typical += rows[np.argsort(-(snapshot.vectors[rows] @ centre))[:2]].tolist()
    open_pairs = [(a, b) for a, b in combinations(typical, 2)
                  if graph.relation(int(snapshot.ids[a]), int(snapshot.ids[b])) is None
                  and not graph.asked(int(snapshot.ids[a]), int(snapshot.ids[b]))]  # fmt: skip
    sure = min(abs(belief.same(a, b) - 0.5) for a, b in open_pairs)
    row, (other,) = rows_of(snapshot, question)
    assert abs(belief.same(row, other) - 0.5) == pytest.approx(sure, abs=1e-3)


def test_compared_representatives_make_room_for_more() -> None:
    snapshot = blobs([row % 2 for row in range(12)])
    table = infer(snapshot, ConstraintGraph())
    first = [
        rows_of(snapshot, q) for q in rule("occ", screen=1, representatives=1).propose(snapshot, ConstraintGraph(), 9)
    ]
    assert len(np.unique(table.labels)) == 2
    assert len(first) > 1

"""What single acquisition functions promise beyond the contract."""

from collections import Counter
from math import comb

import numpy as np
import pytest

from db.errors import BadInput
from db.nouns import Kind, Snapshot, Statement, Verdict
from oracle import plugins
from oracle.acquisition.mixed import Acquisition as Mixed
from oracle.acquisition.random import Acquisition as Random
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from tests.oracle.conftest import blobs


def graph_of(size: int, first: int = 100_000) -> ConstraintGraph:
    """A graph of so many answers about items outside every snapshot."""
    return ConstraintGraph.build(
        Statement(n, first + 2 * n, first + 2 * n + 1, Verdict.SAME, "ann") for n in range(1, size + 1)
    )


def test_random_draws_every_anchor_and_candidate_alike() -> None:
    snapshot = blobs([0, 1, 2] * 4)
    anchors: Counter[int] = Counter()
    shown: Counter[int] = Counter()
    for seed in range(1500):
        (question,) = Random(seed=seed, screen=3).propose(snapshot, ConstraintGraph(), 1)
        anchors[question.anchor] += 1
        shown.update(question.candidates)
    assert max(anchors.values()) < 2 * min(anchors.values())
    assert max(shown.values()) < 1.4 * min(shown.values())


def test_random_stores_the_exact_probability_of_its_draw() -> None:
    (question,) = Random(screen=3).propose(blobs([0] * 10), ConstraintGraph(), 1)
    assert question.probability == pytest.approx(1 / 10 / comb(9, 3))


def test_random_stores_the_probability_among_open_pairs_only() -> None:
    snapshot = blobs([0] * 4)
    a, b, c, d = map(int, snapshot.ids)
    told = [Statement(1, a, b, Verdict.SAME, "x"), Statement(2, b, c, Verdict.SAME, "x")]
    (question,) = Random(screen=2).propose(snapshot, ConstraintGraph.build(told), 1)
    assert d in (question.anchor, *question.candidates)
    assert question.probability == pytest.approx(1 / 4 / (comb(3, 2) if question.anchor == d else 1))


def test_a_tenth_of_the_mix_is_an_audit(snapshot: Snapshot) -> None:
    proposed = [Mixed(seed=1).propose(snapshot, graph_of(size), 1)[0] for size in range(300)]
    assert 15 <= sum(one.audit for one in proposed) <= 48
    assert all(one.kind is Kind.TICK and one.probability <= 0.1 for one in proposed if one.audit)
    assert all(one.probability == pytest.approx(0.9) for one in proposed if not one.audit)


def test_a_restart_draws_the_same_audit(snapshot: Snapshot) -> None:
    size = next(n for n in range(300) if Mixed(seed=1).propose(snapshot, graph_of(n), 1)[0].audit)
    one, other = graph_of(size), graph_of(size + 1)
    other.remove(size + 1)
    assert one.revision != other.revision
    assert Mixed(seed=1).propose(snapshot, one, 3) == Mixed(seed=1).propose(snapshot, other, 3)


def test_audits_do_not_depend_on_what_is_asked_otherwise(snapshot: Snapshot) -> None:
    graph = graph_of(7)
    by_inner = [Mixed(seed=2, inner=inner, audit=0.5).propose(snapshot, graph, 8) for inner in ("boundary", "groups")]
    one, other = ([(q.anchor, q.candidates) for q in found if q.audit] for found in by_inner)
    assert one == other
    assert one


def test_no_pair_is_shown_twice_in_one_round(snapshot: Snapshot) -> None:
    for inner in plugins.names("oracle.acquisition"):
        if inner != "mixed":
            found = Mixed(seed=5, inner=inner, audit=0.3).propose(snapshot, ConstraintGraph(), 8)
            pairs = [frozenset(pair) for one in found for pair in one.pairs()]
            assert len(pairs) == len(set(pairs)), inner


def test_what_the_inner_acquisition_leaves_is_asked_uniformly(snapshot: Snapshot) -> None:
    found = Mixed(inner="conflicts", audit=0.0, recheck=0.0).propose(snapshot, ConstraintGraph(), 3)
    assert [one.proposer for one in found] == ["mixed"] * 3


def test_shares_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(BadInput, match="shares"):
        Mixed(audit=1.2)
    with pytest.raises(BadInput, match="inner"):
        Mixed(inner="mixed")


def test_contradictions_become_questions(snapshot: Snapshot) -> None:
    a, b, c = map(int, snapshot.ids[:3])
    told = [(1, a, b, "same"), (2, b, c, "same"), (3, a, c, "different")]
    graph = ConstraintGraph.build(Statement(n, x, y, Verdict(v), "ann") for n, x, y, v in told)
    found = plugins.load("oracle.acquisition", "conflicts").propose(snapshot, graph, 5)
    asked = {frozenset(pair) for one in found for pair in one.pairs()}
    assert asked == {frozenset(pair) for pair in ((a, b), (b, c), (a, c))}
    mixed = Mixed(audit=0.0, recheck=1.0).propose(snapshot, graph, 2)
    assert "conflicts" in {one.proposer for one in mixed}


def test_a_pair_in_conflict_is_not_asked_for_ever(snapshot: Snapshot) -> None:
    a, b = map(int, snapshot.ids[:2])
    said = ["same", "different", "same", "different"]
    graph = ConstraintGraph.build(Statement(n, a, b, Verdict(v), "ann") for n, v in enumerate(said))
    assert len(graph.conflicts()) == 1
    assert plugins.load("oracle.acquisition", "conflicts").propose(snapshot, graph, 5) == []


def test_false_negatives_shows_lookalikes_of_other_groups() -> None:
    snapshot = blobs([row % 2 for row in range(30)], spread=0.8)
    labels = infer(snapshot, ConstraintGraph()).labels
    for question in plugins.load("oracle.acquisition", "false_negatives").propose(snapshot, ConstraintGraph(), 4):
        row = snapshot.position[question.anchor]
        rows = [snapshot.position[one] for one in question.candidates]
        assert question.kind is Kind.MISSING
        assert all(labels[other] != labels[row] for other in rows)
        cosines = snapshot.vectors[rows] @ snapshot.vectors[row]
        assert np.all(np.diff(cosines) <= 1e-6)


def test_boundary_shows_members_of_both_groups() -> None:
    snapshot = blobs([row % 2 for row in range(40)], spread=0.6)
    labels = infer(snapshot, ConstraintGraph()).labels
    for question in plugins.load("oracle.acquisition", "boundary").propose(snapshot, ConstraintGraph(), 3):
        assert len({int(labels[snapshot.position[one]]) for one in question.candidates}) == 2


def test_groups_asks_for_strangers_and_for_merges(snapshot: Snapshot) -> None:
    found = plugins.load("oracle.acquisition", "groups").propose(snapshot, ConstraintGraph(), 6)
    assert {one.kind for one in found} == {Kind.ODD, Kind.MERGE}
    labels = infer(snapshot, ConstraintGraph()).labels
    for one in found:
        sides = [labels[snapshot.position[x]] for x in (one.anchor, *one.context)]
        others = [labels[snapshot.position[x]] for x in one.candidates]
        assert len(set(sides)) == len(set(others)) == 1
        assert (sides[0] == others[0]) == (one.kind is Kind.ODD)

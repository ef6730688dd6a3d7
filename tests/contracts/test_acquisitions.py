"""Every file of oracle/acquisition keeps the same promises."""

from itertools import combinations
from math import isfinite
from typing import Any

import numpy as np
import pytest

from db.nouns import Kind, Question, Snapshot
from oracle import plugins
from oracle.constraints import ConstraintGraph
from tests.contracts.conftest import answered, blobs

NAMES = plugins.names("oracle.acquisition")
LABELS = [row % 5 for row in range(60)]
RECHECKING = {"gold"}  # tests people with what is known: says so in its own file
DOUBTING = {"pairwright"}  # asks again what hangs on a single answer: says so in its own file
every = pytest.mark.parametrize("name", NAMES)


def build(name: str, seed: int = 3) -> Any:
    return plugins.load("oracle.acquisition", name, seed=seed)


def some_pairs(count: int, size: int) -> list[tuple[int, int]]:
    rng = np.random.default_rng(2)
    return [tuple(map(int, rng.choice(size, 2, replace=False))) for _ in range(count)]  # type: ignore[misc]


def states() -> dict[str, tuple[Snapshot, ConstraintGraph]]:
    """The situations every acquisition must cope with."""
    snapshot = blobs(LABELS)
    tiny = blobs([0, 1, 0])
    return {
        "no answers": (snapshot, ConstraintGraph()),
        "few answers": (snapshot, answered(snapshot, LABELS, some_pairs(30, 60))),
        "many answers": (snapshot, answered(snapshot, LABELS, some_pairs(600, 60))),
        "lies": (snapshot, answered(snapshot, LABELS, some_pairs(200, 60), lies=0.2)),
        "one item": (blobs([0]), ConstraintGraph()),
        "two items": (blobs([0, 1]), ConstraintGraph()),
        "tiny, all but one pair": (tiny, answered(tiny, [0, 1, 0], [(0, 1)])),
        "one group": (blobs([0] * 9), answered(blobs([0] * 9), [0] * 9, [(0, 1), (2, 3)])),
        "answers about others": (snapshot, answered(blobs(LABELS, first_id=1000), LABELS, some_pairs(20, 60))),
    }


STATES = states()
everywhere = pytest.mark.parametrize("state", STATES)


@every
@everywhere
def test_questions_are_well_formed(name: str, state: str) -> None:
    snapshot, graph = STATES[state]
    rule = build(name)
    found = rule.propose(snapshot, graph, 5, criterion=4)
    assert len(found) <= 5
    for question in found:
        assert_well_formed(question, snapshot, rule.screen)


def assert_well_formed(question: Question, snapshot: Snapshot, screen: int) -> None:
    shown = [question.anchor, *question.candidates, *question.context]
    assert question.criterion == 4
    assert question.version == snapshot.version
    assert question.proposer in NAMES
    assert isfinite(question.probability)
    assert 0 < question.probability <= 1
    assert 1 <= len(question.candidates) <= screen
    assert question.kind is not Kind.PAIR or len(question.candidates) == 1
    assert set(shown) <= set(snapshot.ids.tolist())
    assert len(set(shown)) == len(shown)
    assert len(question.expected) in (0, len(question.candidates))
    assert all(0 <= chance <= 1 for chance in question.expected)
    assert question.reason


def is_open(question: Question, graph: ConstraintGraph, a: int, b: int) -> bool:
    """Nothing implies the pair; a rule that doubts single answers may ask what no second one carries, by a new pair."""
    if question.proposer in DOUBTING:
        return not graph.asked(a, b) and not graph.settled(a, b)
    return graph.implied(a, b) is None


@every
@everywhere
def test_a_pair_that_is_implied_is_never_offered(name: str, state: str) -> None:
    snapshot, graph = STATES[state]
    for question in build(name).propose(snapshot, graph, 8):
        if question.proposer in RECHECKING:
            continue
        for a, b in question.pairs():
            assert is_open(question, graph, a, b)


@every
@everywhere
def test_the_same_seed_asks_the_same(name: str, state: str) -> None:
    snapshot, graph = STATES[state]
    again = ConstraintGraph.build(graph.statements)
    assert build(name).propose(snapshot, graph, 4) == build(name).propose(snapshot, again, 4)


@every
@pytest.mark.parametrize("n", [0, 1, 7])
def test_no_more_questions_than_wanted(name: str, n: int) -> None:
    snapshot, graph = STATES["few answers"]
    assert len(build(name).propose(snapshot, graph, n)) <= n


@every
def test_a_set_that_is_fully_answered_leaves_nothing_to_ask(name: str) -> None:
    labels = [0, 1, 0, 1, 2]
    snapshot = blobs(labels)
    graph = answered(snapshot, labels, list(combinations(range(5), 2)))
    assert build(name).propose(snapshot, graph, 5) == [] or name in RECHECKING


@every
def test_nothing_it_is_given_is_changed(name: str) -> None:
    snapshot, graph = STATES["few answers"]
    arrays = [getattr(snapshot, part) for part in ("ids", "vectors", "neighbours", "cosines", "start")]
    before, revision = [array.copy() for array in arrays], graph.revision
    build(name).propose(snapshot, graph, 5)
    assert all(np.array_equal(one, other) for one, other in zip(arrays, before, strict=True))
    assert graph.revision == revision

"""Testing people with what is known: hidden in the stream, drawn with a stored probability."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from db.errors import BadInput
from db.nouns import Kind, Snapshot, Statement, Verdict
from oracle.acquisition.gold import Acquisition
from oracle.acquisition.mixed import Acquisition as Mixed
from oracle.acquisition.random import REASON
from oracle.constraints import ConstraintGraph
from tests.contracts.conftest import answered, blobs

LABELS = [row % 3 for row in range(24)]


@pytest.fixture
def snapshot() -> Snapshot:
    return blobs(LABELS)


@pytest.fixture
def settled(snapshot: Snapshot) -> ConstraintGraph:
    """Rings of four around the first twelve items, kept apart twice over."""
    rings = [(row, (row + 3) % 12) for row in range(12)]
    walls = [(row, row + 1) for row in range(11)]
    return answered(snapshot, LABELS, [*rings, *walls])


def test_before_any_answer_there_is_nothing_to_test_with(snapshot: Snapshot) -> None:
    assert Acquisition().propose(snapshot, ConstraintGraph(), 3) == []


def test_it_asks_what_is_settled_or_was_said(snapshot: Snapshot, settled: ConstraintGraph) -> None:
    questions = Acquisition(seed=1).propose(snapshot, settled, 20)
    pairs = [pair for question in questions for pair in question.pairs()]
    assert pairs
    assert all(settled.settled(*pair) or settled.evidence(*pair) for pair in pairs)
    assert any(settled.times(*pair) == 0 for pair in pairs)  # gold that nobody can remember
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)


def test_a_retest_looks_like_any_other_question(snapshot: Snapshot, settled: ConstraintGraph) -> None:
    for question in Acquisition().propose(snapshot, settled, 3):
        assert question.kind is Kind.TICK
        assert question.reason == REASON
        assert not question.audit  # settled pairs are no fair sample
        assert len(question.expected) == len(question.candidates)


def test_a_contradicted_pair_is_no_test(snapshot: Snapshot) -> None:
    a, b, c = map(int, snapshot.ids[:3])
    told = [(1, a, b, "same"), (2, b, c, "same"), (3, a, c, "different")]
    graph = ConstraintGraph.build(Statement(n, x, y, Verdict(v), "ann") for n, x, y, v in told)
    assert Acquisition().propose(snapshot, graph, 3) == []


def test_nobody_is_tested_with_the_same_pair_for_ever(snapshot: Snapshot) -> None:
    a, b = map(int, snapshot.ids[:2])
    graph = ConstraintGraph.build(Statement(n, a, b, Verdict.SAME, "ann") for n in range(3))
    assert Acquisition(times=4).propose(snapshot, graph, 3)
    assert Acquisition(times=3).propose(snapshot, graph, 3) == []


def test_the_stored_probability_is_how_often_a_screen_is_drawn(snapshot: Snapshot) -> None:
    rows = [(0, 3), (0, 6), (3, 6)]
    graph = answered(snapshot, LABELS, rows)
    drawn: Counter[tuple[int, tuple[int, ...]]] = Counter()
    probability = {}
    for seed in range(600):
        (question,) = Acquisition(seed=seed, screen=1).propose(snapshot, graph, 1)
        key = question.anchor, question.candidates
        drawn[key] += 1
        probability[key] = question.probability
    assert sum(probability.values()) == pytest.approx(1)
    for key, chance in probability.items():
        assert drawn[key] / 600 == pytest.approx(chance, abs=0.06)


def test_mixed_hides_its_share_of_tests_and_multiplies_it_in(snapshot: Snapshot, settled: ConstraintGraph) -> None:
    asked = [one for seed in range(40) for one in Mixed(seed=seed, gold=0.3).propose(snapshot, settled, 1)]
    tests = [one for one in asked if one.proposer == "gold"]
    assert len(asked) == 40
    assert 4 <= len(tests) <= 22
    assert all(one.probability <= 0.3 for one in tests)
    with pytest.raises(BadInput, match="gold"):
        Mixed(gold=1.5)
    assert not [one for seed in range(40) for one in Mixed(seed=seed, gold=0.0).propose(snapshot, settled, 1)
                if one.proposer == "gold"]  # fmt: skip


def test_where_nothing_is_open_nobody_is_tested_either() -> None:
    labels = [0, 1, 0, 1, 2]
    snapshot = blobs(labels)
    graph = answered(snapshot, labels, list(combinations(range(5), 2)))
    assert Mixed(audit=0.0, gold=1.0, recheck=0.0).propose(snapshot, graph, 3) == []


def test_tests_tell_a_liar_from_an_honest_answerer(snapshot: Snapshot, settled: ConstraintGraph) -> None:
    from oracle.weighing import judged

    rng, truth = np.random.default_rng(0), dict(zip(snapshot.ids.tolist(), LABELS, strict=True))
    log = list(settled.statements)
    for seed in range(16):
        source, lies = ("honest", 0.0) if seed % 2 else ("liar", 0.6)
        (question,) = Acquisition(seed=seed, screen=6, times=99).propose(snapshot, settled, 1)
        for a, b in question.pairs():
            same = (truth[a] == truth[b]) != (rng.random() < lies)
            log.append(Statement(1000 + seed, a, b, Verdict.SAME if same else Verdict.DIFFERENT, source))
    found = judged(tuple(log))
    assert found["honest"].error_rate < 0.1 < 0.3 < found["liar"].error_rate

"""Every file of oracle/acquisition keeps its promises where there is little left to ask, or nothing sensible."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from db.nouns import Snapshot, Statement, Verdict
from oracle.constraints import ConstraintGraph
from tests.contracts.conftest import answered, blobs
from tests.contracts.test_acquisitions import RECHECKING, assert_well_formed, build, every, is_open, some_pairs

MANY = 60  # questions: more than any of these collections has left
CONTRADICTION = (Verdict.SAME, Verdict.DIFFERENT)
FINISHED = [[], [0], [0, 0], [0, 1], [0, 0, 0], [0, 1, 2], [0, 1, 0], [0] * 9, [*range(9)]]


def all_pairs(count: int) -> list[tuple[int, int]]:
    return list(combinations(range(count), 2))


def told(snapshot: Snapshot, pairs: Sequence[tuple[int, int]], *verdicts: Verdict) -> ConstraintGraph:
    """All verdicts about every pair of rows, from three people in turn."""
    ids = snapshot.ids.tolist()
    said = [(ids[i], ids[j], verdict) for i, j in pairs for verdict in verdicts]
    return ConstraintGraph.build(Statement(n, *one, f"ann{n % 3}") for n, one in enumerate(said, start=1))


def without(snapshot: Snapshot) -> Snapshot:
    """The snapshot of an empty collection."""
    return replace(snapshot, **{part: getattr(snapshot, part)[:0] for part in
                                ("ids", "vectors", "neighbours", "cosines", "start")})  # fmt: skip


def corners() -> dict[str, tuple[Snapshot, ConstraintGraph]]:
    labels = [row % 4 for row in range(24)]
    snapshot, tiny, copies = blobs(labels), blobs([0, 1, 0]), blobs([0] * 9, spread=0.0)
    lonely = replace(snapshot, neighbours=snapshot.neighbours[:, :0], cosines=snapshot.cosines[:, :0])
    circle = told(tiny, [(0, 1), (1, 2)], Verdict.SAME)
    circle.add(Statement(9, int(tiny.ids[0]), int(tiny.ids[2]), Verdict.DIFFERENT, "ann"))
    return {
        "no items": (without(tiny), ConstraintGraph()),
        "one item": (blobs([0]), ConstraintGraph()),
        "two items": (blobs([0, 1]), ConstraintGraph()),
        "everything new": (snapshot, ConstraintGraph()),
        "each item a group": (blobs([*range(6)]), told(blobs([*range(6)]), all_pairs(6)[:12], Verdict.DIFFERENT)),
        "one group, joined by a chain": (copies, told(copies, [(row, row + 1) for row in range(8)], Verdict.SAME)),
        "equal pictures": (copies, ConstraintGraph()),
        "equal pictures that differ": (copies, told(copies, [(0, 1), (2, 3)], Verdict.DIFFERENT)),
        "no neighbours": (lonely, answered(lonely, labels, some_pairs(12, 24))),
        "nobody is sure": (tiny, told(tiny, all_pairs(3), Verdict.UNSURE)),
        "half is skipped": (snapshot, told(snapshot, some_pairs(20, 24), Verdict.SKIP)),
        "nothing can be compared": (tiny, told(tiny, all_pairs(3), Verdict.NOT_COMPARABLE)),
        "a circle that cannot be": (tiny, circle),
        "every answer is contradicted": (snapshot, told(snapshot, some_pairs(30, 24), *CONTRADICTION)),
        "a tiny collection of contradictions": (tiny, told(tiny, all_pairs(3), *CONTRADICTION)),
    }


CORNERS = corners()


@every
@pytest.mark.parametrize("corner", CORNERS)
def test_questions_are_well_formed_new_distinct_and_repeatable(name: str, corner: str) -> None:
    snapshot, graph = CORNERS[corner]
    rule = build(name)
    found = rule.propose(snapshot, graph, MANY, criterion=4)
    assert len(found) <= MANY
    for question in found:
        assert_well_formed(question, snapshot, rule.screen if hasattr(rule, "screen") else 12)
    tests = [question for question in found if question.proposer in RECHECKING]
    pairs = [(question, *sorted(pair)) for question in found for pair in question.pairs() if question not in tests]
    assert len(pairs) == len({(a, b) for _, a, b in pairs})
    assert all(is_open(question, graph, a, b) for question, a, b in pairs)
    again = ConstraintGraph.build(reversed(graph.statements))
    assert build(name).propose(snapshot, again, MANY, criterion=4) == found


@every
@pytest.mark.parametrize("labels", FINISHED, ids=str)
def test_a_finished_collection_yields_no_question(name: str, labels: list[int]) -> None:
    snapshot = blobs(labels) if labels else without(blobs([0]))
    graph = answered(snapshot, labels, all_pairs(len(labels)))
    assert build(name).propose(snapshot, graph, 5) == [] or name in RECHECKING


@every
@pytest.mark.parametrize("lies", [0.0, 0.3])
def test_asking_comes_to_an_end_whatever_is_answered(name: str, lies: float) -> None:
    labels = [0, 1, 0, 2, 1, 0, 3]
    snapshot, graph, rng = blobs(labels), ConstraintGraph(), np.random.default_rng(4)
    truth = dict(zip(snapshot.ids.tolist(), labels, strict=True))
    rule, asked = build(name), 0
    while found := rule.propose(snapshot, graph, 2):
        for a, b in (pair for question in found for pair in question.pairs()):
            asked += 1
            same = (truth[a] == truth[b]) != (rng.random() < lies)
            graph.add(Statement(asked, a, b, Verdict.SAME if same else Verdict.DIFFERENT, "ann"))
        assert asked <= 4 * len(all_pairs(len(labels)))

"""Look-alikes that stopped pushing: against a plain loop over every pair of neighbours."""

import numpy as np
import torch

from db.nouns import Statement, Verdict
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from trainer import snapshot as snapshots
from trainer.batches import Knowledge
from trainer.letting_go import BELOW, FELL, SHOWN, let_go, taken_rightly

ITEMS = 400
TRUTH = np.arange(ITEMS) % 3
CPU = torch.device("cpu")


def seen() -> snapshots.Snapshot:
    random = np.random.default_rng(0)
    rows = 2.5 * np.eye(3, 8)[TRUTH] + random.standard_normal((ITEMS, 8))
    return snapshots.build(np.arange(100, 100 + ITEMS), rows.astype(np.float32))


SEEN = seen()


def verdict(i: int, j: int) -> Verdict:
    return Verdict.SAME if TRUTH[i] == TRUTH[j] else Verdict.DIFFERENT


def said(count: int) -> list[Statement]:
    """The first items, each beside one of every group."""
    asked = [(item, one) for item in range(3, 3 + count) for one in range(3)] + [(0, 1), (0, 2), (1, 2)]
    return [Statement(n, 100 + i, 100 + j, verdict(i, j), "o") for n, (i, j) in enumerate(asked)]


def audits(count: int) -> list[Statement]:
    pairs = [np.random.default_rng(n).choice(ITEMS, 2, replace=False) for n in range(count)]
    return [Statement(n, 100 + int(i), 100 + int(j), verdict(i, j), "o", audit=True) for n, (i, j) in enumerate(pairs)]


def known(answers: list[Statement]) -> Knowledge:
    graph = ConstraintGraph.build(answers)
    return Knowledge.of(infer(SEEN, graph), CPU, graph)


def test_it_is_what_a_plain_loop_over_the_neighbours_finds() -> None:
    before, now = known(said(1)), known(said(30))
    expected = {}
    for i in range(ITEMS):
        for j, cosine in zip(SEEN.neighbours[i], SEEN.cosines[i], strict=True):
            if now.member[i] >= 0 and now.member[j] >= 0:
                continue
            old, new = (1 - float(k.joint[i] @ k.joint[j]) for k in (before, now))
            if old - new >= FELL and new < BELOW:
                expected[frozenset((100 + i, 100 + int(j)))] = (old, new, float(cosine))
    found = let_go(before, now, SEEN)
    assert found["count"] == len(expected) > SHOWN == len(found["pairs"])
    for a, b, old, new, cosine in found["pairs"]:
        np.testing.assert_allclose((old, new, cosine), expected[frozenset((a, b))], atol=1e-3)
    nearest = sorted((row[2] for row in expected.values()), reverse=True)[:SHOWN]
    np.testing.assert_allclose([row[4] for row in found["pairs"]], nearest, atol=1e-3)


def test_nothing_is_let_go_where_nothing_was_learnt() -> None:
    same = known(said(20))
    assert let_go(same, same, SEEN) == {"count": 0, "pairs": []}


def test_held_out_answers_tell_how_often_elimination_was_right() -> None:
    now, witnesses = known(said(30)), audits(300)
    found = taken_rightly(now, SEEN, witnesses)
    assert found["detected_asked"] > 5 and found["detected_precision"] > 0.8
    assert taken_rightly(now, SEEN, []) == {}

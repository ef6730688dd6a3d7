"""The gate between training and serving."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.nouns import Snapshot, Statement, Verdict
from trainer.promotion import SURE, best_f1, chance_of_fall, gate, is_held_out, split


def snapshot(vectors: np.ndarray) -> Snapshot:
    """Items 10, 20, ... with these unit rows; only ids and vectors matter here."""
    rows = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    nothing = np.zeros((len(rows), 0), np.int64)
    return Snapshot(1, 10 * np.arange(1, len(rows) + 1), rows, nothing, nothing.astype(np.float32), np.zeros(len(rows)))


def good_and_bad(items: int = 40) -> tuple[Snapshot, Snapshot, list[Statement]]:
    """An embedding that separates two groups, one that does not, and truthful witnesses."""
    rng = np.random.default_rng(0)
    truth = np.arange(items) % 2
    good = snapshot(np.eye(2)[truth] * 3 + rng.normal(size=(items, 2)) * 0.2 + 0.01)
    bad = snapshot(rng.normal(size=(items, 2)))
    pairs = [(int(a), int(b)) for a, b in rng.integers(0, items, (60, 2)) if a != b]
    said = [Verdict.SAME if truth[a] == truth[b] else Verdict.DIFFERENT for a, b in pairs]
    rows = zip(pairs, said, strict=True)
    return (
        good,
        bad,
        [Statement(n, 10 * (a + 1), 10 * (b + 1), v, "t", audit=True) for n, ((a, b), v) in enumerate(rows)],
    )


def test_about_half_of_the_audit_answers_are_put_aside_and_nothing_else() -> None:
    audit = [Statement(n, 1, 2, Verdict.SAME, "t", audit=True) for n in range(1000)]
    assert 430 < sum(map(is_held_out, audit)) < 570
    assert not any(is_held_out(Statement(n, 1, 2, Verdict.SAME, "t")) for n in range(1000))


def test_a_witness_stays_a_witness_for_ever() -> None:
    audit = [Statement(n, 1, 2, Verdict.SAME, "t", audit=True) for n in range(12)]
    assert [said.answer for said in audit if is_held_out(said)] == [1, 5, 6, 9, 10, 11]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=40))
def test_no_pair_is_both_learnt_and_held_out(rows: list[tuple[int, int, int, bool]]) -> None:
    statements = [Statement(n, a, b, Verdict.SAME, "t", audit=audit) for n, a, b, audit in rows if a != b]
    learn, witnesses = split(statements)
    assert all(map(is_held_out, witnesses)) and not any(map(is_held_out, learn))
    assert not {frozenset((s.a, s.b)) for s in learn} & {frozenset((s.a, s.b)) for s in witnesses}


def test_a_better_model_is_promoted_and_a_worse_one_kept_back() -> None:
    good, bad, witnesses = good_and_bad()
    assert gate(bad, good, witnesses).better
    refused = gate(good, bad, witnesses)
    assert not refused.better and refused.before > refused.after and "not served" in refused.reason


def test_an_equal_model_is_promoted() -> None:
    good, _, witnesses = good_and_bad()
    assert gate(good, good, witnesses).better


def test_one_answer_gone_wrong_may_be_chance_and_many_may_not() -> None:
    same, answers = np.arange(40) % 2 == 0, np.arange(40) // 2
    perfect = same * 0.8
    one, many = perfect.copy(), perfect.copy()
    one[0], many[:20:2] = -1, -1
    assert chance_of_fall(perfect, one, same, answers) < SURE < chance_of_fall(perfect, many, same, answers)
    assert chance_of_fall(perfect, perfect, same, answers) == 0


def test_few_witnesses_say_so_and_do_not_block() -> None:
    good, bad, witnesses = good_and_bad()
    for few in (witnesses[:4], [replace(w, answer=7) for w in witnesses], witnesses[:12]):
        decision = gate(good, bad, few)
        assert decision.better and decision.before is None and "on training evidence" in decision.reason


def test_unsure_background_and_unknown_items_are_no_witnesses() -> None:
    good, _, _ = good_and_bad()
    odd = [
        Statement(1, 10, 20, Verdict.UNSURE, "t", audit=True),
        Statement(2, 10, 20, Verdict.SAME, "t", background=True, audit=True),
        Statement(3, 10, 99_999, Verdict.SAME, "t", audit=True),
    ]
    assert gate(good, good, odd).pairs == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.booleans()), min_size=1, max_size=30))
def test_best_f1_equals_trying_every_threshold(rows: list[tuple[float, bool]]) -> None:
    cosines, same = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    tried = []
    for threshold in cosines:
        called = cosines >= threshold
        tried.append(2 * (called & same).sum() / (called.sum() + same.sum()))
    assert best_f1(cosines, same) == pytest.approx(max(tried) if same.any() else 0)

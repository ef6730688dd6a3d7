"""Labelled partners really meet: what a batch and its feedback pool hold against a batch drawn by chance."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from db.nouns import Statement, Verdict
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from trainer import snapshot as snapshots
from trainer.auditing import audited
from trainer.batches import Knowledge, Sampler
from trainer.feedback_pool import partners

ITEMS, BATCH, ANSWERS = 2000, 64, 300
TRUTH = np.random.default_rng(0).integers(0, 5, ITEMS)
CPU = torch.device("cpu")


def vectors() -> np.ndarray:
    random = np.random.default_rng(1)
    return (2 * np.eye(5, 12)[TRUTH] + random.standard_normal((ITEMS, 12))).astype(np.float32)


SEEN = snapshots.build(np.arange(10, 10 + ITEMS), vectors())


def answers(count: int = ANSWERS, audit: int = 0) -> ConstraintGraph:
    """Truthful answers on screens of three, each screen one anchor; the first `audit` pairs are audits."""
    random, said = np.random.default_rng(2), []
    for number in range(count):
        if number % 3 == 0:
            anchor = int(random.integers(ITEMS))
        other = int(random.integers(ITEMS - 1))
        other += other >= anchor
        verdict = Verdict.SAME if TRUTH[anchor] == TRUTH[other] else Verdict.DIFFERENT
        said.append(Statement(number // 3, anchor + 10, other + 10, verdict, "o", audit=number < audit))
    return ConstraintGraph.build(said)


GRAPH = answers()
BELIEF = infer(SEEN, GRAPH)
KNOWN = Knowledge.of(BELIEF, CPU, GRAPH)


def answered_pairs(rows: np.ndarray, others: np.ndarray) -> int:
    """How many pairs with an answer of their own a pool of these anchors and keys holds."""
    return int((KNOWN.direct[rows][:, others] != 0).sum())


def test_a_random_batch_holds_almost_no_answered_pair_and_ours_many() -> None:
    """L (B / n)^2 = 300 (64 / 2000)^2 = 0.3 pairs by chance; each counts twice in a symmetric pool."""
    random = np.random.default_rng(3)
    by_chance = np.mean(
        [answered_pairs(r, r) / 2 for r in (random.choice(ITEMS, BATCH, replace=False) for _ in range(400))]
    )
    expected = ANSWERS * (BATCH / ITEMS) ** 2
    assert by_chance == pytest.approx(expected, rel=0.4)
    sampler = Sampler(BELIEF, BATCH, 0)
    ours = [sampler.rows() for _ in range(100)]
    assert np.mean([answered_pairs(r, r) / 2 for r in ours]) > 5 * expected
    said = [int((KNOWN.said(torch.from_numpy(r)) != 0).sum()) / 2 for r in ours]
    assert np.mean(said) > 30 * expected, "what follows from the answers counts too"


def test_with_the_feedback_pool_every_answer_that_touches_the_batch_is_in_it() -> None:
    rows = Sampler(BELIEF, BATCH, 0).rows()
    more = partners(KNOWN, rows, ITEMS, np.random.default_rng(0))
    everyone = np.arange(ITEMS)
    assert answered_pairs(rows, np.concatenate([rows, more])) == answered_pairs(rows, everyone) > 0
    assert not set(more) & set(rows)


@given(st.integers(0, 1000), st.integers(0, 40))
def test_partners_keep_to_their_limit_and_the_seed_decides(seed: int, limit: int) -> None:
    rows = np.random.default_rng(seed).choice(ITEMS, 20, replace=False)
    one, other = (partners(KNOWN, rows, limit, np.random.default_rng(seed)) for _ in range(2))
    assert len(one) <= limit and np.array_equal(one, other) and len(set(one)) == len(one)
    assert all(KNOWN.direct[rows][:, [row]].nnz for row in one)


def test_without_answers_there_are_no_partners() -> None:
    empty = Knowledge.of(infer(SEEN, ConstraintGraph()), CPU, ConstraintGraph())
    assert len(partners(empty, np.arange(9), 5, np.random.default_rng(0))) == 0


def test_a_pair_between_two_sets_of_rows_is_known_as_among_one() -> None:
    rows, others = torch.arange(0, 80), torch.arange(40, 160)
    square = torch.cat([rows, others]).unique()
    place = {int(row): at for at, row in enumerate(square)}
    i, j = torch.tensor([place[int(r)] for r in rows]), torch.tensor([place[int(r)] for r in others])
    torch.testing.assert_close(KNOWN.said(rows, others), KNOWN.said(square)[i][:, j])
    torch.testing.assert_close(KNOWN.same(rows, others), KNOWN.same(square)[i][:, j])


def test_what_is_said_is_symmetric_and_true_for_a_truthful_oracle() -> None:
    rows = torch.from_numpy(Sampler(BELIEF, 400, 1).rows())
    said = KNOWN.said(rows)
    same = torch.from_numpy(TRUTH[rows][:, None] == TRUTH[rows][None])
    assert torch.equal(said, said.T) and same[said > 0].all() and not same[said < 0].any()


# audits -------------------------------------------------------------------------------------------------------------
def error_of_the_mass(same: torch.Tensor, rows: torch.Tensor, temperature: float) -> float:
    """Mean |log sum_open (1 - p) exp(s / t) - log sum_{open and different} exp(s / t)| over the anchors."""
    embedded = torch.from_numpy(SEEN.vectors)
    scores = embedded[rows] @ embedded.T / temperature
    open_ = (KNOWN.said(rows, torch.arange(ITEMS)) == 0) & (rows[:, None] != torch.arange(ITEMS))
    apart = torch.from_numpy(TRUTH[rows][:, None] != TRUTH[None])
    ours = torch.logsumexp(scores + (open_ * (1 - same)).log(), 1)
    return float((ours - torch.logsumexp(scores + (open_ & apart).float().log(), 1)).abs().mean())


def test_audits_bring_the_unlabelled_mass_nearer_to_the_truth() -> None:
    graph = answers(audit=150)
    likeness = audited(SEEN, graph)
    assert likeness is not None and likeness.curve.answers == 150 and likeness.curve.slope > 0
    rows, everyone = torch.arange(0, ITEMS, 10), torch.arange(ITEMS)
    plain, fair = KNOWN.same(rows, everyone), Knowledge.of(BELIEF, CPU, GRAPH, likeness).same(rows, everyone)
    for temperature in (0.2, 0.1):
        assert error_of_the_mass(fair, rows, temperature) < 0.9 * error_of_the_mass(plain, rows, temperature)
        assert error_of_the_mass(plain, rows, temperature) < error_of_the_mass(0 * plain, rows, temperature)


def test_audits_leave_what_was_said_as_it_is() -> None:
    likeness = audited(SEEN, answers(audit=150))
    rows = torch.from_numpy(Sampler(BELIEF, 200, 1).rows())
    said, plain = KNOWN.said(rows), KNOWN.same(rows)
    fair = Knowledge.of(BELIEF, CPU, GRAPH, likeness).same(rows)
    assert torch.equal(fair[said != 0], plain[said != 0]) and not torch.equal(fair[said == 0], plain[said == 0])
    assert ((fair >= 0) & (fair <= 1)).all()


def test_without_audits_the_chances_are_the_beliefs() -> None:
    assert audited(SEEN, GRAPH) is None

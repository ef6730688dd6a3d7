"""A search that goes on: who may found a group, and what need not walk again."""

from dataclasses import replace

import numpy as np
import pytest

from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.explain import NEVER, OFTEN, Last, _hints, contradicted, explain
from oracle.moves import dissolve, found_group
from oracle.posterior import HALF, Asked, Posterior
from oracle.reach import Among
from tests.oracle.test_belief import blobs
from tests.oracle.test_posterior import asked_of, noisy


@pytest.fixture(autouse=True)
def _long_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oracle.posterior.LONG", 1)


PAIRS, ANSWERS = [(0, 1), (0, 2), (3, 4), (3, 5), (0, 3), (9, 0), (9, 3)], [1, 1, 1, 1, -1, -1, -1]


def gone_on(more: list[tuple[int, int]], answers: list[int]) -> Posterior:
    """A search that went on from two groups and a stranger, after more answers, before anything moves."""
    snapshot, _ = blobs(per_group=10)
    first = Posterior(asked_of(snapshot, PAIRS, ANSWERS), 0.05)
    first.begin(np.array([0, 0, 0, 1, 1, 1, -1]))
    first.look()
    first.sweep(2)
    found = Posterior(asked_of(snapshot, PAIRS + more, ANSWERS + answers), 0.05)
    known = first.asked.rows
    place = np.searchsorted(known, found.asked.rows).clip(0, len(known) - 1)
    assert found.go_on(first, np.where(known[place] == found.asked.rows, place, -1))
    return found


def as_new(found: Posterior, row: int) -> Posterior:
    """As if all spoke for a group of its own."""
    at = int(np.flatnonzero(found.asked.rows == row)[0])
    found.chance[at] = 0.01 / found.groups
    found.chance[at, -1] = 0.99
    return found


def test_an_item_nobody_answered_about_since_had_its_chance_to_found_a_group() -> None:
    found = as_new(gone_on([(12, 0)], [1]), 9)
    assert not found_group(found)


def test_an_item_somebody_answered_about_since_founds_a_group_once() -> None:
    for row, more in ((9, [(9, 4)]), (12, [(12, 0)])):  # asked again, and asked for the first time
        found = gone_on(more, [-1])
        found.look()
        as_new(found, row)
        assert found_group(found) and found.asked.rows[found.founders[-1]] == row
        found.drop(2)
        assert not found_group(as_new(found, row))


def test_only_items_with_news_are_looked_at_as_if_every_second_one_were_new() -> None:
    found = gone_on([(12, 0)], [-1])
    found.new_rate = 0.05
    found.look()
    flow = np.maximum(found.asked.kernel @ found.mass - found._own * found.mass, 0).sum(1)
    news = found.asked.rows
    rate = np.where((news == 12) | (news == 0), HALF, 0.05)
    np.testing.assert_allclose(found.prior[:, -1], found.newness(flow, rate), rtol=1e-5)
    found.look()
    np.testing.assert_allclose(found.prior[:, -1], found.newness(flow), rtol=1e-5)


def test_another_embedding_walks_anew() -> None:
    snapshot, labels = blobs(per_group=250)
    whole = noisy(labels, 700, 0.05)
    graph = ConstraintGraph()
    for one in whole.statements[:-1]:
        graph.add(one)
    assert len(infer(snapshot, graph).asked) > OFTEN
    graph.add(whole.statements[-1])
    other = replace(snapshot, neighbours=np.random.default_rng(0).permuted(snapshot.neighbours, axis=0))
    found = infer(other, graph).found
    assert found is not None and found._walked is not None
    np.testing.assert_allclose(found._walked.arrived, found.asked.kernel @ found._walked.mass, rtol=1e-3, atol=1e-3)


def test_a_group_nobody_answered_about_since_is_not_dissolved() -> None:
    found = gone_on([(12, 0)], [1])
    found.look()
    found.founder_holds = lambda: np.zeros(found.groups)  # type: ignore[method-assign]
    held = [int(found.asked.rows[founder]) for founder in found.founders]
    assert dissolve(found)
    assert [int(found.asked.rows[founder]) for founder in found.founders] == [one for one in held if one != 0]


def test_in_a_short_log_every_item_has_its_chance_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oracle.posterior.LONG", 1000)
    found = gone_on([(12, 0)], [1])
    assert found.new_rate == HALF and not found.quiet.any()
    found.look()
    assert found_group(as_new(found, 9)) and not found.tried.any()


@pytest.mark.filterwarnings("error")
def test_reach_below_zero_counts_as_none() -> None:
    random = np.random.default_rng(0)
    side = np.arange(40) % 2
    kept = np.where(side[:, None] == side, 0.5, 0.01) + np.eye(40)
    kept[3, 8] = kept[8, 3] = -0.2  # among many items the walk in big steps gives such
    one, other = np.triu_indices(40, 1)
    drawn = random.choice(len(one), 120, replace=False)
    one, other = np.append(one[drawn], 3), np.append(other[drawn], 8)
    answers = np.where(side[one] == side[other], 1.0, -1.0)
    asked = Asked(np.arange(40), one, other, answers, Among(kept.astype(np.float32), np.arange(40)), 1.0)
    hints = _hints(asked)
    assert hints is not None and np.isfinite(hints.data).all()


@pytest.mark.parametrize(("wrong", "kept"), [(0.0, True), (0.1, False)])
def test_what_no_answer_contradicts_is_not_lost_to_another_start(
    monkeypatch: pytest.MonkeyPatch, wrong: float, kept: bool
) -> None:
    snapshot, labels = blobs(per_group=20)
    pairs = [(int(i), int(j)) for i in range(60) for j in range(i + 1, i + 5) if j < 60]
    lies = np.random.default_rng(4).random(len(pairs)) < wrong
    asked = asked_of(snapshot, pairs, np.where((np.ptp(labels[np.array(pairs)], 1) == 0) ^ lies, 1, -1).tolist())
    assert len(pairs) > OFTEN
    first, _ = explain(asked)
    one_group = np.zeros(len(asked.rows), dtype=np.int64)
    monkeypatch.setattr("oracle.explain._starts", lambda asked, last: iter([(one_group, 0.05, False)]))
    found, _ = explain(asked, Last(first, np.arange(len(asked.rows)), NEVER, here=True))
    assert (contradicted(first) == 0) == kept
    assert (contradicted(found) == contradicted(first)) == kept

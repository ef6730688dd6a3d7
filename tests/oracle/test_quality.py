"""Estimates from audit answers: unbiased, and their 90 % intervals hold the truth about nine times in ten."""

from dataclasses import dataclass, replace
from functools import cache
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.nouns import Snapshot, Statement, Verdict
from oracle.audits import Strata, Witnesses, effective, implied_pairs, open_partners, separate
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.prevalence import ErrorRate, Sample, corrected, draws, interval
from oracle.quality import ENOUGH, Audit, audit, coverage, error_of, estimate
from oracle.reliability import Annotator
from oracle.truths import pair_f1
from tests.oracle.conftest import blobs, say

NEVER = ErrorRate(0, 0)


@dataclass(frozen=True)
class Simulated:
    """One log of known truth, its estimate, and what it should have said."""

    found: Audit
    precision: float
    recall: float
    f1: float


@cache
def simulate(seed: int, *, screens: int = 40, noise: float = 0.0, error: ErrorRate = NEVER) -> Simulated:
    """300 items in six groups, a tenth misplaced; uniform screens of twelve, answered wrong with chance `noise`."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 6, 300)
    labels = np.where(rng.random(300) < 0.1, rng.integers(0, 6, 300), truth)
    rows = np.concatenate([uniform_screen(rng, 300) for _ in range(screens)])
    same = (truth[rows[:, 0]] == truth[rows[:, 1]]) ^ (rng.random(len(rows)) < noise)
    found = Witnesses(rows, same, np.ones(len(rows)), np.repeat(np.arange(screens), 12))
    inside, whole = pairs(np.bincount(labels)), pairs(np.bincount(truth))
    sizes = np.array([inside, 300 * 299 / 2 - inside, 0, 0])
    strata = Strata(sizes, labels[rows[:, 0]] == labels[rows[:, 1]], np.zeros(len(rows), dtype=bool))
    both = pairs(np.unique(truth * 6 + labels, return_counts=True)[1])
    return Simulated(estimate(found, strata, error), both / inside, both / whole, pair_f1(truth, labels))


def uniform_screen(rng: np.random.Generator, count: int) -> np.ndarray:
    anchor, *others = rng.choice(count, 13, replace=False)
    return np.array([(anchor, other) for other in others])


def pairs(sizes: np.ndarray) -> float:
    return float((sizes * (sizes - 1) / 2).sum())


CASES = {
    "answers without errors": {},
    "one answer in ten wrong, and known to be": {"noise": 0.1, "error": ErrorRate(60, 540)},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_ninety_percent_intervals_hold_the_truth_about_nine_times_in_ten(case: dict) -> None:
    runs = [simulate(seed, **case) for seed in range(80)]
    for name in ("precision", "recall", "f1"):
        held = [getattr(run.found, name).low <= getattr(run, name) <= getattr(run.found, name).high for run in runs]
        assert np.mean(held) >= 0.83, (name, np.mean(held))


def test_precision_intervals_are_not_wider_than_they_need_be() -> None:
    runs = [simulate(seed) for seed in range(80)]
    held = [run.found.precision.low <= run.precision <= run.found.precision.high for run in runs]
    assert np.mean(held) <= 0.98


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_estimates_are_unbiased(case: dict) -> None:
    runs = [simulate(seed, screens=100, **case) for seed in range(40)]
    for name in ("precision", "recall", "f1"):
        gap = np.array([getattr(run.found, name).value - getattr(run, name) for run in runs])
        assert abs(gap.mean()) < 3 * gap.std() / np.sqrt(len(gap)) + 0.01, (name, gap.mean())


def test_errors_left_uncorrected_would_bias_the_estimate() -> None:
    blind = [simulate(seed, screens=100, noise=0.1) for seed in range(20)]
    assert np.mean([run.found.recall.value - run.recall for run in blind]) < -0.1


def test_doubt_about_the_annotators_widens_the_interval() -> None:
    sure = simulate(3, noise=0.1, error=ErrorRate(60, 540)).found.recall
    unsure = simulate(3, noise=0.1, error=ErrorRate(3, 27)).found.recall
    assert unsure.high - unsure.low > sure.high - sure.low


@given(st.floats(0, 1), st.floats(0, 0.45))
def test_the_correction_undoes_the_errors(share: float, error: float) -> None:
    observed = share * (1 - error) + (1 - share) * error
    assert corrected(observed, error) == pytest.approx(share, abs=1e-9)


@given(st.integers(0, 30), st.integers(1, 30))
@settings(max_examples=25, deadline=None)
def test_without_errors_the_posterior_is_jeffreys(same: int, extra: int) -> None:
    from scipy.stats import beta

    total = same + extra
    drawn, error = draws([Sample(same, total)], NEVER)
    low, high = interval(drawn[:, 0], 0.9)
    expected = beta.ppf([0.05, 0.95], same + 0.5, extra + 0.5)
    assert error == 0.0
    assert (low, high) == pytest.approx(tuple(expected), abs=0.03)


@pytest.mark.parametrize(("items", "opened", "shown"), [(500, 499, 12), (500, 120, 12), (500, 30, 5), (90, 60, 1)])
def test_the_number_of_open_partners_is_read_back_from_the_probability(items: int, opened: int, shown: int) -> None:
    probability = 0.1 / (items * comb(opened, shown))
    assert open_partners(probability, shown, items) == pytest.approx(opened, rel=0.02)


def test_pairs_of_one_screen_that_err_together_count_for_less() -> None:
    screen = np.repeat(np.arange(20), 12)
    alone = np.random.default_rng(0).random(240) < 0.3
    herd = np.repeat(np.arange(20) % 3 == 0, 12)
    assert (
        effective(herd.astype(float), np.ones(240), screen)[1]
        < 0.3 * effective(alone.astype(float), np.ones(240), screen)[1]
    )


def test_implied_pairs_are_counted_as_by_hand() -> None:
    snapshot = blobs([row % 3 for row in range(24)])
    ids = snapshot.ids
    said = [say(1, ids[0], ids[3], "same"), say(2, ids[3], ids[6], "same"), say(3, ids[0], ids[1], "different"),
            say(4, ids[1], ids[4], "same"), say(5, ids[2], ids[1], "different")]  # fmt: skip
    graph, labels = ConstraintGraph.build(said), np.arange(24) % 3
    known = {True: 0, False: 0}
    for i in range(24):
        for j in range(i):
            if graph.relation(int(ids[i]), int(ids[j])) is not None:
                known[bool(labels[i] == labels[j])] += 1
    assert implied_pairs(graph, snapshot, labels) == (known[True], known[False])


def truthful(snapshot: Snapshot, screens: int, *, audit: bool, seed: int = 0) -> list[Statement]:
    """Uniform screens of six, answered by the blobs' own labels."""
    rng, said = np.random.default_rng(seed), []
    probability = 0.1 / (len(snapshot.ids) * comb(len(snapshot.ids) - 1, 6))
    for answer in range(1, screens + 1):
        anchor, *others = rng.choice(len(snapshot.ids), 7, replace=False)
        for other in others:
            word = "same" if snapshot.start[anchor] == snapshot.start[other] else "different"
            a, b = int(snapshot.ids[anchor]), int(snapshot.ids[other])
            said.append(say(answer, a, b, word, audit=audit, probability=probability))
    return said


def test_without_audit_answers_nothing_is_claimed() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    found = audit(snapshot, truthful(snapshot, 12, audit=False))
    assert found.precision.value is None
    assert "no audit screen" in found.precision.reason


def test_too_few_audit_answers_are_said_to_be_too_few() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    found = audit(snapshot, truthful(snapshot, ENOUGH - 1, audit=True))
    assert found.f1.value is None
    assert f"{ENOUGH - 1} audit screens" in found.f1.reason


def test_answers_the_model_has_learnt_from_do_not_judge_it() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    found = audit(snapshot, truthful(snapshot, 20, audit=True), judges=lambda said: said.answer > 18)
    assert found.precision.value is None
    assert "learnt" in found.precision.reason


def test_an_audit_answer_never_judges_a_partition_that_obeys_it() -> None:
    """Random verdicts are right half the time at best; obeyed, they would look right always."""
    snapshot = blobs([row % 4 for row in range(80)])
    rng = np.random.default_rng(1)
    said = [replace(one, verdict=list(Verdict)[rng.integers(2)]) for one in truthful(snapshot, 40, audit=True)]
    assert audit(snapshot, said, error=NEVER).precision.value < 0.75


def test_building_and_judging_answers_are_apart_and_none_is_lost() -> None:
    said = truthful(blobs([row % 4 for row in range(60)]), 8, audit=True)
    build, kept = separate(said, lambda one: one.answer % 2 == 0)
    assert sorted([*build, *kept], key=said.index) == said
    assert {one.answer % 2 for one in kept} == {0}


def test_the_error_of_answers_is_as_wide_as_what_is_known_of_their_sources() -> None:
    people = {"ada": Annotator("ada", 400, 0.1, 0.08, 0.12), "ben": Annotator("ben", 4, 0.1, 0.01, 0.3)}
    sure, unsure = (error_of(people, [say(1, 1, 2, "same", source=name)]) for name in ("ada", "ben"))
    assert sure.mean == pytest.approx(0.1) and unsure.mean == pytest.approx(0.1)
    assert sure.wrong + sure.right > 20 * (unsure.wrong + unsure.right)


def test_coverage_counts_items_that_answers_and_belief_settle() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    graph = ConstraintGraph.build(truthful(snapshot, 6, audit=False))
    found = coverage(infer(snapshot, graph), graph, 10.0)
    assert found.items == 60
    assert 0 < found.placed <= found.sure <= 60
    assert found.placed <= found.asked
    assert 0 <= found.unsettled <= 1

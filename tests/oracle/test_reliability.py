"""Estimating how often each annotator is wrong."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import BadInput
from db.nouns import Statement, Verdict
from oracle.constraints import ConstraintGraph
from oracle.crossfit import expected_by_others, grouped
from oracle.reliability import annotators, error_rates

LAWS = settings(max_examples=30, deadline=None)


def verdict(same: bool) -> Verdict:
    return Verdict.SAME if same else Verdict.DIFFERENT


def crowd(rates: dict[str, float], pairs: int, seed: int = 0) -> tuple[list[Statement], dict[tuple[int, int], bool]]:
    """Everybody answers every pair, wrong as often as said."""
    rng = np.random.default_rng(seed)
    truth = {(2 * n, 2 * n + 1): bool(rng.random() < 0.5) for n in range(pairs)}
    log = []
    for number, (pair, same) in enumerate(truth.items()):
        for place, (source, rate) in enumerate(rates.items()):
            log.append(Statement(10 * number + place, *pair, verdict(same != (rng.random() < rate)), source))
    return log, truth


def turns(rates: dict[str, float], each: int, seed: int = 0, items: int = 40) -> list[Statement]:
    """People take turns at screens: an item beside three of its own group and three drawn by chance."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 6, items)
    log: list[Statement] = []
    for screen in range(len(rates) * each // 6):
        source, anchor = list(rates)[screen % len(rates)], int(rng.integers(items))
        own = rng.choice(np.flatnonzero(labels == labels[anchor]), 3)
        for other in [*own, *rng.choice(items, 3, replace=False)]:
            if other != anchor:
                same = (labels[anchor] == labels[other]) != (rng.random() < rates[source])
                log.append(Statement(screen, anchor, int(other), verdict(bool(same)), source))
    return log


def judged(log: list[Statement]) -> dict[str, float]:
    expected = expected_by_others(ConstraintGraph.build(log))
    return {source: one.error_rate for source, one in annotators(log, expected=expected).items()}


def test_the_error_rates_of_a_crowd_are_recovered() -> None:
    rates = {"ann": 0.02, "bo": 0.1, "cy": 0.3}
    found = error_rates(crowd(rates, 600)[0])
    assert found == pytest.approx(rates, abs=0.04)


def test_gold_pairs_tell_about_somebody_who_answers_alone() -> None:
    log, truth = crowd({"robot": 0.3}, 300)
    assert error_rates(log)["robot"] == pytest.approx(0.05, abs=0.01)
    found = annotators(log, known=truth)["robot"]
    assert found.error_rate == pytest.approx(0.3, abs=0.06)
    assert found.gold[1] == 300
    assert found.gold[0] == pytest.approx(210, abs=25)


@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_and_fifty_answers_of_each_are_enough_to_tell_them_apart(seed: int) -> None:
    found = judged(turns({"ann": 0.02, "bo": 0.1, "cy": 0.3}, 150, seed))
    assert found["ann"] < found["bo"] < found["cy"]


def test_the_rest_of_the_partition_tells_the_rates_of_people_who_share_no_pair() -> None:
    rates = {"ann": 0.02, "bo": 0.1, "cy": 0.3}
    found = [judged(turns(rates, 150, seed)) for seed in range(6)]
    mean = {source: float(np.mean([one[source] for one in found])) for source in rates}
    assert mean == pytest.approx(rates, abs=0.05)


def test_the_interval_holds_the_truth_and_narrows_with_answers() -> None:
    rates = {"ann": 0.1, "bo": 0.1, "cy": 0.1}
    few, many = ([annotators(crowd(rates, n, seed)[0])["ann"] for seed in range(20)] for n in (30, 400))
    for found in (few, many):
        assert sum(one.low < 0.1 < one.high for one in found) >= 15  # of 20: it is a 90 % interval
        assert all(one.low < one.error_rate < one.high for one in found)
    assert many[0].high - many[0].low < 0.5 * (few[0].high - few[0].low)


def test_somebody_who_is_mostly_wrong_is_found_out_and_a_few_answers_are_not_enough_to_judge() -> None:
    log = crowd({"ann": 0.05, "bo": 0.05, "foe": 0.8}, 150)[0]
    assert annotators(log)["foe"].error_rate > 0.6
    few = annotators(log[:6])
    assert all(one.error_rate == pytest.approx(0.05, abs=0.06) for one in few.values())


def test_answers_about_pairs_nobody_else_speaks_of_leave_the_prior() -> None:
    log = [Statement(n, 2 * n, 2 * n + 1, Verdict.SAME, "ann") for n in range(200)]
    found = annotators(log, expected=expected_by_others(ConstraintGraph.build(log)))["ann"]
    assert found.error_rate == pytest.approx(0.05, abs=0.003)
    assert (found.low, found.high) == pytest.approx((0.0027, 0.146), abs=0.004)  # Beta(1, 19)


def test_contradicting_oneself_counts_against_and_repeating_oneself_proves_little() -> None:
    log = [Statement(n, 2 * n, 2 * n + 1, Verdict.SAME, "ann") for n in range(60)]
    steady = annotators([*log, *(replace(one, answer=100 + one.answer) for one in log)])["ann"]
    turned = [replace(one, answer=100 + one.answer, verdict=verdict(one.a % 8 > 0)) for one in log]
    fickle = annotators([*log, *turned])["ann"]
    assert (steady.retest, fickle.retest) == ((60, 60), (45, 60))
    assert 0.01 < steady.error_rate < 0.05 < fickle.error_rate


def test_with_a_half_life_somebody_who_grew_tired_is_judged_by_how_they_are_now() -> None:
    log, truth = crowd({"ann": 0.0}, 300)
    tired = [replace(one, verdict=verdict(not truth[one.a, one.b])) if one.answer >= 2250 else one for one in log]
    always, lately = (annotators(tired, known=truth, half_life=half)["ann"] for half in (None, 30.0))
    assert always.error_rate == pytest.approx(0.25, abs=0.03)
    assert lately.error_rate > 0.5
    with pytest.raises(BadInput, match="half_life"):
        annotators(tired, half_life=0)


def test_unsure_and_background_say_nothing_about_reliability() -> None:
    log = [
        Statement(1, 1, 2, Verdict.UNSURE, "ann"),
        Statement(2, 1, 2, Verdict.SAME, "bo", background=True),
        Statement(3, 1, 2, Verdict.SKIP, "cy"),
    ]
    assert error_rates(log) == {}
    assert annotators([]) == {}


def test_an_unsure_voice_proves_less_about_its_owner() -> None:
    log, truth = crowd({"ann": 0.3}, 100)
    timid = [replace(one, confidence=0.2) for one in log]
    assert annotators(timid, known=truth)["ann"].error_rate < annotators(log, known=truth)["ann"].error_rate


@given(st.integers(0, 50), st.randoms(use_true_random=False))
@LAWS
def test_the_order_of_the_log_is_irrelevant_and_names_are_only_names(seed: int, rng: random.Random) -> None:
    log = turns({"ann": 0.02, "bo": 0.3}, 36, seed)
    found = annotators(log)
    assert annotators(rng.sample(log, len(log))) == found
    renamed = annotators([replace(one, source={"ann": "zoe", "bo": "abe"}[one.source]) for one in log])
    for old, new in (("ann", "zoe"), ("bo", "abe")):
        assert renamed[new].error_rate == pytest.approx(found[old].error_rate, abs=1e-3)
        assert renamed[new].answers == found[old].answers


@given(st.integers(0, 50))
@LAWS
def test_no_answer_testifies_for_itself(seed: int) -> None:
    log = turns({"ann": 0.1}, 60, seed)
    turned = replace(log[7], verdict=verdict(log[7].verdict is Verdict.DIFFERENT))
    pair = min(log[7].a, log[7].b), max(log[7].a, log[7].b)
    before, after = (expected_by_others(ConstraintGraph.build(one)) for one in (log, [*log[:7], turned, *log[8:]]))
    assert before[pair] == after[pair]
    assert all(0 < chance < 1 for chance in before.values())


def test_what_others_say_follows_chains_and_walls_and_is_silent_about_groups_nobody_compared() -> None:
    inside = [Statement(n, a, b, Verdict.SAME, "ann") for n, (a, b) in enumerate([(1, 2), (2, 3), (11, 12), (12, 13)])]
    asked = [Statement(10, 1, 3, Verdict.DIFFERENT, "bo"), Statement(11, 1, 11, Verdict.SAME, "bo")]
    folds = 997  # so many that no two of these pairs share one
    found = expected_by_others(ConstraintGraph.build([*inside, *asked]), folds=folds)
    assert found[1, 3] > 0.85
    assert found[1, 11] == 0.5
    walls = [Statement(20, 2, 12, Verdict.DIFFERENT, "bo"), Statement(21, 3, 13, Verdict.DIFFERENT, "bo")]
    assert expected_by_others(ConstraintGraph.build([*inside, *asked, *walls]), folds=folds)[1, 11] < 0.2


def test_one_wrong_same_between_two_well_known_groups_is_voted_down() -> None:
    links: dict[int, dict[int, float]] = {n: {} for n in range(8)}
    for a in range(8):
        for b in range(8):
            if a != b:
                links[a][b] = 3.0 if (a < 4) == (b < 4) or {a, b} == {0, 4} else -3.0
    group = grouped(links)
    assert len(set(group.values())) == 2
    assert group[0] == group[3] != group[4] == group[7]

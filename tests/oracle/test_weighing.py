"""The log decides how much each annotator weighs, and a rebuilt graph weighs them the same."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.nouns import Statement, Verdict
from oracle.constraints import ConstraintGraph
from oracle.weighing import FIRST, Weigher, checkpoint, judged, trusted_rates, usual_rate, weigh, weighed_graph
from tests.oracle.test_constraints import LAWS, logs, picture
from tests.oracle.test_reliability import crowd, turns

RATES = {"ann": 0.02, "bo": 0.3}


def test_the_prefix_that_judges_grows_by_a_quarter() -> None:
    lengths = sorted({checkpoint(size) for size in range(1000)})
    assert lengths[:3] == [0, FIRST, 30]
    assert all(longer <= 1.25 * length for length, longer in pairwise(lengths[1:]))
    assert all(checkpoint(size) <= size for size in range(1000))


def test_the_reliable_weigh_more_in_the_graph() -> None:
    graph = weighed_graph(turns(RATES, 150))
    assert graph.error_rates["ann"] < 0.06
    assert graph.error_rates["bo"] > 0.15
    assert graph.error_rates["ann"] < graph.error_rate < graph.error_rates["bo"]


def test_nobody_is_judged_by_a_handful_of_answers() -> None:
    log = turns(RATES, 12)[: FIRST - 1]
    assert weighed_graph(log) == ConstraintGraph.build(log)


def test_a_foe_weighs_next_to_nothing_and_joins_nothing() -> None:
    log, _ = crowd({"ann": 0.05, "bo": 0.05, "foe": 0.9}, 100)
    graph = weighed_graph([*log, Statement(10**6, 9001, 9002, Verdict.SAME, "foe")])
    assert abs(graph.evidence(9001, 9002)) < 0.1
    assert graph.relation(9001, 9002) is None
    assert graph.asked(9001, 9002)


@given(logs(longest=40), st.randoms(use_true_random=False))
@settings(LAWS, max_examples=20)
def test_growing_with_a_weigher_equals_building_in_one_go(log: list[Statement], rng: random.Random) -> None:
    graph, weigher = ConstraintGraph(), Weigher()
    for statement in log:
        graph.add(statement)
        graph.conflicts()
        weigher.refresh(graph)
    other = weighed_graph(rng.sample(log, len(log)))
    weigh(graph)  # one answer of several pairs may end beyond the checkpoint
    assert graph == other
    assert picture(graph) == picture(other)


@given(logs(), st.dictionaries(st.sampled_from("xyz"), st.sampled_from([0.01, 0.05, 0.2, 0.45])), st.booleans())
@LAWS
def test_reweighing_equals_building_with_those_weights(
    log: list[Statement], rates: dict[str, float], read: bool
) -> None:
    graph = ConstraintGraph.build(log, cap=3)
    if read:
        picture(graph)
    before = graph.revision
    graph.reweigh(rates, 0.1)
    built = ConstraintGraph.build(log, 0.1, error_rates=rates, cap=3)
    assert graph == built
    assert picture(graph) == picture(built)
    assert graph.revision > before


def test_taking_an_early_answer_back_weighs_everybody_anew() -> None:
    log = turns(RATES, 60)
    graph, weigher = ConstraintGraph.build(log), Weigher()
    assert weigher.refresh(graph)
    assert not weigher.refresh(graph)
    graph.remove(3)
    assert weigher.refresh(graph, rewritten=True)
    assert graph == weighed_graph([one for one in log if one.answer != 3])


def test_a_new_source_is_taken_for_the_usual_one() -> None:
    found = judged(tuple(turns({"bo": 0.3}, 240)))
    assert trusted_rates(found)["bo"] < 0.49
    assert usual_rate({}) == 0.05
    assert usual_rate(found) == pytest.approx(trusted_rates(found)["bo"], abs=0.03)


def test_weighing_by_reliability_finds_more_of_the_truth_than_weighing_all_alike() -> None:
    right: list[list[bool]] = [[], []]
    for seed in range(4):
        log, truth = crowd({"ann": 0.03, "bo": 0.35, "cy": 0.4}, 120, seed)
        for place, graph in enumerate((ConstraintGraph.build(log), weighed_graph(log))):
            right[place] += [(graph.evidence(*pair) > 0) == same for pair, same in truth.items()]
    assert np.mean(right[1]) > np.mean(right[0]) + 0.05


def test_people_who_do_not_differ_beyond_chance_weigh_the_same() -> None:
    alike = weighed_graph(turns({"ann": 0.1, "bo": 0.1, "cy": 0.1}, 100, seed=1))
    assert len(set(alike.error_rates.values())) == 1
    assert set(alike.error_rates.values()) == {alike.error_rate}

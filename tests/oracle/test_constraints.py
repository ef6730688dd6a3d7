"""The laws of the constraint graph, and its closed cases."""

import random
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import BadInput
from db.nouns import Statement, Verdict
from oracle.conflicts import Cutter
from oracle.constraints import ConstraintGraph

ITEMS = range(1, 9)
LAWS = settings(max_examples=80, deadline=None)
pairs = st.tuples(st.sampled_from(ITEMS), st.sampled_from(ITEMS)).filter(lambda pair: pair[0] != pair[1])


@st.composite
def logs(draw: st.DrawFn, longest: int = 25) -> list[Statement]:
    """Any log: any verdict, several annotators, confidences, background matches, answers of several pairs."""
    said = []
    for answer in range(draw(st.integers(0, longest))):
        shown = draw(st.lists(pairs, min_size=1, max_size=3, unique_by=frozenset))
        for a, b in shown:
            verdict = draw(st.sampled_from(["same", "different", "same", "different", "unsure", "skip"]))
            confidence = draw(st.sampled_from([None, None, 0.3, 1.0]))
            source, background = draw(st.sampled_from("xyz")), draw(st.integers(0, 9)) == 0
            said.append(Statement(answer, a, b, Verdict(verdict), source, confidence, background))
    return said


@st.composite
def truthful_logs(draw: st.DrawFn) -> tuple[dict[int, int], list[Statement]]:
    """A hidden partition, and a log that never lies about it."""
    labels = {one: draw(st.integers(0, 2)) for one in ITEMS}
    asked = draw(st.lists(pairs, max_size=30))
    return labels, [truth(labels, number, a, b) for number, (a, b) in enumerate(asked)]


def say(answer: int, a: int, b: int, verdict: str, source: str = "ann") -> Statement:
    return Statement(answer, a, b, Verdict(verdict), source)


def truth(labels: dict[int, int], answer: int, a: int, b: int) -> Statement:
    return say(answer, a, b, "same" if labels[a] == labels[b] else "different")


def picture(graph: ConstraintGraph) -> tuple[object, ...]:
    """Everything a reader can see of a graph."""
    relations = [graph.implied(a, b) for a, b in combinations(ITEMS, 2)]
    arrays = tuple(column.tolist() for column in graph.arrays())
    rest = [graph.representative(one) for one in ITEMS], [graph.settled(a, b) for a, b in combinations(ITEMS, 2)]
    open_ones = graph.conflicts(), graph.conflicts(settled=True), graph.unconfirmed()
    return graph.components(), graph.trusted_components(), open_ones, relations, arrays, rest, graph.statements


@given(logs(), st.randoms(use_true_random=False), st.sampled_from([2, 100]))
@LAWS
def test_the_order_of_answers_does_not_matter(log: list[Statement], rng: random.Random, cap: int) -> None:
    shuffled = rng.sample(log, len(log))
    one, other = ConstraintGraph.build(log, cap=cap), ConstraintGraph.build(shuffled, cap=cap)
    assert one == other
    assert picture(one) == picture(other)


@given(logs(), st.sampled_from([2, 100]))
@LAWS
def test_adding_one_by_one_equals_rebuilding_from_the_log(log: list[Statement], cap: int) -> None:
    graph = ConstraintGraph(cap=cap)
    for statement in log:
        graph.add(statement)
        graph.relation(1, 2)  # reading in between must not leave stale caches behind
        graph.conflicts()
    assert picture(graph) == picture(ConstraintGraph.build(log, cap=cap))


@given(logs(), st.data())
@LAWS
def test_undo_equals_never_having_answered(log: list[Statement], data: st.DataObject) -> None:
    graph = ConstraintGraph.build(log)
    picture(graph)
    gone = data.draw(st.sets(st.integers(0, 30), max_size=12))
    for answer in sorted(gone):
        graph.remove(answer)
    kept = ConstraintGraph.build(said for said in log if said.answer not in gone)
    assert graph == kept
    assert picture(graph) == picture(kept)


@given(truthful_logs(), st.sampled_from([2, 100]))
@LAWS
def test_nothing_a_truthful_oracle_implies_is_false(told: tuple[dict[int, int], list[Statement]], cap: int) -> None:
    labels, log = told
    graph = ConstraintGraph.build(log, cap=cap)
    assert graph.conflicts(settled=True) == []
    for a, b in combinations(ITEMS, 2):
        implied = graph.implied(a, b)
        if implied:
            assert (implied.verdict is Verdict.SAME) == (labels[a] == labels[b])
            assert 0.5 < implied.confidence <= 1


@given(truthful_logs())
@LAWS
def test_a_truthful_log_implies_all_that_follows(told: tuple[dict[int, int], list[Statement]]) -> None:
    _, log = told
    graph = ConstraintGraph.build(log)
    for a, b in combinations(ITEMS, 2):
        assert graph.relation(a, b) == follows(log, a, b)


@given(logs())
@LAWS
def test_every_contradiction_of_a_lying_oracle_is_kept_as_a_conflict(log: list[Statement]) -> None:
    graph = ConstraintGraph.build(log)
    kept = {(found.a, found.b) for found in graph.conflicts(settled=True)}
    still_open = {(found.a, found.b) for found in graph.conflicts()}
    net = {(a, b): sign * weight for a, b, sign, weight in zip(*graph.arrays(), strict=True)}
    joined = {one: number for number, group in enumerate(graph.components()) for one in group}
    for (a, b), nats in net.items():
        if nats < 0 and a in joined and joined[a] == joined.get(b) and not lead_is_thin(log, a, b, nats):
            assert (a, b) in still_open
    for pair in disagreements(log):
        assert pair in kept
    assert still_open <= kept


@given(logs())
@LAWS
def test_no_conflict_means_some_partition_agrees_with_every_answer(log: list[Statement]) -> None:
    graph = ConstraintGraph.build(log)
    if graph.conflicts(settled=True):
        return
    group = {one: (one, 0) for one in ITEMS} | {
        one: (number, 1) for number, members in enumerate(graph.components()) for one in members
    }
    for a, b, sign, _ in zip(*graph.arrays(), strict=True):
        assert (group[int(a)] == group[int(b)]) == (sign > 0)


@given(logs())
@LAWS
def test_suspected_pairs_are_pairs_somebody_answered_and_imply_nothing(log: list[Statement]) -> None:
    graph = ConstraintGraph.build(log)
    for conflict in graph.conflicts():
        assert conflict.suspects
        assert graph.relation(conflict.a, conflict.b) is None
        for a, b in conflict.suspects:
            assert graph.asked(a, b)
            assert graph.relation(a, b) is None


@given(logs())
@LAWS
def test_every_chain_cites_answers_of_the_log_that_lead_from_one_item_to_the_other(log: list[Statement]) -> None:
    graph = ConstraintGraph.build(log)
    for a, b in combinations(ITEMS, 2):
        implied = graph.implied(a, b)
        if implied:
            cited = [said for said in log if said.answer in implied.chain]
            reached = {a}
            for _ in cited:
                reached |= {one for said in cited if {said.a, said.b} & reached for one in (said.a, said.b)}
            assert b in reached


def follows(log: list[Statement], a: int, b: int) -> Verdict | None:
    """Closure by plain loops: same along chains of same; different across one different."""
    reach = {one: {one} for one in ITEMS}
    for _ in ITEMS:
        for said in log:
            if said.verdict is Verdict.SAME:
                reach[said.a] |= reach[said.b]
                reach[said.b] |= reach[said.a]
    if b in reach[a]:
        return Verdict.SAME
    walls = [said for said in log if said.verdict is Verdict.DIFFERENT]
    crossed = any({said.a, said.b} & reach[a] and {said.a, said.b} & reach[b] for said in walls)
    return Verdict.DIFFERENT if crossed else None


def disagreements(log: list[Statement]) -> set[tuple[int, int]]:
    """Pairs that some answer calls same and another different."""
    sides: dict[tuple[int, int], set[Verdict]] = {}
    for said in log:
        if said.verdict is Verdict.DIFFERENT or (said.verdict is Verdict.SAME and not said.background):
            sides.setdefault((min(said.a, said.b), max(said.a, said.b)), set()).add(said.verdict)
    return {pair for pair, verdicts in sides.items() if len(verdicts) == 2}


def lead_is_thin(log: list[Statement], a: int, b: int, nats: float) -> bool:
    """Answers disagree and no side leads by one answer: open too, or settled by the chains around it."""
    return (a, b) in disagreements(log) and abs(nats) < np.log(0.95 / 0.05)


def test_confidence_is_the_chance_that_every_link_is_right() -> None:
    graph = ConstraintGraph.build([say(1, 1, 2, "same"), say(2, 2, 3, "same"), say(3, 3, 4, "different")])
    found = graph.implied(1, 4)
    assert found is not None
    assert found.chain == (1, 2, 3)
    assert found.confidence == pytest.approx(0.95**3)


def test_two_equal_answers_add_up_and_a_contradiction_cancels() -> None:
    log = [say(1, 1, 2, "same"), say(2, 2, 1, "same"), say(3, 1, 3, "same"), say(4, 1, 3, "different")]
    a, b, sign, weight = ConstraintGraph.build(log).arrays()
    assert (a.tolist(), b.tolist(), sign.tolist()) == ([1], [2], [1])
    assert weight[0] == pytest.approx(2 * np.log(0.95 / 0.05))


@pytest.mark.parametrize("verdict", ["unsure", "skip", "not_comparable"])
def test_what_is_not_a_verdict_on_sameness_weighs_nothing_but_counts_as_asked(verdict: str) -> None:
    graph = ConstraintGraph.build([say(1, 1, 2, verdict)])
    assert graph.asked(2, 1)
    assert graph.relation(1, 2) is None
    assert len(graph.arrays()[0]) == 0


def test_a_background_match_is_never_a_positive() -> None:
    graph = ConstraintGraph.build([replace(say(1, 1, 2, "same"), background=True)])
    assert graph.components() == []
    assert graph.relation(1, 2) is None


def test_a_contradiction_suspects_the_direct_answer_and_the_chain_alike_when_they_weigh_the_same() -> None:
    log = [say(1, 1, 2, "same"), say(2, 2, 3, "same"), say(3, 1, 3, "different")]
    (conflict,) = ConstraintGraph.build(log).conflicts()
    assert sorted(conflict.suspects) == [(1, 2), (1, 3), (2, 3)]
    assert conflict.answers == (1, 2, 3)


def test_the_weakest_link_is_suspected_when_the_rest_was_confirmed() -> None:
    log = [say(1, 1, 2, "same"), say(2, 1, 2, "same"), say(3, 2, 3, "same"), say(4, 1, 3, "different")]
    log.append(say(5, 1, 3, "different"))
    (conflict,) = ConstraintGraph.build(log).conflicts()
    assert conflict.suspects == ((2, 3),)
    assert ConstraintGraph.build(log).relation(1, 2) is Verdict.SAME


def test_the_models_opinion_sharpens_who_is_suspected() -> None:
    log = [say(1, 1, 2, "same"), say(2, 2, 3, "same"), say(3, 1, 3, "different")]
    graph = ConstraintGraph.build(log)
    (conflict,) = graph.conflicts(log_odds=lambda a, b: -2.0 if (a, b) == (1, 2) else 0.5)
    assert conflict.suspects == ((1, 2),)


def test_asking_again_settles_a_disagreement_and_keeps_it_on_record() -> None:
    graph = ConstraintGraph.build([say(1, 1, 2, "same"), say(2, 1, 2, "different", "bo")])
    assert graph.relation(1, 2) is None
    graph.add(say(3, 1, 2, "same", "cy"))
    assert graph.relation(1, 2) is Verdict.SAME
    assert graph.conflicts() == []
    assert [found.settled for found in graph.conflicts(settled=True)] == [True]


def test_one_answer_does_not_glue_two_large_parts_together() -> None:
    chain = [say(n, n, n + 1, "same") for n in range(1, 4)] + [say(n, n, n + 1, "same") for n in range(11, 14)]
    graph = ConstraintGraph.build([*chain, say(50, 2, 12, "same")], cap=4)
    assert graph.components() == [[1, 2, 3, 4], [11, 12, 13, 14]]
    assert graph.unconfirmed() == [(2, 12)]
    assert graph.relation(1, 11) is None
    graph.add(say(51, 2, 12, "same", "bo"))
    assert graph.components() == [[1, 2, 3, 4, 11, 12, 13, 14]]


def test_a_relation_is_settled_once_no_single_answer_decides_it() -> None:
    graph = ConstraintGraph.build([say(1, 1, 2, "same"), say(2, 2, 3, "same"), say(3, 3, 9, "different")])
    assert not graph.settled(1, 3)
    assert not graph.settled(1, 9)
    graph.add(say(4, 1, 3, "same"))
    graph.add(say(5, 1, 9, "different"))
    assert graph.settled(1, 3)
    assert graph.settled(1, 9)


def test_an_item_is_settled_with_itself_and_no_contradiction_is_looked_at_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = ConstraintGraph.build([say(1, 1, 2, "same"), say(2, 2, 3, "same"), say(3, 1, 3, "different")])
    assert [graph.relation(item, item) is Verdict.SAME for item in (1, 2, 3)] == [True, True, True]
    graph.add(say(4, 2, 3, "same"))
    monkeypatch.setattr(Cutter, "cut", None)  # a cut would fail
    assert graph.settled(1, 1)
    assert not graph.settled(9, 9)  # nobody said anything about it


def test_an_unreliable_source_weighs_less() -> None:
    log = [say(1, 1, 2, "same", "robot"), say(2, 1, 2, "same", "ann")]
    weight = ConstraintGraph.build(log, error_rates={"robot": 0.4}).arrays()[3]
    assert weight[0] == pytest.approx(np.log(0.6 / 0.4) + np.log(0.95 / 0.05))


def test_a_statement_added_twice_counts_once() -> None:
    graph = ConstraintGraph.build([say(1, 1, 2, "same")])
    before = graph.revision
    graph.add(say(1, 2, 1, "same"))
    assert (graph.size, graph.revision) == (1, before)


def test_a_pair_of_one_item_is_refused() -> None:
    with pytest.raises(BadInput, match="two different items"):
        ConstraintGraph().add(say(1, 5, 5, "same"))


def test_where_contradictions_pile_up_only_confirmed_links_are_leant_on() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    log = []
    for number, (a, b) in enumerate(combinations(range(60), 2)):
        lies = rng.random() < 0.1
        log.append(say(number, a, b, "same" if (labels[a] == labels[b]) != lies else "different"))
    graph = ConstraintGraph.build(log)
    assert len(graph.components()) == 1
    assert len(graph.conflicts()) > 32
    assert all(graph.relation(found.a, found.b) is None for found in graph.conflicts())


def test_a_hundred_thousand_statements_are_added_without_growing_slower() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 50, 5000)
    a, b = rng.integers(0, 5000, (2, 100_000))
    log = [say(n, int(x), int(y), "same" if labels[x] == labels[y] else "different")
           for n, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]  # fmt: skip
    graph = ConstraintGraph.build(log)
    assert graph.size == len(log)
    assert graph.conflicts() == []
    for group in graph.components():
        assert len(set(labels[group])) == 1

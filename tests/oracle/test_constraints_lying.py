"""The laws of the constraint graph when annotators lie, each at a rate of their own, and answers come and go.

By hand with many more examples: `LYING_EXAMPLES=2000 pytest tests/oracle/test_constraints_lying.py`.
"""

import os
import random
from dataclasses import replace
from itertools import combinations
from math import exp, log

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from db.nouns import Statement, Verdict
from oracle.acquisition.conflicts import Acquisition
from oracle.constraints import ConstraintGraph
from tests.contracts.conftest import blobs

SNAPSHOT = blobs([0] * 7)
ITEMS = SNAPSHOT.ids.tolist()
PAIRS = list(combinations(ITEMS, 2))
LIES = {"ann": 0, "bo": 10, "cy": 30}  # in a hundred
TRUSTS = [({}, 0.05), ({"ann": 0.02, "bo": 0.1, "cy": 0.3}, 0.1), ({"ann": 0.2, "cy": 0.48}, 0.05)]
TURNED = {Verdict.SAME: Verdict.DIFFERENT, Verdict.DIFFERENT: Verdict.SAME}
OFTEN = Acquisition.times
MANY = int(os.environ.get("LYING_EXAMPLES", "40"))
Trust = tuple[dict[str, float], float]


def build(log: list[Statement], trust: Trust, cap: int) -> ConstraintGraph:
    return ConstraintGraph.build(log, trust[1], error_rates=trust[0], cap=cap)


def picture(graph: ConstraintGraph) -> tuple[object, ...]:
    """Everything a reader can see of a graph."""
    about = [(graph.implied(a, b), graph.settled(a, b), graph.evidence(a, b)) for a, b in PAIRS]
    rest = [(graph.representative(one), graph.closed(one)) for one in ITEMS]
    open_ones = graph.conflicts(), graph.conflicts(settled=True), graph.unconfirmed()
    return graph.components(), graph.trusted_components(), open_ones, about, rest, graph.statements


class Ledger:
    """Net evidence and accepted signs by plain loops."""

    def __init__(self, statements: list[Statement], trust: Trust) -> None:
        self.same, self.different = dict.fromkeys(PAIRS, 0.0), dict.fromkeys(PAIRS, 0.0)
        rates, usual = trust
        for said in statements:
            if said.verdict in TURNED:
                rate = rates.get(said.source, usual)
                side = self.same if said.verdict is Verdict.SAME else self.different
                side[min(said.a, said.b), max(said.a, said.b)] += log((1 - rate) / rate)
        self.margin = 0.999 * log((1 - usual) / usual)
        self.parent = {one: one for one in ITEMS}
        for a, b in PAIRS:
            if self.accepted(a, b) > 0:
                self.parent[self.root(a)] = self.root(b)

    def root(self, item: int) -> int:
        return item if self.parent[item] == item else self.root(self.parent[item])

    def net(self, a: int, b: int) -> float:
        return self.same[a, b] - self.different[a, b]

    def accepted(self, a: int, b: int) -> int:
        faint, net = log(0.58 / 0.42), self.net(a, b)
        mixed = min(self.same[a, b], self.different[a, b]) > faint
        return 0 if abs(net) <= faint or (mixed and abs(net) < self.margin) else int(np.sign(net))


class Lying(RuleBasedStateMachine):
    """A hidden partition, three annotators who lie about it now and then, answers given and taken back."""

    @initialize(labels=st.lists(st.integers(0, 2), min_size=7, max_size=7), cap=st.sampled_from([2, 3, 100]))
    def start(self, labels: list[int], cap: int) -> None:
        self.labels = dict(zip(ITEMS, labels, strict=True))
        self.cap, self.trust = cap, TRUSTS[0]
        self.log: list[Statement] = []
        self.given = 0
        self.graph = build([], self.trust, cap)

    @rule(shown=st.lists(st.sampled_from(PAIRS), min_size=1, max_size=3, unique=True), roll=st.integers(0, 99),
          source=st.sampled_from(sorted(LIES)), unsure=st.integers(0, 9))  # fmt: skip
    def answer(self, shown: list[tuple[int, int]], source: str, roll: int, unsure: int) -> None:
        self.given += 1
        for place, (a, b) in enumerate(shown):
            says_same = (self.labels[a] == self.labels[b]) != ((roll + 37 * place) % 100 < LIES[source])
            verdict = Verdict.UNSURE if unsure == 0 else Verdict.SAME if says_same else Verdict.DIFFERENT
            said = Statement(self.given, *((a, b) if roll % 2 else (b, a)), verdict, source)
            self.log.append(said)
            self.graph.add(said)
        self.never_silent()

    @precondition(lambda self: self.log)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(sorted({said.answer for said in self.log})))
        self.log = [said for said in self.log if said.answer != gone]
        self.graph.remove(gone)
        self.never_silent()

    @rule(trust=st.sampled_from(TRUSTS))
    def trust_otherwise(self, trust: Trust) -> None:
        self.trust = trust
        self.graph.reweigh(*trust)
        self.never_silent()

    @precondition(lambda self: self.log)
    @rule()
    def ask_what_is_in_doubt(self) -> None:
        every_contradiction_is_asked(self.graph)

    def never_silent(self) -> None:
        ledger = Ledger(self.log, self.trust)
        still_open = {(one.a, one.b) for one in self.graph.conflicts()}
        kept = {(one.a, one.b) for one in self.graph.conflicts(settled=True)}
        for a, b in PAIRS:
            if ledger.accepted(a, b) < 0 and ledger.root(a) == ledger.root(b):
                assert (a, b) in still_open
                assert self.graph.relation(a, b) is None
            if min(ledger.same[a, b], ledger.different[a, b]) > 0.4:
                assert (a, b) in kept
        assert still_open <= kept

    def teardown(self) -> None:
        if not getattr(self, "log", None):
            return
        seen = picture(self.graph)
        assert seen == picture(build(self.log, self.trust, self.cap))
        shuffled = random.Random(len(self.log)).sample(self.log, len(self.log))
        assert seen == picture(build(shuffled, self.trust, self.cap))
        for a, b in PAIRS:
            a_chain_is_what_it_claims(self.graph, a, b)
        large_parts_wait_for_a_second_answer(self.graph, self.cap)


def every_contradiction_is_asked(graph: ConstraintGraph) -> None:
    """Whatever is suspected is a question until it was asked three times; then it stays in the inbox."""
    questions = Acquisition(screen=12).propose(SNAPSHOT, graph, 200)
    asked = {tuple(sorted(pair)) for question in questions for pair in question.pairs()}
    for conflict in graph.conflicts():
        assert {pair for pair in conflict.suspects if graph.times(*pair) < OFTEN} <= asked
    assert {pair for pair in graph.unconfirmed() if graph.times(*pair) < OFTEN} <= asked


def a_chain_is_what_it_claims(graph: ConstraintGraph, a: int, b: int) -> None:
    """It leads from a to b over pairs that were answered, and its confidence is the product of theirs."""
    implied = graph.implied(a, b)
    assert (implied is None) == (graph.relation(a, b) is None)
    if implied is None:
        return
    assert 0 < implied.confidence <= 1
    said = {number: [one for one in graph.statements if one.answer == number] for number in implied.chain}
    reachable = {(a, 1.0, 0)}
    for number in implied.chain:
        reachable = {
            (one.b if one.a == here else one.a, chance / (1 + exp(-abs(graph.evidence(one.a, one.b)))),
             walls + (one.verdict is Verdict.DIFFERENT))
            for here, chance, walls in reachable for one in said[number] if here in (one.a, one.b)
        }  # fmt: skip
    ends = {(round(chance, 9), walls) for here, chance, walls in reachable if here == b}
    assert (round(implied.confidence, 9), int(implied.verdict is Verdict.DIFFERENT)) in ends


def large_parts_wait_for_a_second_answer(graph: ConstraintGraph, cap: int) -> None:
    """Two parts of at least `cap` items that hang on one light pair are not one group yet."""
    group = {one: number for number, members in enumerate(graph.components()) for one in members}
    for a, b in graph.unconfirmed():
        assert group.get(a, -a) != group.get(b, -b)
        assert graph.relation(a, b) is None


TestLying = Lying.TestCase
TestLying.settings = settings(
    max_examples=MANY, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@given(st.integers(0, 10**6), st.sampled_from(TRUSTS), st.integers(4, 18))
@settings(max_examples=2 * MANY, deadline=None)
def test_no_single_turned_answer_turns_what_is_settled(seed: int, trust: Trust, answers: int) -> None:
    rng = np.random.default_rng(seed)
    some = ITEMS[: int(rng.integers(4, 8))]
    labels = dict(zip(ITEMS, rng.integers(0, rng.integers(1, 4), 7), strict=True))
    said = []
    for number in range(answers):
        a, b = map(int, rng.choice(some, 2, replace=False))
        same = (labels[a] == labels[b]) != (rng.random() < 0.2)
        said.append(Statement(number, a, b, Verdict.SAME if same else Verdict.DIFFERENT, str(rng.choice(list(LIES)))))
    graph = build(said, trust, 100)
    settled = {pair: graph.relation(*pair) for pair in PAIRS if graph.settled(*pair)}
    for place, one in enumerate(said if settled else []):
        turned = build([*said[:place], replace(one, verdict=TURNED[one.verdict]), *said[place + 1 :]], trust, 100)
        for pair, verdict in settled.items():
            assert turned.relation(*pair) is not TURNED[verdict or Verdict.SKIP]


@settings(max_examples=MANY, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(TRUSTS), st.integers(0, 24), st.sampled_from([2, 100]))
def test_settled_is_a_relation_that_two_answers_worth_of_trusted_ones_hold(
    seed: int, trust: Trust, answers: int, cap: int
) -> None:
    rng = np.random.default_rng(seed)
    said = []
    for number in range(answers):
        a, b = map(int, rng.choice(ITEMS, 2, replace=False))
        verdict = Verdict.SAME if rng.random() < 0.6 else Verdict.DIFFERENT
        said.append(Statement(number, a, b, verdict, str(rng.choice(list(LIES)))))
    graph, quick = build(said, trust, cap), build(said, trust, cap)
    for a, b in PAIRS:
        verdict = graph.relation(a, b)  # this one looks for suspects, the other need not
        plain = verdict is Verdict.SAME and graph._solid(a) == graph._solid(b)
        if verdict is Verdict.DIFFERENT:
            ends = {graph._solid(a), graph._solid(b)}
            walls = [pair for pair in graph._walls(a, b) if {graph._solid(pair[0]), graph._solid(pair[1])} == ends]
            plain = -sum(graph.evidence(*pair) for pair in walls) > 1.999 * graph._evidence.heaviest
        assert quick.settled(a, b) is bool(plain), (a, b)
    for number in graph._joined():
        view = graph._view(number)
        assert view.disputed or not graph._components.inside[number]
        if view.disputed:
            assert len(set(view.solid_of.values())) == len(view.members)


def test_two_lies_that_join_two_groups_do_not_outweigh_the_answers_that_keep_them_apart() -> None:
    def say(number: int, a: int, b: int, verdict: Verdict) -> Statement:
        return Statement(number, a, b, verdict, "ann")

    inside = [
        say(n, a, b, Verdict.SAME)
        for n, (a, b) in enumerate([*combinations((1, 2, 3), 2), *combinations((11, 12, 13), 2)])
    ]
    apart = [say(20 + n, n + 1, n + 11, Verdict.DIFFERENT) for n in range(3)]
    lies = [say(30, 1, 12, Verdict.SAME), say(31, 1, 12, Verdict.SAME)]
    graph = ConstraintGraph.build([*inside, *apart, *lies])
    assert {pair for conflict in graph.conflicts() for pair in conflict.suspects} == {(1, 12)}
    assert graph.relation(2, 13) is Verdict.DIFFERENT
    assert graph.relation(1, 3) is Verdict.SAME


@pytest.mark.parametrize("trust", TRUSTS)
def test_settling_by_two_answers_takes_two_that_weigh_as_much_as_any(trust: Trust) -> None:
    a, b = ITEMS[:2]
    lone = build([Statement(1, a, b, Verdict.SAME, "ann")], trust, 100)
    twice = build([Statement(n, a, b, Verdict.SAME, "ann") for n in (1, 2)], trust, 100)
    assert not lone.settled(a, b)
    assert twice.settled(a, b)

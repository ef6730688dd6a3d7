"""Estimates from audit answers: their intervals hold the truth as often as they say, whatever the belief claims."""

from dataclasses import dataclass, replace
from functools import cache
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom

from db.errors import Refused
from db.nouns import Snapshot, Statement, Verdict
from oracle.audits import Known, Witnesses, implied_pairs, open_partners, separate
from oracle.belief import infer
from oracle.claims import BINS, Claims, binned, claimed, claims_of
from oracle.constraints import ConstraintGraph
from oracle.holdout import along, even, grown, weighed, without
from oracle.measuring import measure
from oracle.quality import ENOUGH, Audit, audit, coverage, estimate, judged_by
from oracle.shares import Heard, draw, figures
from oracle.slips import ErrorRate
from oracle.truths import agreement, pair_f1
from oracle.weighing import weighed_graph
from tests.oracle.conftest import blobs, say

NEVER = ErrorRate(0, 0)
ITEMS, GROUPS = 300, 6


@dataclass(frozen=True)
class World:
    """How good the partition is, how far off the belief's claims are, how many audit screens and how they lie."""

    wrong: tuple[float, float] = (1.0, 9.0)  # Beta: chance that an item is in a wrong group
    shift: float = 0.0  # log-odds by which the belief thinks better of its items
    screens: int = 25
    noise: float = 0.0
    error: ErrorRate = NEVER


@dataclass(frozen=True)
class Simulated:
    """One log of known truth, its estimate, and what it should have said."""

    found: Audit
    precision: float
    recall: float
    f1: float


@cache
def simulate(world: World, seed: int) -> Simulated:
    """300 items in six groups; uniform screens of twelve; a belief that claims something of every item."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, GROUPS, ITEMS)
    wrong = np.clip(rng.beta(*world.wrong, ITEMS), 1e-6, 1 - 1e-6)
    labels = np.where(rng.random(ITEMS) < wrong, (truth + rng.integers(1, GROUPS, ITEMS)) % GROUPS, truth)
    sure = expit(world.shift - logit(wrong))  # (N,) what the belief thinks of each item's place
    rows = np.concatenate([uniform_screen(rng, ITEMS) for _ in range(world.screens)])
    same = (truth[rows[:, 0]] == truth[rows[:, 1]]) ^ (rng.random(len(rows)) < world.noise)
    found = Witnesses(rows, same, np.ones(len(rows)), np.repeat(np.arange(world.screens), 12))
    inside = labels[rows[:, 0]] == labels[rows[:, 1]]
    heard = Heard.of(inside, claim(sure, labels, rows), same, found.weight)
    every = np.column_stack(np.triu_indices(ITEMS, 1))
    bins, together = claim(sure, labels, every), labels[every[:, 0]] == labels[every[:, 1]]
    shares = np.array([np.bincount(bins[one], minlength=BINS) / one.sum() for one in (together, ~together)])
    sizes = np.array([together.sum(), (~together).sum()], dtype=float)
    made = estimate(found, int(inside.sum()), heard, Claims(shares, shares, sizes, sizes, ITEMS), world.error)
    return Simulated(made, *agreement(truth, labels))


def claim(sure: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bins of the claims about pairs of items that are in their place with these chances, else anywhere."""
    one, other = sure[rows[:, 0]], sure[rows[:, 1]]
    same = np.where(labels[rows[:, 0]] == labels[rows[:, 1]], one * other, 0.0)
    stray = np.where(labels[rows[:, 0]] == labels[rows[:, 1]], (1 - one) * (1 - other), 1 - one * other)
    return binned(logit(np.clip(same + stray / (GROUPS - 1), 1e-6, 1 - 1e-6)))


def uniform_screen(rng: np.random.Generator, count: int) -> np.ndarray:
    anchor, *others = rng.choice(count, 13, replace=False)
    return np.array([(anchor, other) for other in others])


WORLDS = {
    "a belief that knows itself": World(),
    "a belief far too sure of itself": World(shift=2.0),
    "a belief far too modest": World(shift=-2.0),
    "hardly an audit": World(screens=6),
    "hardly an error": World(wrong=(0.02, 9.0)),
    "poor groups": World(wrong=(4.0, 6.0), screens=12),
    "one answer in ten wrong, known roughly": World(noise=0.1, error=ErrorRate(15, 135)),
}
RUNS = 40


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_ninety_percent_intervals_hold_the_truth_nine_times_in_ten_or_oftener(world: World) -> None:
    least = binom.ppf(0.002, RUNS, 0.9)
    for name in ("precision", "recall", "f1"):
        runs = [simulate(world, seed) for seed in range(RUNS)]
        known = [
            (getattr(run.found, name), getattr(run, name)) for run in runs if getattr(run.found, name).value is not None
        ]
        held = sum(one.low - 1e-9 <= truth <= one.high + 1e-9 for one, truth in known) + len(runs) - len(known)
        assert held >= least, (name, held)


def test_audits_narrow_what_the_belief_leaves_open() -> None:
    few, many = (simulate(World(screens=screens), 1).found.f1 for screens in (6, 100))
    assert many.high - many.low < 0.6 * (few.high - few.low)


def test_many_audits_decide_against_a_belief_that_is_wrong() -> None:
    gap = [simulate(World(shift=2.0, screens=100), seed) for seed in range(10)]
    assert abs(np.mean([run.found.f1.value - run.f1 for run in gap])) < 0.03


def test_errors_left_uncorrected_would_bias_the_estimate() -> None:
    blind = [simulate(World(screens=100, noise=0.1), seed) for seed in range(6)]
    assert np.mean([run.found.recall.value - run.recall for run in blind]) < -0.1


def test_doubt_about_the_annotators_widens_the_interval() -> None:
    width = [
        np.mean(
            [
                one.high - one.low
                for one in (simulate(replace(noisy, error=rate), seed).found.recall for seed in range(8))
            ]
        )
        for noisy in [World(screens=60, noise=0.1)]
        for rate in (ErrorRate(60, 540), ErrorRate(3, 27))
    ]
    assert width[0] < width[1]


@pytest.mark.parametrize(("stratum", "scale"), [(0, 1.1), (1, 0.7)])
def test_the_posterior_is_that_of_a_plain_sum_over_the_grid(stratum: int, scale: float) -> None:
    """The mean share of one stratum by summing prior times likelihood, one cell at a time."""
    from oracle.claims import CENTRES
    from oracle.shares import SHIFTS, SLOPES

    same, different = np.zeros((2, BINS)), np.zeros((2, BINS))
    same[stratum, [30, 45]], different[stratum, [30, 45]] = (1, 5), (3, 1)
    shares = np.full((2, BINS), 1 / BINS)
    claims = Claims(shares, shares, np.array([1e9, 1e9]), np.array([1.0, 1.0]), 10**5)
    drawn = draw(Heard(same, different), claims, NEVER, count=20000)
    total = mean = 0.0
    for shift in SHIFTS:
        for slope in SLOPES:
            p = 1 / (1 + np.exp(-(shift + slope * CENTRES)))
            mass = (1 + (shift / scale) ** 2 / 3) ** -2 * np.exp(-((np.log(slope) / 0.3) ** 2) / 2)
            for place in (30, 45):
                mass *= p[place] ** same[stratum, place] * (1 - p[place]) ** different[stratum, place]
            total, mean = total + mass, mean + mass * p.mean()
    assert (drawn.together, drawn.apart)[stratum].mean() == pytest.approx(mean / total, abs=0.005)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(1, 1e6), st.floats(1, 1e6))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(together: float, apart: float, n: float, m: float) -> None:
    found = figures(np.array([together]), np.array([apart]), [n, m])
    both = found["precision"] + found["recall"]
    expected = 2 * found["precision"] * found["recall"] / both if both else 0.0
    assert found["f1"] == pytest.approx(expected, abs=1e-9)


def test_what_a_belief_claims_of_a_pair_is_what_it_thinks_of_it() -> None:
    snapshot = blobs([row % 3 for row in range(24)], spread=0.8)
    belief = infer(snapshot, ConstraintGraph.build(truthful(snapshot, 4, audit=False)))
    rows = np.array([(0, 3), (0, 1), (5, 8)])
    expected = [belief.same(*row) for row in rows.tolist()]
    assert expit(claimed(belief, rows)) == pytest.approx(expected, abs=2e-4)


def test_claims_count_up_to_all_pairs() -> None:
    snapshot = blobs([row % 3 for row in range(24)])
    graph = ConstraintGraph.build(truthful(snapshot, 4, audit=False))
    found = claims_of(infer(snapshot, graph), graph)
    assert found.sizes.sum() == 24 * 23 / 2
    assert (found.left_sizes <= found.sizes).all() and found.left_sizes.sum() < found.sizes.sum()
    assert found.shares.sum(1) == pytest.approx([1, 1])


@pytest.mark.parametrize(("items", "opened", "shown"), [(500, 499, 12), (500, 120, 12), (500, 30, 5), (90, 60, 1)])
def test_the_number_of_open_partners_is_read_back_from_the_probability(items: int, opened: int, shown: int) -> None:
    probability = 0.1 / (items * comb(opened, shown))
    assert open_partners(probability, shown, items) == pytest.approx(opened, rel=0.02)


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
    every = np.column_stack(np.triu_indices(24, 1))
    relations = [graph.relation(int(ids[i]), int(ids[j])) is not None for i, j in every]
    assert Known.of(graph, snapshot).settled(every).tolist() == relations


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
    assert f"no audit screen was answered yet; {ENOUGH} more" in found.precision.reason


def test_too_few_audit_answers_are_said_to_be_too_few() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    found = audit(snapshot, truthful(snapshot, ENOUGH - 1, audit=True))
    assert found.f1.value is None
    assert f"not enough audit answers yet: {ENOUGH - 1} so far, 1 more is needed" in found.f1.reason


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
    assert audit(snapshot, said, error=NEVER).precision.low < 0.75


def test_building_and_judging_answers_are_apart_and_none_is_lost() -> None:
    said = truthful(blobs([row % 4 for row in range(60)]), 8, audit=True)
    build, kept = separate(said, lambda one: one.answer % 2 == 0)
    assert sorted([*build, *kept], key=said.index) == said
    assert {one.answer % 2 for one in kept} == {0}


def test_judging_puts_every_answer_back() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    said, graph = truthful(snapshot, 12, audit=True), ConstraintGraph()
    belief = grown(snapshot, said, graph)
    judged_by(said, belief, graph)
    assert graph == ConstraintGraph.build(said)


def test_without_some_answers_only_the_others_count() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    said, graph = truthful(snapshot, 12, audit=True), ConstraintGraph()
    belief = grown(snapshot, said, graph)
    left = without(belief, graph, [one for one in said if one.answer > 6])
    asked = {item for one in said if one.answer <= 6 for item in (one.a, one.b)}
    assert set(snapshot.ids[left.asked].tolist()) == asked
    assert not len(without(belief, graph, said).asked)


def test_witnesses_newer_than_the_groups_judge_them_as_they_are() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    said, graph = truthful(snapshot, 20, audit=True), ConstraintGraph()
    belief = grown(snapshot, [one for one in said if one.answer <= 10], graph)
    assert judged_by(said, belief, graph).f1.answers == 20
    assert graph.size == 60


def test_a_judgement_can_be_stopped() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    said, graph = truthful(snapshot, 12, audit=True), ConstraintGraph()
    belief = grown(snapshot, said, graph)
    with pytest.raises(Refused, match="stopped"):
        judged_by(said, belief, graph, stopped=lambda: True)


def test_a_log_grows_in_even_steps_and_ends_whole() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    said, graph = truthful(snapshot, 25, audit=False), ConstraintGraph()
    stops = even(list(range(1, 26)), 4)
    assert stops == [6, 12, 18, 25]
    sizes = [graph.size for _ in along(snapshot, said, graph, stops)]
    assert sizes == [6 * stop for stop in stops]
    assert graph == ConstraintGraph.build(said)


def test_coverage_counts_items_that_answers_and_belief_settle() -> None:
    snapshot = blobs([row % 4 for row in range(60)])
    graph = ConstraintGraph.build(truthful(snapshot, 6, audit=False))
    found = coverage(infer(snapshot, graph), graph, 10.0)
    assert found.items == 60
    assert 0 < found.placed <= found.sure <= 60
    assert found.placed <= found.asked
    assert 0 <= found.unsettled <= 1


def doubtful(snapshot: Snapshot, labels: list[int], wrong: float, seed: int) -> list[Statement]:
    """Forty screens of five, this share of the answers wrong, by two people in turn."""
    rng = np.random.default_rng(seed)
    said = []
    for answer in range(1, 41):
        one, *others = rng.choice(len(labels), 6, replace=False)
        said += [
            say(answer, int(snapshot.ids[one]), int(snapshot.ids[other]), source=("ada", "ben")[answer % 2],
                verdict="same" if (labels[one] == labels[other]) != (rng.random() < wrong) else "different")
            for other in others
        ]  # fmt: skip
    return said


def test_the_partition_shown_is_found_as_the_log_grew() -> None:
    labels = [row % 4 for row in range(80)]
    snapshot = blobs(labels, spread=0.8, seed=2)
    said = doubtful(snapshot, labels, 0.2, 3)
    graph, belief = weighed(snapshot, said)
    again = ConstraintGraph(graph.error_rate, error_rates=graph.error_rates)
    assert graph == weighed_graph(said)
    assert np.array_equal(belief.labels, grown(snapshot, said, again).labels)
    assert pair_f1(infer(snapshot, weighed_graph(said)).labels, belief.labels) < 0.9  # at once other groups are found


def test_a_report_gives_everybody_the_error_rate_of_the_groups_found(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [row % 4 for row in range(80)]
    snapshot = blobs(labels, spread=0.4, seed=2)
    rates = {"ada": (0.31, 0.2, 0.4), "ben": (0.02, 0.01, 0.03)}
    monkeypatch.setattr("oracle.measuring.sources", lambda *_: rates)
    found = measure(snapshot, doubtful(snapshot, labels, 0.1, 0)[:60], last=3).annotators
    assert {one.source: (one.error_rate, one.low, one.high) for one in found} == rates

"""Forecasts play a hidden truth through; what they promise is what a run with that truth delivers."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BadInput
from db.nouns import Snapshot, Statement
from oracle.belief import infer
from oracle.changes import Watch, moved, replay
from oracle.constraints import ConstraintGraph
from oracle.forecast import BETTER, FAR, WORSE, Plan, Point, forecast, in_words, needed, widened
from oracle.quality import Estimate
from oracle.truths import draw, known, pair_f1, subsample
from tests.oracle.conftest import blobs, say

LABELS = [row % 4 for row in range(80)]
PLAN = Plan(screens=20, draws=3, batch=5, error=0.0)


@pytest.fixture(scope="module")
def world() -> Snapshot:
    return blobs(LABELS, spread=0.6, seed=2)


def truthful(snapshot: Snapshot, answers: int, seed: int = 0) -> list[Statement]:
    rng = np.random.default_rng(seed)
    said = []
    for answer in range(1, answers + 1):
        one, *others = rng.choice(len(snapshot.ids), 6, replace=False)
        said += [
            say(answer, int(snapshot.ids[one]), int(snapshot.ids[other]),
                "same" if LABELS[one] == LABELS[other] else "different")
            for other in others
        ]  # fmt: skip
    return said


def labelled(snapshot: Snapshot) -> dict[int, int]:
    return dict(zip(snapshot.ids.tolist(), LABELS, strict=True))


def test_with_known_labels_the_forecast_ends_where_the_labels_are_found(world: Snapshot) -> None:
    found = forecast(world, truthful(world, 3), PLAN, labels=labelled(world))
    assert found.points[0].screens == 0
    assert found.points[-1].screens <= 20
    assert found.points[-1].f1 > found.points[0].f1 or found.points[-1].f1 > 0.95
    assert all(point.low <= point.f1 <= point.high for point in found.points)


def test_the_same_seed_gives_the_same_forecast(world: Snapshot) -> None:
    said = truthful(world, 4)
    assert forecast(world, said, PLAN) == forecast(world, said, PLAN)


def test_a_forecast_changes_nothing_of_what_it_was_given(world: Snapshot) -> None:
    said = truthful(world, 4)
    before = list(said)
    forecast(world, said, PLAN)
    assert said == before


def test_seconds_and_screens_rise_together_and_the_pace_scales_them(world: Snapshot) -> None:
    said = truthful(world, 4)
    once, twice = (forecast(world, said, Plan(screens=10, draws=1, pace=pace)) for pace in (1.0, 2.0))
    assert [p.seconds for p in once.points] == sorted(p.seconds for p in once.points)
    assert twice.points[-1].seconds == pytest.approx(2 * once.points[-1].seconds, abs=0.2)


def test_the_forecast_can_be_stopped_between_batches(world: Snapshot) -> None:
    heard: list[tuple[int, int]] = []
    said = truthful(world, 4)
    found = forecast(world, said, PLAN, told=lambda *at: heard.append(at), stopped=lambda: len(heard) >= 6)
    assert found.stopped
    assert found.draws == 1
    assert heard[0] == (5, 60)
    with pytest.raises(BadInput, match="stopped"):
        forecast(world, said, PLAN, stopped=lambda: True)


def test_a_target_that_is_reached_and_one_that_is_not_are_said_in_words(world: Snapshot) -> None:
    labels, said = labelled(world), truthful(world, 4)
    easy = forecast(world, said, Plan(screens=5, draws=2, target=0.05), labels=labels)
    assert easy.need.screens == 0
    assert "reached already" in easy.words
    hard = forecast(world, said, Plan(screens=2, draws=2, target=0.9999, error=0.3), labels=labels)
    assert hard.need.screens is None
    assert "further off" in hard.words


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    for wrong in ({"screens": 0}, {"target": 1.5}, {"error": 0.7}):
        with pytest.raises(BadInput, match=next(iter(wrong))):
            Plan(**wrong)


def test_a_drawn_truth_is_as_far_from_the_groups_as_the_audits_say(world: Snapshot) -> None:
    graph = ConstraintGraph.build(truthful(world, 6))
    belief = infer(world, graph)
    for goal in (0.98, 0.9, 0.8):
        near = pair_f1(draw(belief, graph, np.random.default_rng(0), goal), belief.labels)
        assert near == pytest.approx(goal, abs=0.1)


def test_a_drawn_truth_hardly_makes_liars_of_the_answers_given(world: Snapshot) -> None:
    said = truthful(world, 8)
    graph, rng = ConstraintGraph.build(said), np.random.default_rng(0)
    belief, place = infer(world, graph), world.position

    def contradicted(truth: np.ndarray) -> float:
        return float(np.mean([(truth[place[one.a]] == truth[place[one.b]]) != (one.verdict == "same") for one in said]))

    truths = [draw(belief, graph, np.random.default_rng(n), 0.8) for n in range(10)]
    assert np.mean([contradicted(one) for one in truths]) < 0.05
    assert np.mean([contradicted(rng.permutation(one)) for one in truths]) > 0.2


def test_drawing_a_truth_leaves_the_log_as_it_was(world: Snapshot) -> None:
    said = truthful(world, 6)
    graph = ConstraintGraph.build(said)
    draw(infer(world, graph), graph, np.random.default_rng(0), 0.7)
    assert graph == ConstraintGraph.build(said)


def test_a_truth_drawn_before_any_answer_is_a_partition_too(world: Snapshot) -> None:
    graph = ConstraintGraph()
    drawn = draw(infer(world, graph), graph, np.random.default_rng(0), 0.7)
    assert drawn.shape == (80,)


def test_known_labels_win_over_the_draw_and_spread_to_the_rest_of_its_groups(world: Snapshot) -> None:
    drawn = np.array(LABELS)
    some = {int(item): f"kind {label}" for item, label in zip(world.ids[::3], LABELS[::3], strict=True)}
    assert pair_f1(known(world, drawn, some), drawn) == 1.0
    assert known(world, drawn, {}) is drawn


def test_a_subsample_keeps_the_items_asked_about_and_stays_a_snapshot(world: Snapshot) -> None:
    said = truthful(world, 3)
    small = subsample(world, said, 30, seed=1)
    assert len(small.ids) == 30
    assert {item for one in said for item in (one.a, one.b)} <= set(small.ids.tolist())
    assert (np.diff(small.ids) > 0).all()
    assert small.neighbours.max() < 30
    assert all(row not in near for row, near in enumerate(small.neighbours.tolist()))
    assert forecast(world, said, Plan(screens=4, draws=1, most_items=30)).of_items == 80


PARTITION = st.lists(st.integers(0, 3), min_size=3, max_size=14)


@given(PARTITION, st.data())
def test_pair_f1_equals_counting_pairs(truth: list[int], data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.integers(0, 3), min_size=len(truth), max_size=len(truth)))
    pairs = [(i, j) for i in range(len(truth)) for j in range(i)]
    one = {pair for pair in pairs if truth[pair[0]] == truth[pair[1]]}
    other = {pair for pair in pairs if labels[pair[0]] == labels[pair[1]]}
    whole = len(one) + len(other)
    assert pair_f1(np.array(truth), np.array(labels)) == pytest.approx(2 * len(one & other) / whole if whole else 1.0)


@given(PARTITION, st.permutations(range(4)))
def test_renaming_groups_moves_nobody(labels: list[int], names: list[int]) -> None:
    before = np.array(labels)
    assert not moved(before, np.array(names)[before]).any()


def test_an_item_that_changes_sides_has_moved_and_only_that_one() -> None:
    before = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    after = before.copy()
    after[3] = 1
    assert moved(before, after).tolist() == [False, False, False, True, False, False, False, False]


def test_a_replay_goes_on_from_an_earlier_one(world: Snapshot) -> None:
    said = truthful(world, 12)
    first = replay(world, [one for one in said if one.answer <= 7])
    whole = replay(world, said, known={one.answer: one for one in first})
    assert whole[:7] == first
    assert [one.answer for one in whole] == list(range(1, 13))
    assert [one.answer for one in replay(world, said, last=5)] == [8, 9, 10, 11, 12]


def test_in_a_very_large_collection_answers_are_looked_at_a_few_at_a_time(
    world: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oracle.changes.LARGE", 10)
    said = truthful(world, 12)
    assert Watch(world, said).stops == [5, 10, 12]
    assert [one.answer for one in replay(world, said)] == list(range(1, 13))


def test_an_answer_that_says_what_is_known_changes_nothing(world: Snapshot) -> None:
    said = truthful(world, 8)
    again = [say(99, one.a, one.b, one.verdict, source="ben") for one in said if one.answer == 8]
    assert not replay(world, [*said, *again])[-1].changed


def test_a_forecast_starts_from_what_the_audits_say(world: Snapshot) -> None:
    f1 = Estimate(0.8, 0.7, 0.9, 20, 240)
    found = forecast(world, truthful(world, 6), Plan(screens=2, draws=5), f1=f1)
    assert found.points[0].low < found.points[0].high
    assert found.points[0].f1 == pytest.approx(0.8, abs=0.15)


def test_where_no_audit_speaks_the_draws_spread_over_all_the_belief_allows(world: Snapshot) -> None:
    said = truthful(world, 6)
    blind = forecast(world, said, Plan(screens=2, draws=5)).points[0]
    told = forecast(world, said, Plan(screens=2, draws=5), f1=Estimate(0.9, 0.88, 0.92, 40, 480)).points[0]
    assert blind.high - blind.low > told.high - told.low


def test_the_band_is_that_of_the_draws_widened_and_its_middle_is_theirs(world: Snapshot) -> None:
    said = truthful(world, 6)
    alone, shown = (forecast(world, said, replace(PLAN, wider=wider)).points for wider in (False, True))
    assert [one.f1 for one in shown] == [one.f1 for one in alone]
    assert [(one.low, one.high) for one in shown] == [widened(one.low, one.high, one.screens) for one in alone]
    assert any(one.low < other.low for one, other in zip(shown, alone, strict=True))


def test_where_the_truth_is_known_the_band_is_what_the_runs_did(world: Snapshot) -> None:
    said, labels = truthful(world, 3), labelled(world)
    alone, shown = (forecast(world, said, replace(PLAN, wider=one), labels=labels) for one in (False, True))
    assert shown == alone


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 300), st.integers(0, 300))
def test_a_widened_band_holds_the_narrow_one_and_grows_with_the_distance(
    one: float, other: float, near: int, far: int
) -> None:
    low, high = sorted((one, other))
    near, far = sorted((near, far))
    bands = [(low, high), widened(low, high, near), widened(low, high, far)]
    for (inner, upper), (outer, top) in pairwise(bands):
        assert 0 <= outer <= inner + 1e-12
        assert upper - 1e-12 <= top <= 1
    assert widened(low, high, 0) == pytest.approx((low, high), abs=1e-12)


def test_far_ahead_the_band_is_widened_in_full() -> None:
    assert widened(0.8, 0.9, int(FAR)) == pytest.approx((1 - 0.2 * WORSE, 1 - 0.1 * BETTER))
    assert widened(0.8, 0.98, 200)[1] == 1.0  # nearly there may be there


def test_the_need_is_where_the_middle_and_the_ends_of_the_band_reach_the_target() -> None:
    points = [Point(0, 0.0, 0.5, 0.4, 0.6), Point(10, 100.0, 0.7, 0.5, 0.9), Point(20, 200.0, 0.9, 0.7, 0.95)]
    found = needed(points, 0.8, 2)
    assert (found.screens, found.seconds, found.high, found.reached) == (pytest.approx(15), pytest.approx(150), None, 2)
    assert found.low == pytest.approx(10 * 2 / 3)
    assert needed(points, 0.3, 3).high == 0.0
    assert needed(points, 0.99, 0).low is None


def test_a_band_without_end_says_more_than_was_played() -> None:
    points = [Point(0, 0.0, 0.9, 0.4, 0.99), Point(20, 120.0, 0.96, 0.5, 1.0)]
    words = in_words(needed(points, 0.95, 2), Plan(screens=20), points[-1])
    assert "about 17 more screens (0 to more than 20)" in words
    assert "2 minutes" in words

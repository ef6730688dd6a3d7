"""When to stop: the formula of the rule, and sentences that say what it means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.quality import Estimate
from oracle.remaining import misplaced, remaining, slopes
from oracle.stopping import advice, any_of, weighted_mean

FLAGS = st.lists(st.booleans(), max_size=150)


@given(FLAGS)
def test_the_mean_is_the_sum_written_out(changed: list[bool]) -> None:
    keep = 19 / 21
    tail = sum((1 - keep) * keep ** (len(changed) - 1 - place) * one for place, one in enumerate(changed))
    assert weighted_mean(changed) == pytest.approx(keep ** len(changed) + tail)


def test_the_advice_to_stop_comes_after_seventy_three_quiet_answers() -> None:
    assert not advice([True] * 30 + [False] * 72).stop
    assert advice([True] * 400 + [False] * 73).stop


@given(FLAGS)
def test_one_more_change_never_brings_the_end_nearer(changed: list[bool]) -> None:
    assert advice([*changed, True]).ahead >= advice([*changed, False]).ahead
    assert any_of(weighted_mean(changed)) == pytest.approx(1 - (1 - weighted_mean(changed)) ** 72)


@given(FLAGS)
def test_the_chance_lies_within_its_interval(changed: list[bool]) -> None:
    found = advice(changed)
    assert 0 <= found.low <= found.mean <= found.high <= 1


@pytest.mark.parametrize(
    ("changed", "f1", "said"),
    [
        ([], None, "Too early to say: no answer"),
        ([True] * 15 + [False] * 5, None, "15 of the last 20 answers"),
        ([True] * 30 + [False] * 25, None, "not long enough"),
        ([False] * 120, None, "no audit answer says"),
        ([False] * 120, (0.96, 0.99), "the audits agree"),
        ([False] * 120, (0.5, 0.8), "below 95 % all the same"),
        ([False] * 120, (0.9, 0.99), "neither confirm nor deny"),
    ],
)
def test_the_advice_is_a_plain_sentence(changed: list[bool], f1: tuple[float, float] | None, said: str) -> None:
    assert said in advice(changed, f1=f1).words


def test_what_is_left_follows_from_a_steady_pace() -> None:
    doubt = 0.4 * np.exp(-0.02 * np.arange(40))
    f1 = Estimate(0.6, 0.5, 0.7, 20, 200)
    found = remaining(doubt.tolist(), f1)
    assert slopes(doubt.tolist()) == pytest.approx((0.02, 0.02, 0.02))
    assert found.value == pytest.approx(np.log(misplaced(0.6) / misplaced(0.95)) / 0.02)
    assert found.low < found.value < found.high


def test_nothing_is_left_once_the_target_is_reached() -> None:
    found = remaining([0.1] * 30, Estimate(0.97, 0.96, 0.98, 40, 400))
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_a_standstill_gives_no_number_but_a_reason() -> None:
    found = remaining([0.3] * 30, Estimate(0.6, 0.5, 0.7, 20, 200))
    assert found.value is None and found.high is None
    assert "forecast" in found.reason


def test_an_unknown_start_gives_no_number_but_its_reason() -> None:
    found = remaining([0.3] * 30, Estimate(None, None, None, 0, 0, "no audit screen was answered yet"))
    assert found.value is None
    assert "no audit screen" in found.reason
    assert "12 answers" in remaining([0.3] * 3, found).reason

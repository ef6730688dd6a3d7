"""Bounds of settings: what they let in, what they say, and that plugins of others may declare theirs."""

import math
from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as some

from db.errors import BadInput
from oracle.bounds import Bounds, Cosine, Count, Fraction, Positive, Share, Weight, plain
from oracle.plugins import checked


@dataclass(frozen=True)
class Plugin:
    tau: Positive = 0.1
    share: Share = 0.5
    momentum: Fraction = 0.9
    count: Count = 3
    odd: Annotated[float, Bounds(0.5, 1, above=True, below=True)] = 0.9
    free: float = 0.0


@given(some.floats(-3, 3), some.floats(-3, 3), some.floats(-3, 3), some.booleans(), some.booleans())
def test_they_hold_what_lies_between(low: float, high: float, value: float, above: bool, below: bool) -> None:
    inside = low <= value <= high and not (above and value == low) and not (below and value == high)
    assert Bounds(low, high, above, below).hold(value) == inside


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_within_bounds(value: float) -> None:
    assert not Bounds().hold(value)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Positive, "a number above 0"), (Weight, "a number at least 0"), (Share, "a number at least 0 and at most 1"),
        (Fraction, "a number at least 0 and below 1"), (Cosine, "a number at least -1 and at most 1"),
        (Count, "a number at least 1"), (Annotated[float, Bounds()], "a number that is finite"),
    ],
)  # fmt: skip
def test_they_say_themselves(kind: object, words: str) -> None:
    assert str(plain(kind)[1]) == words


@pytest.mark.parametrize(
    "said",
    [{"tau": "0"}, {"tau": -1.0}, {"share": "1.01"}, {"momentum": "1"}, {"count": "0"}, {"count": -2}, {"odd": "0.5"},
     {"odd": 1}, {"tau": "nan"}, {"tau": "inf"}],
)  # fmt: skip
def test_settings_out_of_bounds_are_refused_as_text_and_as_numbers(said: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=rf"{next(iter(said))} of the plugin = a number .* expected, got "):
        checked(Plugin, "the plugin", dict(said))


def test_settings_within_bounds_come_in_with_their_type() -> None:
    said = {"tau": "0.2", "share": "1", "momentum": "0", "count": "7", "odd": 0.6, "free": "nan"}
    found = checked(Plugin, "the plugin", dict(said))
    assert (found["tau"], found["share"], found["momentum"], found["count"], found["odd"]) == (0.2, 1.0, 0.0, 7, 0.6)
    assert isinstance(found["count"], int) and math.isnan(found["free"])  # without bounds nothing is said


def test_whole_numbers_stay_whole() -> None:
    with pytest.raises(BadInput, match=r"count of the plugin = int expected, got '2\.5'"):
        checked(Plugin, "the plugin", {"count": "2.5"})

"""Shares of the same among drawn pairs: by hand, against scipy, and the laws they obey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from db.nouns import Verdict
from oracle.grading import graded, jeffreys

SAME, DIFFERENT = Verdict.SAME, Verdict.DIFFERENT


def test_pairs_count_as_often_as_they_were_drawn() -> None:
    found = graded([3, 1, 2, 4], [SAME, DIFFERENT, SAME, None])
    assert found.value == pytest.approx(5 / 6)
    assert (found.known, found.pairs) == (3, 4)
    size = (3 + 1 + 2) ** 2 / (9 + 1 + 4)  # Kish
    low, high = beta.ppf([0.05, 0.95], 5 / 6 * size + 0.5, size / 6 + 0.5)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_what_nobody_could_say_is_not_known() -> None:
    found = graded([1, 1, 1], [None, Verdict.UNSURE, Verdict.NOT_COMPARABLE])
    assert (found.value, found.low, found.high, found.known, found.pairs) == (None, 0.0, 1.0, 0, 3)
    assert graded([], []).pairs == 0


def test_an_interval_ends_where_the_share_does() -> None:
    assert jeffreys(0.0, 10)[0] == 0.0 and 0.1 < jeffreys(0.0, 10)[1] < 0.2
    assert jeffreys(1.0, 10)[1] == 1.0 and 0.8 < jeffreys(1.0, 10)[0] < 0.9


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([SAME, DIFFERENT, None])), min_size=1, max_size=40))
def test_order_is_irrelevant_and_the_interval_holds_the_share(rows: list[tuple[int, Verdict | None]]) -> None:
    found = graded([t for t, _ in rows], [v for _, v in rows])
    assert graded([t for t, _ in rows[::-1]], [v for _, v in rows[::-1]]) == found
    if found.value is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.floats(0, 1), st.floats(1, 1000))
def test_more_draws_never_widen_the_interval(share: float, size: float) -> None:
    (low, high), (lower, higher) = jeffreys(share, 2 * size), jeffreys(share, size)
    assert high - low <= higher - lower + 1e-9

"""Steering a search: laws of Rocchio's formula on the sphere."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.snapshot import unit
from trainer.steering import DISLIKE, KEEP, LIKE, queries, steered


def rows(seed: int, count: int, width: int = 6) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32))


NONE = rows(0, 0)
SEEDS = st.integers(0, 100_000)


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(0, 5), st.integers(0, 5))
def test_it_is_the_formula_by_a_plain_loop(seed: int, likes: int, dislikes: int) -> None:
    query, liked, disliked = rows(seed, 1)[0], rows(seed + 1, likes), rows(seed + 2, dislikes)
    wanted = [KEEP * float(q) for q in query]
    for at in range(6):
        wanted[at] += LIKE * sum(float(one[at]) for one in liked) / likes if likes else 0.0
        wanted[at] -= DISLIKE * sum(float(one[at]) for one in disliked) / dislikes if dislikes else 0.0
    length = sum(x * x for x in wanted) ** 0.5
    np.testing.assert_allclose(steered(query, liked, disliked), np.array(wanted) / length, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(SEEDS)
def test_what_is_liked_comes_nearer_and_what_is_not_goes_away(seed: int) -> None:
    query, liked, disliked = rows(seed, 1)[0], rows(seed + 1, 1), rows(seed + 2, 1)
    assert steered(query, liked, NONE) @ liked[0] >= query @ liked[0] - 1e-6
    assert steered(query, NONE, disliked) @ disliked[0] <= query @ disliked[0] + 1e-6


def test_nothing_that_steers_leaves_the_query() -> None:
    query = rows(4, 1)[0]
    np.testing.assert_allclose(steered(query, NONE, NONE), query, atol=1e-6)


def test_liked_alone_are_a_query_and_nothing_at_all_is_no_direction() -> None:
    liked = rows(5, 3)
    np.testing.assert_allclose(steered(None, liked, NONE), unit(liked.mean(axis=0, keepdims=True))[0], atol=1e-6)
    assert not steered(None, NONE, NONE).any()


def test_the_order_and_a_repetition_of_all_liked_change_nothing() -> None:
    query, liked, disliked = rows(6, 1)[0], rows(7, 4), rows(8, 3)
    once = steered(query, liked, disliked)
    np.testing.assert_allclose(steered(query, liked[::-1], disliked[::-1]), once, atol=1e-6)
    np.testing.assert_allclose(steered(query, np.concatenate([liked, liked]), disliked), once, atol=1e-6)


def test_several_queries_are_their_middle_direction() -> None:
    several = rows(9, 3)
    found = queries(list(several))
    assert found is not None and abs(float(np.linalg.norm(found)) - 1) < 1e-6
    np.testing.assert_allclose(found, unit(several.mean(axis=0, keepdims=True))[0], atol=1e-6)
    assert queries([]) is None

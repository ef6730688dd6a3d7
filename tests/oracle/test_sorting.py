"""Sorting from placements: exact held-out predictions, nothing depends on the order, silence is no negative."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from oracle.belonging import Novelty, novelty
from oracle.bins import unit
from oracle.picking import picking
from oracle.sorting import Costs, Sorter
from oracle.stacking import fitted, loss
from oracle.steady import Steady

DIM = 12


def blobs(
    things: int = 60, bins: int = 3, spread: float = 0.5, seed: int = 0, views: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """(things, views, DIM) features around the centres of their bins, and (things,) bins."""
    random = np.random.default_rng(seed)
    centres = 3 * np.random.default_rng(7).random((bins, DIM))
    truth = np.arange(things) % bins
    own = centres[truth] + spread * random.normal(size=(things, DIM))
    return np.abs(own[:, None] + 0.2 * spread * random.normal(size=(things, views, DIM))).astype(np.float32), truth


def taught(features: np.ndarray, truth: np.ndarray, order: np.ndarray | None = None) -> Sorter:
    """A sorter that saw every thing and was told about each, in this order."""
    sorter = Sorter(features.shape[2])
    for thing in range(len(truth)) if order is None else order.tolist():
        for view in features[thing]:
            sorter.see(thing, view)
        sorter.put(thing, f"bin {truth[thing]}")
    return sorter


def chances(sorter: Sorter, view: np.ndarray) -> dict[str, float]:
    return dict(sorter.look(unit(view)[None], Costs()).ranking)


# Ridge


def rows_of(seed: int, count: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(seed=some.integers(0, 99), count=some.integers(4, 90), gone=some.lists(some.integers(0, 10**6), max_size=5))
def test_rows_in_and_out_one_by_one_equal_a_fit_from_scratch(seed: int, count: int, gone: list[int]) -> None:
    model, rows = Steady(DIM, 0.1), list(rows_of(seed, count))
    for row in rows:
        model.add(row)
    for one in gone[: count - 3]:
        at = one % len(rows)
        assert model.drop(at) == len(rows) - 1
        rows[at] = rows[-1]
        rows.pop()
    left = np.array(rows)
    wanted = np.linalg.inv(left.astype(float) @ left.T + 0.1 * np.eye(len(left)))
    assert np.allclose(model.inverse, wanted, atol=1e-5) and np.allclose(model.products, left @ left.T, atol=1e-5)


def test_held_out_predictions_are_those_of_a_model_that_never_saw_the_thing() -> None:
    rows, owner = rows_of(3, 30), np.repeat(np.arange(10), 3)[np.random.default_rng(0).permutation(30)]
    targets = np.eye(3)[owner % 3]
    model = Steady(DIM, 0.2)
    for row in rows:
        model.add(row)
    found = model.held_out(targets, owner)
    for one in range(10):
        rest = Steady(DIM, 0.2)
        for row in rows[owner != one]:
            rest.add(row)
        weights, intercept = rest.fit(targets[owner != one])
        assert np.allclose(found[owner == one], rows[owner == one] @ rest.rows.T @ weights + intercept, atol=1e-5)


# Stacking


@settings(max_examples=25, deadline=None)
@given(seed=some.integers(0, 999))
def test_fitted_weights_are_no_worse_than_the_prior_nor_than_their_neighbours(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, 40)
    scores = random.normal(size=(3, 40, 4)) + np.array([2.0, 0.5, 0.0])[:, None, None] * np.eye(4)[truth]
    prior = np.array([1.0, 1.0, 1.0])
    weights = fitted(scores, truth, prior)
    best = loss(scores, truth, weights, prior, 10.0)
    assert (weights >= 0).all() and best <= loss(scores, truth, prior, prior, 10.0)
    for step in 0.02 * np.vstack([np.eye(3), -np.eye(3)]):
        assert best <= loss(scores, truth, np.maximum(weights + step, 0), prior, 10.0) + 1e-3


# What was never said


@settings(max_examples=50, deadline=None)
@given(some.floats(0, 1), some.floats(0, 1), some.floats(-1, 1), some.floats(-1, 1), some.floats(0.01, 0.99))
def test_the_more_a_thing_is_like_a_bin_the_less_it_is_new(
    a: float, b: float, own: float, other: float, rate: float
) -> None:
    model = Novelty((own, 0.1), (other, 0.1), rate)
    low, high = sorted((a, b))
    assert 0 <= model.chance(high) <= model.chance(low) + 1e-12 <= 1 + 1e-12


def test_novelty_follows_how_often_bins_were_founded() -> None:
    alike, unlike = np.full(9, 0.9), np.full(9, 0.5)
    often, seldom = (novelty(alike, unlike, np.array(founded)) for founded in ([True] * 5 + [False] * 4, [False] * 9))
    assert often.chance(0.7) > seldom.chance(0.7) and seldom.chance(0.9) < 0.05 < seldom.chance(0.5)


def test_one_bin_alone_ranks_what_belongs_first_though_nothing_else_was_said() -> None:
    features, truth = blobs(120)
    things = np.array([unit(one[0]) for one in features])
    belongs = truth == 0
    picked, waiting = things[belongs][:15], np.concatenate([things[belongs][15:], things[~belongs]])
    model = picking(picked, waiting)
    found = model.chances(waiting)
    assert found[:25].mean() > 0.6 > 0.2 > found[25:].mean(), "unpicked things that belong are no negatives"
    assert ((found >= 0) & (found <= 1)).all()


# The sorter


def test_it_sorts_what_it_was_never_told_about() -> None:
    features, truth = blobs(90)
    sorter = taught(features[:45], truth[:45])
    right = [
        max(found, key=lambda name: found[name]) == f"bin {truth[at]}"
        for at in range(45, 90)
        if (found := chances(sorter, features[at, 0]))
    ]
    assert np.mean(right) > 0.9


def test_confidence_is_about_as_high_as_accuracy() -> None:
    features, truth = blobs(700, bins=4, spread=1.1)
    sorter = taught(features[:300], truth[:300])
    found = [sorter.look(unit(one[0])[None], Costs()) for one in features[300:]]
    right = np.mean([one.bin == f"bin {own}" for one, own in zip(found, truth[300:], strict=True)])
    sure = np.mean([one.confidence for one in found])
    assert 0.5 < right < 0.97 and sure == pytest.approx(right, abs=0.06)
    high = [one.bin == f"bin {own}" for one, own in zip(found, truth[300:], strict=True) if one.confidence > 0.9]
    assert np.mean(high) > 0.88


@settings(max_examples=8, deadline=None)
@given(seed=some.integers(0, 99))
def test_the_order_of_what_was_said_leaves_no_trace(seed: int) -> None:
    features, truth = blobs(24, views=2)
    order = np.concatenate([np.arange(3), 3 + np.random.default_rng(seed).permutation(21)])
    one, other = taught(features, truth), taught(features, truth, order)
    probe = blobs(6, seed=5)[0][:, 0]
    for view in probe:
        assert chances(one, view) == pytest.approx(chances(other, view), abs=1e-4)


def test_a_correction_equals_having_said_it_so_from_the_start() -> None:
    features, truth = blobs(30)
    wrong = truth.copy()
    wrong[7], wrong[11] = (truth[7] + 1) % 3, (truth[11] + 1) % 3
    corrected = taught(features, wrong)
    corrected.put(7, f"bin {truth[7]}")
    corrected.put(11, None)
    corrected.put(11, f"bin {truth[11]}")
    plain = taught(features, truth)
    for view in blobs(6, seed=5)[0][:, 0]:
        assert chances(corrected, view) == pytest.approx(chances(plain, view), abs=1e-3)


def test_chances_of_all_bins_and_of_none_are_one_together() -> None:
    features, truth = blobs(40)
    found = taught(features, truth).look(unit(features[0, 0])[None], Costs())
    assert sum(chance for _, chance in found.ranking) + found.new == pytest.approx(1)


def test_asking_pays_less_the_dearer_a_question_is() -> None:
    features, truth = blobs(60, spread=1.2)
    sorter = taught(features[:30], truth[:30])

    def asked(costs: Costs) -> int:
        return sum(sorter.look(unit(one[0])[None], costs).action == "ask" for one in features[30:])

    assert asked(Costs(1, 100)) >= asked(Costs(4, 20)) >= asked(Costs(19, 20)) >= asked(Costs(20, 20)) == 0


def test_before_anything_is_known_everything_is_new_and_a_known_thing_stays_where_it_was_put() -> None:
    sorter = Sorter(DIM)
    view = np.ones(DIM, np.float32)
    sorter.see("a", view)
    assert sorter.place("a").action == "new"
    sorter.put("a", "left")
    assert (sorter.place("a").bin, sorter.place("a").known) == ("left", True)
    with pytest.raises(KeyError):
        sorter.place("never seen")
    with pytest.raises(ValueError, match="12 finite numbers"):
        sorter.see("b", np.full(DIM, np.nan, np.float32))


def test_views_of_one_thing_never_testify_for_each_other() -> None:
    """Two things with many near-equal views in different bins: held out by thing, nothing is known of either bin."""
    random = np.random.default_rng(0)
    features = np.abs(random.normal(size=(6, 1, DIM)) + 0.01 * random.normal(size=(6, 8, DIM))).astype(np.float32)
    sorter = taught(features, np.array([0, 1, 0, 1, 0, 1]))
    sure = [sorter.look(unit(one)[None], Costs()).confidence for one in np.abs(random.normal(size=(30, DIM)))]
    assert np.mean(sure) < 0.8, "noise is not learnt with confidence"


def test_only_so_much_is_remembered_and_bins_keep_their_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oracle.sorting.MOST", 20)
    features, truth = blobs(50)
    sorter = taught(features, truth)
    assert sorter._model.size == 20 and sum(sorter.bins.counts.values()) == 50
    assert max(chances(sorter, features[1, 0]), key=lambda name: chances(sorter, features[1, 0])[name]) == "bin 1"


def test_a_session_with_one_bin_tells_what_belongs_from_what_is_new() -> None:
    features, truth = blobs(120)
    sorter = Sorter(DIM)
    for thing in range(90):
        sorter.see(thing, features[thing, 0])
        if truth[thing] == 0 and thing % 2:
            sorter.put(thing, "keep")
    found = [sorter.look(unit(one[0])[None], Costs()) for one in features[90:]]
    assert {one.bin for one in found} == {"keep"}
    new = np.array([one.new for one in found])
    assert new[truth[90:] == 0].mean() < 0.45 < 0.75 < new[truth[90:] != 0].mean()

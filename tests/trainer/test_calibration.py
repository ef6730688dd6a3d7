"""The logistic curve through audit answers: against scikit-learn, closed forms and its own laws."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from db.errors import BadInput
from trainer.calibration import Calibration, Prior

FLAT = Prior(0.0, 0.0, 1e6, 1e6)
SEEDS = st.integers(0, 10_000)


def audits(seed: int, count: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    score = rng.uniform(-1, 1, count)
    return score, rng.random(count) < expit(4 * score - 1), rng.uniform(0.2, 5, count)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_without_a_prior_it_is_scikit_learns_weighted_regression(seed: int) -> None:
    score, same, weight = audits(seed)
    scaled = weight * weight.sum() / (weight**2).sum()
    theirs = LogisticRegression(C=1e10, tol=1e-10, max_iter=10_000).fit(score[:, None], same, sample_weight=scaled)
    ours = Calibration.fit(score, same, weight, prior=FLAT)
    assert (ours.slope, ours.shift) == pytest.approx((theirs.coef_[0, 0], theirs.intercept_[0]), rel=1e-3, abs=1e-3)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_with_a_prior_it_is_scikit_learns_ridge(seed: int) -> None:
    """Slope and shift with the same prior: a constant column in place of the unpunished intercept; C = sd^2."""
    score, same, _ = audits(seed, 30)
    table = np.stack([score, np.ones(30)], axis=1)
    theirs = LogisticRegression(C=4.0, fit_intercept=False, tol=1e-12, max_iter=10_000).fit(table, same)
    ours = Calibration.fit(score, same, prior=Prior(0.0, 0.0, 2.0, 2.0))
    assert (ours.slope, ours.shift) == pytest.approx(tuple(theirs.coef_[0]), abs=1e-3)


def test_two_scores_have_a_closed_form() -> None:
    score = np.array([0.0] * 10 + [1.0] * 10)
    same = np.arange(20) % 10 < np.where(score > 0, 8, 3)
    found = Calibration.fit(score, same, prior=FLAT)
    assert (found.shift, found.slope) == pytest.approx((logit(0.3), logit(0.8) - logit(0.3)), abs=1e-6)
    assert found.probability(np.array([0.0, 1.0])) == pytest.approx([0.3, 0.8], abs=1e-6)


def test_answers_that_are_wrong_at_a_known_rate_are_seen_through() -> None:
    """With q = eps + (1 - 2 eps) p, a share of 0.3 and 0.8 means p = (q - eps) / (1 - 2 eps)."""
    score = np.array([0.0] * 10 + [1.0] * 10)
    same = np.arange(20) % 10 < np.where(score > 0, 8, 3)
    found = Calibration.fit(score, same, error=0.1, prior=FLAT)
    assert found.probability(np.array([0.0, 1.0])) == pytest.approx([0.25, 0.875], abs=1e-6)


@given(SEEDS, st.booleans(), st.integers(1, 12))
def test_few_or_one_sided_audits_stay_finite(seed: int, verdict: bool, count: int) -> None:
    score = np.random.default_rng(seed).uniform(-1, 1, count)
    found = Calibration.fit(score, np.full(count, verdict))
    assert np.isfinite([found.slope, found.shift]).all()
    assert 0 < found.probability(0.3 * np.ones(1))[0] < 1
    assert abs(found.probability(score).mean() - verdict) < 0.4


def test_no_audit_leaves_the_prior() -> None:
    found = Calibration.fit(np.empty(0), np.empty(0, bool), prior=Prior(5.0, -2.0, 1.0, 1.0))
    assert (found.slope, found.shift, found.answers) == (5.0, -2.0, 0)


@given(SEEDS, st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_only_ratios_of_weights_and_no_order_matter(seed: int, factor: float) -> None:
    score, same, weight = audits(seed, 40)
    turned = np.random.default_rng(seed).permutation(40)
    one = Calibration.fit(score, same, weight)
    other = Calibration.fit(score[turned], same[turned], factor * weight[turned])
    assert (one.slope, one.shift, one.worth) == pytest.approx((other.slope, other.shift, other.worth), rel=1e-6)


def test_uneven_weights_are_worth_fewer_answers() -> None:
    score, same, _ = audits(0, 50)
    weight = np.where(np.arange(50) < 5, 100.0, 1.0)
    assert Calibration.fit(score, same).worth == pytest.approx(50)
    assert Calibration.fit(score, same, weight).worth < 8


def test_the_curve_is_the_top_of_its_own_objective() -> None:
    score, same, weight = audits(3)
    error, prior = np.full(200, 0.15), Prior(1.0, 0.0, 2.0, 2.0)
    found = Calibration.fit(score, same, weight, error=error, prior=prior)
    scaled = weight * weight.sum() / (weight**2).sum()

    def height(slope: float, shift: float) -> float:
        told = 0.15 + 0.7 * expit(slope * score + shift)
        likely = float(scaled @ np.where(same, np.log(told), np.log(1 - told)))
        return likely - (slope - 1) ** 2 / 8 - shift**2 / 8

    top = height(found.slope, found.shift)
    for step in (1e-3, 1e-2, 0.3):
        for a, b in ((step, 0), (-step, 0), (0, step), (0, -step)):
            assert height(found.slope + a, found.shift + b) < top


def test_tensors_and_arrays_give_the_same_chances() -> None:
    found = Calibration(3.0, -1.0)
    score = np.linspace(-1, 1, 7)
    np.testing.assert_allclose(found.probability(torch.from_numpy(score)).numpy(), found.probability(score))


@pytest.mark.parametrize(
    ("score", "weight", "error", "says"),
    [
        (np.zeros(3), np.ones(2), 0.0, r"\(M,\)"),
        (np.array([0.0, np.nan]), np.ones(2), 0.0, "finite"),
        (np.zeros(2), np.array([1.0, 0.0]), 0.0, "above 0"),
        (np.zeros(2), np.ones(2), 0.5, "below 0.5"),
    ],
)
def test_what_cannot_be_used_is_refused(score: np.ndarray, weight: np.ndarray, error: float, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Calibration.fit(score, np.zeros(len(score), bool), weight, error=error)

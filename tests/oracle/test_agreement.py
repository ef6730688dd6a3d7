import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.agreement import FEW, LAMBDAS, leaning

EVEN = np.array([0.5, 0.5])


def _world(seed: int, *, agree: bool, items: int = 400, clusters: int = 8):
    """Clusters of one group each, or of both groups; the kernel knows nothing. Forty asked items."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, clusters, items)
    truth = start % 2 if agree else rng.integers(0, 2, items)
    rows = np.sort(rng.choice(items, 40, replace=False))
    return start, truth, rows, np.tile(EVEN, (items, 1)), np.tile(EVEN, (len(rows), 1))


def test_a_cluster_lends_its_group_to_items_the_kernel_knows_nothing_of():
    start, truth, rows, chance, prior = _world(0, agree=True)
    assert (leaning(chance, start, rows, truth[rows], prior).argmax(1) == truth).all()


def test_where_answers_cut_through_the_clusters_the_kernel_decides():
    start, truth, rows, _, _ = _world(1, agree=False)
    chance = np.where(truth[:, None] == [0, 1], 0.8, 0.2)
    leant = leaning(chance, start, rows, truth[rows], chance[rows])
    assert (leant.argmax(1) == truth).mean() > 0.97


@pytest.mark.parametrize("exponent", LAMBDAS)
def test_chances_are_those_of_the_formula(exponent, monkeypatch):
    monkeypatch.setattr("oracle.agreement._fitted", lambda *_: float(exponent))
    start, rows, group = np.array([0, 0, 1, 1, 1]), np.array([0, 2]), np.array([0, 1])
    chance = np.array([[0.7, 0.3], [0.6, 0.4], [0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])
    leant = leaning(chance, start, rows, group, chance[rows])
    for item, cluster in enumerate(start):
        alike = start == cluster
        expected = (chance[alike].sum(0) + 1e-3) / (chance[alike].sum() + 2e-3)
        held = [sum(group[start[rows] == cluster] == one) for one in (0, 1)]
        share = np.array([(h + FEW * e) / (sum(held) + FEW) for h, e in zip(held, expected, strict=True)])
        wanted = chance[item] * share**exponent
        np.testing.assert_allclose(leant[item], wanted / wanted.sum(), rtol=1e-12)


@given(seed=st.integers(0, 10_000), groups=st.integers(1, 5), asked=st.integers(0, 12))
def test_rows_stay_chances_and_the_input_stays_as_it_was(seed, groups, asked):
    rng = np.random.default_rng(seed)
    chance = rng.dirichlet(np.ones(groups), 30).astype(np.float32)
    start, rows = rng.integers(0, 4, 30), rng.choice(30, asked, replace=False)
    before = chance.copy()
    leant = leaning(chance, start, rows, rng.integers(0, groups, asked), chance[rows])
    assert np.isfinite(leant).all() and (leant >= 0).all()
    np.testing.assert_allclose(leant.sum(1), 1.0, rtol=1e-5)
    assert (chance == before).all()

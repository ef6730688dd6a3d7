"""The non-negative PU risk against plain loops, and its correction."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import BadInput
from tests.trainer.pools import gradients, make_pool, random_pool, turned
from trainer.objectives.nnpu import Objective, non_negative
from trainer.pool import Pool


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def in_loops(pool: Pool, ours: Objective, prior: float) -> tuple[float, float]:
    """The positive and the negative part of the risk, and the confirmed negatives in the first. Pair by pair."""
    risk = {"positive": 0.0, "flipped": 0.0, "unlabelled": 0.0, "confirmed": 0.0}
    total = {"pos": 0.0, "neg": 0.0, "confirmed": 0.0}
    for i in range(len(pool.anchors)):
        for j in range(len(pool.keys)):
            f = ((pool.anchors[i] @ pool.keys[j]).item() - ours.cut) / ours.temperature
            p, u, k = pool.pos[i, j].item(), pool.neg[i, j].item(), pool.confirmed[i, j].item()
            risk["positive"] += p * sigmoid(-f)
            risk["flipped"] += p * sigmoid(f)
            risk["unlabelled"] += u * sigmoid(f)
            risk["confirmed"] += k * sigmoid(f)
            total["pos"], total["neg"], total["confirmed"] = total["pos"] + p, total["neg"] + u, total["confirmed"] + k
    negative = risk["unlabelled"] / total["neg"] - prior * risk["flipped"] / total["pos"]
    known = ours.known * risk["confirmed"] / total["confirmed"]
    return prior * risk["positive"] / total["pos"] + known, negative


@pytest.mark.parametrize("prior", [0.05, 0.3])
def test_the_risk_is_the_papers_formula_pair_by_pair(prior: float) -> None:
    for seed in range(4):
        pool, ours = random_pool(seed), Objective(prior=prior, temperature=0.5, cut=0.2, known=0.7)
        positive, negative = in_loops(pool, ours, prior)
        assert negative > 0
        assert ours(pool).item() == pytest.approx(positive + negative, abs=1e-12)


def test_the_pools_own_share_of_false_negatives_is_the_prior() -> None:
    pool = random_pool(1)
    share = torch.linspace(0.1, 0.3, 7, dtype=torch.float64)
    value = Objective(prior=0.9)(replace(pool, tau_plus=share))
    assert value.item() == pytest.approx(Objective(prior=0.2)(pool).item(), abs=1e-12)


def test_where_the_negative_part_overshoots_the_risk_stays_and_the_step_goes_up_it() -> None:
    pool, ours = random_pool(2), Objective(prior=0.95, temperature=0.5, cut=0.2, known=0.0, gamma=0.5, slack=0.01)
    positive, negative = in_loops(pool, ours, 0.95)
    assert negative < -0.01
    value = ours(pool)
    assert value.item() == pytest.approx(positive - 0.01, abs=1e-12)
    margin = (pool.anchors @ pool.keys.T - 0.2) / 0.5
    push = torch.sigmoid(margin)
    rest = (pool.neg * push).sum() / pool.neg.sum() - 0.95 * (pool.pos * push).sum() / pool.pos.sum()
    for mine, upward in zip(gradients(value, pool), gradients(-0.5 * rest, pool), strict=True):
        torch.testing.assert_close(mine, upward, rtol=0, atol=1e-12)


def test_a_step_of_the_correction_raises_the_negative_part() -> None:
    pool, ours = random_pool(2), Objective(prior=0.95, temperature=0.5, cut=0.2, known=0.0)
    to_anchors, _ = gradients(ours(pool), pool)
    stepped = replace(pool, anchors=pool.anchors.detach() - 0.05 * to_anchors)
    assert in_loops(stepped, ours, 0.95)[1] > in_loops(pool, ours, 0.95)[1]


def test_the_correction_alone_in_numbers() -> None:
    def both(negative: float) -> tuple[float, float, float]:
        one, other = torch.tensor(0.4, requires_grad=True), torch.tensor(negative, requires_grad=True)
        value = non_negative(one, other, slack=0.1, gamma=0.5)
        to_one, to_other = torch.autograd.grad(value, (one, other), allow_unused=True)
        return round(value.item(), 6), to_one.item(), to_other.item()

    assert both(0.2) == (0.6, 1.0, 1.0)
    assert both(-0.05) == (0.35, 1.0, 1.0)  # within the slack: the unbiased risk
    assert both(-0.2) == (0.3, 0.0, -0.5)  # beyond: up the negative part, and nothing else


@pytest.mark.parametrize("prior", [0.05, 0.3])
def test_the_slope_agrees_with_differences_where_nothing_is_corrected(prior: float) -> None:
    pool, ours = random_pool(1, batch=4, keys=5, dim=3), Objective(prior=prior, temperature=0.5)
    assert torch.autograd.gradcheck(
        lambda anchors, keys: ours(replace(pool, anchors=anchors, keys=keys)), (pool.anchors, pool.keys)
    )


def test_without_unlabelled_pairs_nothing_is_subtracted() -> None:
    pool = random_pool(1)
    ours = Objective(prior=0.3, known=0.0)
    alone = replace(pool, neg=torch.zeros_like(pool.neg))
    positive = 0.3 * (pool.pos * torch.sigmoid(-(pool.anchors @ pool.keys.T - 0.5) / 0.1)).sum() / pool.pos.sum()
    assert ours(alone).item() == pytest.approx(positive.item(), abs=1e-12)
    assert not any(slope.isnan().any() for slope in gradients(ours(alone), pool))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 0.5, 0.99]), st.sampled_from([0.01, 0.3]), st.booleans())
def test_it_is_finite_never_negative_and_blind_to_the_order_of_keys(
    seed: int, prior: float, tau: float, empty: bool
) -> None:
    pool, ours = random_pool(seed), Objective(prior=prior, temperature=tau)
    pool = replace(pool, pos=torch.zeros_like(pool.pos)) if empty else pool
    value = ours(pool)
    assert value.isfinite() and value.item() >= 0
    assert all(slope.isfinite().all() for slope in gradients(value, pool))
    order = torch.randperm(9, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(ours(turned(pool, order)), value, rtol=1e-10, atol=1e-12)


def test_weight_zero_is_a_gradient_of_exactly_zero() -> None:
    heard = torch.arange(9) != 4
    pool = random_pool(6)
    pool = replace(pool, **{name: getattr(pool, name) * heard for name in ("pos", "neg", "confirmed")})
    _, to_keys = gradients(Objective()(pool), pool)
    assert not to_keys[4].any() and to_keys[heard].any(1).all()


def hidden_cosine(prior: float, steps: int) -> float:
    """Mean cosine of the positives hidden among the unlabelled, after steps of one linear map.

    Two groups with an anchor each; half of a group is labelled, so a third of the unlabelled pairs are positives.
    """
    random, group = torch.Generator().manual_seed(0), torch.arange(42) % 2
    features = torch.randn(42, 8, generator=random, dtype=torch.float64)
    features[:, 0] += 6.0 * group
    features -= features.mean(0)
    own = group[:2, None] == group[None, 2:]
    labelled = own & (torch.arange(40) % 4 < 2)
    turn = torch.eye(8, dtype=torch.float64).requires_grad_()
    optimizer, ours = torch.optim.Adam([turn], lr=0.03), Objective(prior=prior, temperature=0.5)
    for _ in range(steps):
        unit = torch.nn.functional.normalize(features @ turn, dim=1)
        optimizer.zero_grad()
        ours(make_pool(unit[:2], unit[2:], labelled, ~labelled)).backward()
        optimizer.step()
    unit = torch.nn.functional.normalize(features @ turn, dim=1).detach()
    return (unit[:2] @ unit[2:].T)[own & ~labelled].mean().item()


def test_the_right_prior_draws_hidden_positives_near_and_none_at_all_pushes_them_away() -> None:
    start = hidden_cosine(prior=1 / 3, steps=0)
    assert hidden_cosine(prior=1 / 3, steps=50) > start + 0.1
    assert hidden_cosine(prior=1e-6, steps=50) < start - 0.1


@pytest.mark.parametrize(("given", "words"), [({"prior": 0.0}, "prior in"), ({"temperature": -1.0}, "temperature > 0")])
def test_a_setting_that_makes_no_sense_says_which_would(given: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Objective(**given)

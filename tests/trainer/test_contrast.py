"""Laws of the contrastive loss: finite whatever the pool, exact slopes, weight 0 is silence, order does not matter."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from tests.trainer.pools import cast, closed_form, gradients, make_pool, random_pool, turned
from trainer.contrast import log1mexp, log_debiased
from trainer.objectives.contrast import Objective, plain
from trainer.pool import Pool

FORMS = {"all": ("all", "out"), "self": ("self", "out"), "none": ("none", "out"), "in": ("all", "in")}
EVERY_FORM = pytest.mark.parametrize("form", FORMS)
RICH = pytest.mark.parametrize("rich", [False, True], ids=["plain", "rich"])


def objective(form: str, temperature: float = 0.2, **more: Any) -> Objective:
    return Objective(temperature, *FORMS[form], **more)


@EVERY_FORM
@RICH
def test_first_and_second_derivatives_agree_with_differences(form: str, rich: bool) -> None:
    pool = random_pool(1, batch=4, keys=5, dim=3, rich=rich)

    def whole(anchors: Tensor, keys: Tensor) -> Tensor:
        return objective(form, 0.5, blocks=False)(replace(pool, anchors=anchors, keys=keys))

    assert torch.autograd.gradcheck(whole, (pool.anchors, pool.keys))
    assert torch.autograd.gradgradcheck(whole, (pool.anchors, pool.keys))


def test_the_slope_reaches_synthetic_columns_and_weights_that_are_learnt() -> None:
    pool = random_pool(2, batch=4, keys=5, dim=3, rich=True)
    assert pool.synthetic is not None

    def of_columns(made: Tensor, push: Tensor) -> Tensor:
        return objective("self", 0.5)(replace(pool, synthetic=made, neg=push))

    push = (pool.neg + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(of_columns, (pool.synthetic.clone().requires_grad_(), push))


@EVERY_FORM
@RICH
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", [0.01, 0.5])
def test_degenerate_rows_stay_finite(form: str, rich: bool, dtype: torch.dtype, temperature: float) -> None:
    for pool in degenerate(rich):
        pool = cast(pool, dtype)
        for blocks in (True, False):
            value = objective(form, temperature, blocks=blocks)(pool)
            assert value.isfinite() and value.dtype == dtype
            assert all(slope.isfinite().all() for slope in gradients(value, pool))


def degenerate(rich: bool) -> list[Pool]:
    """No positive, no negative, neither, everything both, all keys equal, all opposite, tiny weights, a single key."""
    pool = random_pool(4, rich=rich)
    nothing, one = torch.zeros_like(pool.pos), torch.ones_like(pool.pos)
    no_negative: dict[str, Any] = {"neg": nothing, "confirmed": nothing}
    if rich:
        no_negative |= {"synthetic_weight": torch.zeros(7, 3, dtype=torch.float64)}
    same = pool.anchors[:1].detach().expand(9, 5)
    clamped = {"tau_plus": torch.full((7,), 0.99, dtype=torch.float64)} if rich else {}
    return [
        pool,
        replace(pool, pos=nothing),
        replace(pool, **no_negative),
        replace(pool, pos=nothing, **no_negative),
        replace(pool, pos=one, neg=one, **clamped),
        replace(pool, keys=same, **clamped),
        replace(pool, keys=-same, **clamped),
        replace(pool, pos=one * 1e-30, neg=one * 1e-30),
        turned(pool, torch.tensor([3])),
    ]


@EVERY_FORM
def test_nothing_to_learn_is_exactly_zero(form: str) -> None:
    pool = random_pool(4)
    empty = replace(pool, pos=torch.zeros_like(pool.pos))
    for blocks in (True, False):
        value = objective(form, blocks=blocks)(empty)
        assert value.item() == 0 and not any(slope.any() for slope in gradients(value, pool))


@EVERY_FORM
def test_an_anchor_without_a_positive_changes_nothing_for_the_others(form: str) -> None:
    pool = random_pool(4)  # its first anchor has none
    per_anchor = ("anchors", "anchor_ids", "pos", "neg", "confirmed", "same", "said")
    rest = replace(pool, **{name: getattr(pool, name)[1:] for name in per_anchor})
    torch.testing.assert_close(objective(form)(rest), objective(form)(pool), rtol=0, atol=1e-12)


@EVERY_FORM
@RICH
def test_weight_zero_is_a_gradient_of_exactly_zero(form: str, rich: bool) -> None:
    pool = random_pool(6, rich=rich)
    heard = torch.arange(9) != 4
    pool = replace(pool, **{name: getattr(pool, name) * heard for name in ("pos", "neg", "confirmed")})
    for blocks in (True, False):
        _, to_keys = gradients(objective(form, blocks=blocks)(pool), pool)
        assert not to_keys[4].any() and to_keys[heard].any(1).all()


def test_a_synthetic_column_of_weight_zero_is_as_if_it_were_not_there() -> None:
    pool = random_pool(6, rich=True)
    assert pool.synthetic is not None
    made, nothing = pool.synthetic.clone().requires_grad_(), torch.zeros(7, 3, dtype=torch.float64)
    value = Objective()(replace(pool, synthetic=made, synthetic_weight=nothing))
    without = Objective()(replace(pool, synthetic=None, synthetic_weight=None))
    torch.testing.assert_close(value, without, rtol=0, atol=1e-12)
    assert not torch.autograd.grad(value, made)[0].any()


def test_a_clamped_anchor_hears_nothing_of_unlabelled_negatives_but_all_of_confirmed_ones() -> None:
    pool = replace(random_pool(6), tau_plus=torch.full((7,), 0.9, dtype=torch.float64))
    ours = Objective(0.1, "self")
    clamped = ours.masses(pool).clamped
    scores = (pool.anchors @ pool.keys.T).detach().requires_grad_()
    direct = replace(pool, anchors=scores, keys=torch.eye(9, dtype=torch.float64))  # anchors @ keys.T are the cosines
    (slope,) = torch.autograd.grad(ours(direct), scores)
    counted = (clamped & (pool.pos > 0).any(1))[:, None] & (pool.pos == 0)
    unlabelled, confirmed = counted & (pool.neg > 0), counted & (pool.confirmed > 0)
    assert unlabelled.any() and not slope[unlabelled].any()
    assert confirmed.any() and (slope[confirmed] > 0).all()


def test_confirmed_negatives_are_never_debiased() -> None:
    pool = random_pool(6)
    plainly = Objective(0.5).masses(pool)
    debiased = Objective(0.5).masses(replace(pool, tau_plus=torch.full((7,), 0.2, dtype=torch.float64)))
    assert torch.equal(plainly.log_K, debiased.log_K) and not torch.equal(plainly.log_N_U, debiased.log_N_U)
    both = debiased.log_K.exp() + debiased.log_N_U.exp()
    torch.testing.assert_close(debiased.log_N.exp(), both, rtol=1e-12, atol=0)


def test_without_a_share_there_is_no_floor() -> None:
    log_G, zero, count = torch.tensor([-50.0]), torch.zeros(1), torch.tensor([3.0])
    masses = log_debiased(log_G, zero, count, zero, 0.5)
    assert torch.equal(masses.log_N_U, log_G) and not masses.clamped.any()
    floored = log_debiased(log_G, zero, count, zero + 0.1, 0.5)
    assert floored.clamped.all() and floored.log_N_U.item() == pytest.approx(math.log(3) - 2)


def test_log1mexp_is_exact_at_both_ends() -> None:
    d = torch.tensor([-1e-300, -1e-12, -0.5, -math.log(2), -1.0, -40.0, -800.0, -math.inf], dtype=torch.float64)
    exact = [math.log(-math.expm1(x)) if x > -0.5 else math.log1p(-math.exp(x)) for x in d.tolist()]
    torch.testing.assert_close(log1mexp(d), torch.tensor(exact, dtype=torch.float64), rtol=1e-14, atol=0)
    d.requires_grad_()
    assert torch.autograd.grad(log1mexp(d).sum(), d)[0].isfinite().all()


@EVERY_FORM
@RICH
def test_float32_follows_float64_at_temperature_a_hundredth(form: str, rich: bool) -> None:
    for seed in range(4):
        narrow = cast(random_pool(seed, batch=12, keys=40, dim=16, rich=rich), torch.float32)
        wide = cast(narrow, torch.float64)  # the same rounded numbers
        for blocks in (True, False):
            value, exact = (objective(form, 0.01, blocks=blocks)(pool) for pool in (narrow, wide))
            assert value.item() == pytest.approx(exact.item(), rel=1e-5, abs=1e-5)
            for mine, true in zip(gradients(value, narrow), gradients(exact, wide), strict=True):
                assert (mine - true).norm() <= 1e-4 * true.norm()


def test_the_hard_negatives_that_overflow_elsewhere_follow_float64() -> None:
    """tau .02, beta 2: exp(3 * 50) is beyond float32."""
    pool = replace(random_pool(3), tilt=2.0, normalise=True)
    near = torch.cat([pool.anchors[:4], pool.keys[4:]]).detach()
    narrow = cast(replace(pool, keys=near), torch.float32)
    wide = cast(narrow, torch.float64)
    value, exact = (objective("self", 0.02)(one) for one in (narrow, wide))
    assert value.item() == pytest.approx(exact.item(), rel=1e-5) and exact.item() > 20
    assert all(slope.isfinite().all() for slope in gradients(value, narrow))


@EVERY_FORM
@RICH
def test_under_autocast_the_loss_is_computed_in_float32(form: str, rich: bool) -> None:
    half = cast(random_pool(5, rich=rich), torch.bfloat16)
    wide = cast(half, torch.float32)
    for blocks in (True, False):
        with torch.autocast("cpu", torch.bfloat16):
            value = objective(form, blocks=blocks)(half)
        exact = objective(form, blocks=blocks)(wide)
        assert value.dtype == torch.float32 and value.item() == exact.item()
        for mine, true in zip(gradients(value, half), gradients(exact, wide), strict=True):
            torch.testing.assert_close(mine, true.bfloat16())


def weights(draw: st.DrawFn, rows: int, columns: int) -> Tensor:
    cells = st.one_of(st.just(0.0), st.floats(1e-6, 1e3))
    drawn = draw(st.lists(cells, min_size=rows * columns, max_size=rows * columns))
    return torch.tensor(drawn, dtype=torch.float64).reshape(rows, columns)


@st.composite
def any_pool(draw: st.DrawFn) -> Pool:
    batch, keys, shift = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.floats(0, 6))
    pool = make_pool(
        closed_form(batch, 3, shift).requires_grad_(), closed_form(keys, 3, shift + 1).requires_grad_(),
        weights(draw, batch, keys), weights(draw, batch, keys), confirmed=weights(draw, batch, keys),
    )  # fmt: skip
    if draw(st.booleans()):
        share = draw(st.lists(st.floats(0, 0.95), min_size=batch, max_size=batch))
        pool = replace(pool, tau_plus=torch.tensor(share, dtype=torch.float64))
    if draw(st.booleans()):
        made = normalize(torch.ones(batch, 2, 3, dtype=torch.float64), dim=2)
        pool = replace(pool, synthetic=made, synthetic_weight=weights(draw, batch, 2))
    return replace(pool, tilt=draw(st.sampled_from([0.0, 0.5, 2.0])), normalise=draw(st.booleans()))


@settings(max_examples=80, deadline=None)
@given(any_pool(), st.sampled_from(sorted(FORMS)), st.sampled_from([0.01, 0.07, 0.5, 2.0]), st.booleans())
def test_whatever_the_pool_the_loss_and_its_slopes_are_finite(
    pool: Pool, form: str, temperature: float, narrow: bool
) -> None:
    pool = cast(pool, torch.float32) if narrow else pool
    value = objective(form, temperature)(pool)
    assert value.shape == () and value.isfinite()
    assert all(slope.isfinite().all() for slope in gradients(value, pool))


@settings(max_examples=30, deadline=None)
@given(any_pool(), st.sampled_from(sorted(FORMS)), st.randoms(use_true_random=False))
def test_the_order_of_the_keys_does_not_matter(pool: Pool, form: str, random: Any) -> None:
    order = torch.tensor(random.sample(range(len(pool.keys)), len(pool.keys)))
    torch.testing.assert_close(objective(form)(turned(pool, order)), objective(form)(pool), rtol=1e-10, atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(any_pool(), st.sampled_from(sorted(FORMS)))
def test_only_the_proportions_of_the_pulls_matter_and_more_push_never_lowers_the_loss(pool: Pool, form: str) -> None:
    value = objective(form)(pool)
    pulled = objective(form)(replace(pool, pos=pool.pos * 7))
    torch.testing.assert_close(pulled, value, rtol=1e-10, atol=1e-10)
    if form != "none":  # there an anchor without a negative is left out of the mean
        assert objective(form)(replace(pool, confirmed=pool.confirmed * 3 + 0.1)).item() >= value.item() - 1e-9


def test_only_a_plain_pool_is_evaluated_in_blocks() -> None:
    pool = random_pool(1)
    rich = {"tilt": 1.0, "normalise": True, "tau_plus": torch.zeros(7), "synthetic": torch.zeros(7, 1, 5)}
    assert plain(pool) and not any(plain(replace(pool, **{name: value})) for name, value in rich.items())
    assert not plain(replace(pool, neg=pool.neg.clone().requires_grad_()))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"temperature": 0.0}, "temperature > 0"),
        ({"denominator": "both"}, "one of all, self, none"),
        ({"aggregate": "outside"}, "one of out, in"),
        ({"aggregate": "in", "denominator": "self"}, "needs denominator 'all'"),
    ],
)
def test_a_setting_that_makes_no_sense_says_which_would(given: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Objective(**given)

"""AdCo and UnReMix against the reference values and plain loops."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from db.errors import BadInput
from tests.trainer.answered_pools import answered_pool
from tests.trainer.pools import REFERENCE, closed_form
from trainer.negatives.adco import NegativePolicy as AdCo
from trainer.negatives.unremix import NegativePolicy as UnReMix
from trainer.objectives.contrast import Objective
from trainer.pool import Pool, obey
from trainer.positives.own_view import PositiveSource as OwnView


def adversarial() -> tuple[Pool, AdCo]:
    one = closed_form(6, 4, 0.1)
    other = normalize(one + 0.6 * closed_form(6, 4, 2.3), dim=1)
    open_ = torch.zeros(6, 6, dtype=torch.float64)
    pool = Pool.of(one, other, torch.arange(6), torch.arange(6), open_, open_.to(torch.int8))
    policy = AdCo(size=5)
    policy.bank = 1.5 * closed_form(5, 4, 5.0)
    policy.speed = torch.zeros_like(policy.bank)
    return obey(policy(OwnView()(pool))), policy


def test_adco_has_the_loss_of_the_reference() -> None:
    value = Objective(0.12, denominator="self")(adversarial()[0]).item()
    assert value == pytest.approx(REFERENCE["adco loss tau=0.12"]["value"], abs=1e-9)


def test_adco_takes_the_step_of_the_reference() -> None:
    pool, policy = adversarial()
    policy.after_step(pool)
    total, squares = REFERENCE["adco bank W after one step, sum / sum of squares"]["value"]
    assert policy.bank.sum().item() == pytest.approx(total, abs=1e-9)
    assert (policy.bank**2).sum().item() == pytest.approx(squares, abs=1e-9)


def test_adco_climbs_the_loss_at_its_own_temperature() -> None:
    pool, policy = adversarial()
    objective, policy.rate = Objective(policy.temperature, denominator="self"), 0.01
    before = objective(pool).item()
    for _ in range(5):
        policy.after_step(pool)
    assert objective(obey(policy(OwnView()(pool)))).item() > before


def test_the_bank_fills_with_keys_and_then_stays_full() -> None:
    policy = AdCo(size=20)
    for _ in range(3):
        policy.after_step(obey(policy(answered_pool(keys=12, said=False))))
        policy.rate = 0.0
    assert len(policy.bank) == 20
    torch.testing.assert_close(policy.bank[:12], answered_pool(keys=12).keys)


def test_no_picture_meets_its_own_key_in_the_bank_while_it_fills() -> None:
    policy, pool = AdCo(size=20), answered_pool(keys=12)
    assert policy(pool).synthetic is None
    policy.after_step(pool)
    torch.testing.assert_close(policy(answered_pool(keys=3, seed=1)).synthetic[0], pool.keys)


@pytest.mark.parametrize("answers", [False, True])
def test_the_climb_has_the_gradient_of_the_loss_with_the_bank_as_columns(answers: bool) -> None:
    """As the official code has it, without momentum: W + lr (dL/dW - decay W)."""
    policy = AdCo(size=7, temperature=0.3, rate=0.1)
    policy.after_step(answered_pool(batch=6, keys=9))
    curated = obey(policy(OwnView()(answered_pool(batch=6, keys=9, said=answers))))
    bank = policy.bank.clone().requires_grad_()
    columns = normalize(bank, dim=1).expand(6, -1, -1)
    objective = Objective(0.3, denominator="self", blocks=False)
    objective(replace(curated, synthetic=columns)).backward()
    expected = policy.bank + 0.1 * (bank.grad - policy.decay * policy.bank)
    policy.after_step(curated)
    torch.testing.assert_close(policy.bank, expected)
    assert not policy.bank.requires_grad


def test_the_bank_is_one_table_for_all_anchors_and_no_coarser_than_float32() -> None:
    policy = AdCo(size=4)
    pool = answered_pool(batch=6, keys=9)
    halved = replace(pool, anchors=pool.anchors.bfloat16(), keys=pool.keys.bfloat16())
    policy.after_step(halved)
    got = policy(halved)
    assert got.synthetic.stride(0) == 0 and policy.bank.dtype == torch.float32
    policy.after_step(obey(OwnView()(got)))
    assert policy.bank.dtype == torch.float32 and torch.isfinite(policy.bank).all()


def plain_importance(pool: Pool, tau: float, *, with_anchor: bool) -> torch.Tensor:
    """Loops over keys."""
    keys, count = pool.keys, len(pool.keys)

    def slope(z: torch.Tensor, without: set[int]) -> torch.Tensor:
        others = [k for k in range(count) if k not in without]
        chance = torch.softmax(torch.stack([z @ keys[k] for k in others]) / tau, 0)
        return (
            sum(p * keys[k] for p, k in zip(chance, others, strict=True)) - keys[others[int(chance.argmax())]]
        ) / tau

    slopes = [slope(keys[j], {j}) for j in range(count)]
    weight = torch.zeros_like(pool.neg)
    for i, anchor in enumerate(pool.anchors.detach()):
        pushed = [j for j in range(count) if j != i]
        g = slope(anchor, {i})
        parts = [
            [float(g @ slopes[j]) if with_anchor else float(slopes[j].norm()) for j in pushed],
            [float(anchor @ keys[j]) for j in pushed],
            [sum(float((keys[j] - keys[k]).norm()) for k in range(count) if k != j) / (count - 1) for j in pushed],
        ]
        scaled = [[(x - min(part)) / (max(part) - min(part)) for x in part] for part in parts]
        total = torch.tensor([sum(three) / 3 for three in zip(*scaled, strict=True)], dtype=torch.float64)
        weight[i, pushed] = total / total.mean()
    return weight


@pytest.mark.parametrize("with_anchor", [False, True])
def test_unremix_weighs_as_the_formula_says(with_anchor: bool) -> None:
    pool = answered_pool(batch=5, keys=9, said=False)
    got = UnReMix(0.3, with_anchor)(pool)
    torch.testing.assert_close(got.neg, plain_importance(pool, 0.3, with_anchor=with_anchor))
    assert got.normalise and not got.neg.requires_grad


@given(seed=st.integers(0, 500), batch=st.integers(1, 6), keys=st.integers(1, 10))
def test_unremix_weights_have_mean_one_over_the_negatives(seed: int, batch: int, keys: int) -> None:
    pool = answered_pool(batch=batch, keys=keys, seed=seed, said=False)
    got = UnReMix()(pool).neg
    pushed = (pool.neg > 0).sum(1)
    assert (got >= 0).all() and torch.isfinite(got).all()
    torch.testing.assert_close(got.sum(1), pushed.double())


@given(seed=st.integers(0, 500))
def test_unremix_weighs_the_open_keys_among_themselves(seed: int) -> None:
    pool = answered_pool(batch=5, keys=9, seed=seed)
    got = obey(UnReMix()(OwnView()(pool)))
    open_ = (pool.said == 0) & ~pool.own
    assert (got.neg[~open_] == 0).all()
    torch.testing.assert_close(got.neg.sum(1), open_.sum(1).double())


def test_unremix_prefers_the_likest_where_nothing_else_differs() -> None:
    """Keys in a symmetric ring around one axis are equally uncertain and representative."""
    angle = torch.arange(5, dtype=torch.float64) * 2 * torch.pi / 5
    keys = normalize(torch.stack([angle.cos(), angle.sin(), torch.ones(5)], 1), dim=1)
    anchor = normalize(torch.tensor([[1.0, 0.3, 1.0]], dtype=torch.float64), dim=1)
    none = torch.zeros(1, 5, dtype=torch.float64)
    got = UnReMix()(Pool.of(anchor, keys, torch.tensor([9]), torch.arange(5), none, none.to(torch.int8)))
    assert got.neg.argmax() == (anchor @ keys.T).argmax()


@pytest.mark.parametrize(("policy", "settings"), [(AdCo, {"size": 0}), (UnReMix, {"temperature": 0.0})])
def test_settings_out_of_range_are_refused(policy, settings: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="expected, got 0"):
        policy(**settings)

"""MoCHi, SynCo and SSCL: what they make, of whom, and that a checkpoint draws on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from tests.trainer.answered_pools import answered_pool
from tests.trainer.pools import closed_form
from trainer.negatives import mochi, sscl, synco
from trainer.negatives._parents import hardest, may_be_parent
from trainer.pool import obey
from trainer.positives.own_view import PositiveSource as OwnView

VALUES = json.loads((Path(__file__).parent / "contrastive_reference.json").read_text())["values"]
MAKERS = [mochi.NegativePolicy, synco.NegativePolicy, sscl.NegativePolicy]
Q, QUEUE = closed_form(6, 4, 0.1), closed_form(8, 4, 3.1)
N, OTHER = QUEUE[:6], QUEUE.roll(-2, 0)[:6]


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("synco type1 a=.3 sum", synco.interpolated(Q, N, 0.3)),
        ("synco type2 b=1.2 sum", synco.extrapolated(Q, N, 1.2)),
        ("synco type3 g=.4 sum", synco.mixed(N, OTHER, 0.4)),
        ("synco type5 d=.01 sum", synco.stepped(Q, N, 0.01)),
        ("synco type6 e=.01 sum", synco.signed(Q, N, 0.01)),
    ],
)
def test_synco_makes_what_the_reference_makes(name: str, made: torch.Tensor) -> None:
    assert float(made.sum()) == pytest.approx(VALUES[name]["value"], abs=1e-9)


def test_steps_of_types_5_and_6_follow_the_gradient_of_the_similarity() -> None:
    n = N.clone().requires_grad_()
    (Q * n).sum().backward()
    torch.testing.assert_close(synco.stepped(Q, N, 0.05), normalize(N + 0.05 * n.grad, dim=1))
    torch.testing.assert_close(synco.signed(Q, N, 0.05), normalize(N + 0.05 * n.grad.sign(), dim=1))


@pytest.mark.parametrize("maker", MAKERS)
def test_columns_are_unit_rows_that_nothing_pushes(maker) -> None:
    pool = replace(answered_pool(), progress=0.5)
    made = maker()(pool).synthetic
    torch.testing.assert_close(made.norm(dim=2), torch.ones_like(made[..., 0]))
    assert not made.requires_grad


@given(seed=st.integers(0, 1000))
def test_mochi_mixes_lie_between_their_parents_or_the_anchor(seed: int) -> None:
    pool = replace(answered_pool(seed=seed, said=False), progress=1.0)
    policy = mochi.NegativePolicy(seed, hardest=2, mixed=6, with_anchor=5)
    made, parents = policy(pool).synthetic, hardest(pool, 2).keys
    for i in range(len(pool.anchors)):
        basis = torch.stack([parents[i, 0], parents[i, 1]]).T  # (d, 2)
        share = torch.linalg.lstsq(basis, made[i, :6].T).solution  # (2, 6)
        assert (share > -1e-9).all()
        torch.testing.assert_close(basis @ share, made[i, :6].T)
        nearer = made[i, 6:11] @ pool.anchors[i]
        assert (nearer >= (parents[i] @ pool.anchors[i]).min() - 1e-9).all()


@pytest.mark.parametrize("maker", MAKERS)
def test_the_own_item_a_must_link_and_a_likely_same_are_never_parents(maker) -> None:
    pool = answered_pool(batch=3, keys=6, dim=6, said=False)
    keys = torch.eye(6, dtype=torch.float64)
    said, same = pool.said.clone(), pool.same.clone()
    said[0, 4], same[0, 5] = 1, 0.8
    pool = replace(pool, keys=keys, said=said, same=same, progress=1.0)
    kinds = {"hardest": 6}
    for name in ("with_anchor", "few"):  # parts made of the anchor as well would hide the parents
        kinds |= {name: 0} if name in maker.__dataclass_fields__ else {}
    made = obey(maker(**kinds)(OwnView()(pool))).synthetic
    if maker is synco.NegativePolicy:
        made = made[:, 2 * len(keys) :]  # type 3, of keys alone
    assert set(torch.nonzero(made[0].abs().sum(0)).ravel().tolist()) <= {1, 2, 3}


def test_a_confirmed_negative_is_a_preferred_parent() -> None:
    pool = answered_pool(batch=2, keys=9, said=False)
    said = pool.said.clone()
    farthest = int((pool.keys @ pool.anchors[0].detach()).argmin())
    said[0, farthest] = -1
    first = hardest(replace(pool, said=said), 3).keys[0, 0]
    torch.testing.assert_close(first, pool.keys[farthest])


def test_a_confirmed_negative_stays_a_parent_where_it_looks_the_same() -> None:
    pool = answered_pool(batch=1, keys=4, same=0.9, said=False)
    said = pool.said.clone()
    said[0, 2] = -1
    assert may_be_parent(replace(pool, said=said)).tolist() == [[False, False, True, False]]


def test_an_idle_key_is_a_parent_only_where_an_answer_calls_it_different() -> None:
    pool = answered_pool(batch=1, keys=4, said=False).resting(torch.tensor([True, True, True, False]))
    said = pool.said.clone()
    said[0, 2] = -1
    assert may_be_parent(replace(pool, said=said)).tolist() == [[False, False, True, True]]


@pytest.mark.parametrize("maker", MAKERS)
def test_an_anchor_without_parents_gets_columns_of_weight_zero(maker) -> None:
    pool = replace(answered_pool(same=0.9, said=False), progress=1.0)
    assert (maker()(pool).synthetic_weight == 0).all()


@pytest.mark.parametrize("maker", MAKERS)
def test_a_checkpoint_draws_on_where_it_stopped(maker) -> None:
    pool = replace(answered_pool(), progress=1.0)
    one = maker(seed=3)
    one(pool)
    kept = one.state()
    other = maker(seed=99)
    other.load_state(kept)
    assert torch.equal(one(pool).synthetic, other(pool).synthetic)
    assert not torch.equal(one(pool).synthetic, maker(seed=3)(pool).synthetic)


@pytest.mark.parametrize("maker", [mochi.NegativePolicy, synco.NegativePolicy])
def test_nothing_is_made_during_warm_up(maker) -> None:
    assert maker()(replace(answered_pool(), progress=0.01)).synthetic is None


def test_sscl_weighs_real_and_synthetic_together() -> None:
    """G of one anchor by plain sums over both kinds of columns."""
    from trainer.objectives.contrast import Objective

    pool = answered_pool(said=False)
    got = obey(sscl.NegativePolicy(seed=1, hardest=5, mixed=4)(OwnView()(pool)))
    scores = np.concatenate([(pool.keys @ pool.anchors[0].detach()).numpy()[1:],
                             (got.synthetic[0] @ pool.anchors[0].detach()).numpy()]) / 0.5  # fmt: skip
    omega = np.exp(scores)
    wanted = np.log(len(scores) * (omega * np.exp(scores)).sum() / omega.sum())
    assert float(Objective(0.5, denominator="self").masses(got).log_G[0].detach()) == pytest.approx(wanted, rel=1e-12)

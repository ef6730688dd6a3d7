"""FNC and IFND: whom they take for a false negative, against reference values and worlds where the truth is known."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from db.errors import BadInput
from tests.trainer.answered_pools import answered_pool
from tests.trainer.pools import REFERENCE, closed_form
from trainer.negatives.fnc import NegativePolicy as FNC
from trainer.negatives.ifnd import NegativePolicy as IFND
from trainer.objectives.contrast import Objective
from trainer.pool import Pool, obey


def three_views() -> Pool:
    """Three views of four pictures, anchors and keys alike; own views pull, nobody meets itself."""
    views, image = torch.cat([closed_form(4, 4, c) for c in (0.1, 0.5, 0.9)]), torch.arange(4).repeat(3)
    open_ = torch.zeros(12, 12, dtype=torch.float64)
    pool = Pool.of(views, views, image, image, open_, open_.to(torch.int8))
    return replace(pool, pos=(pool.own & ~torch.eye(12, dtype=torch.bool)).double())


@pytest.mark.parametrize(
    ("name", "mode", "scale"),
    [
        ("fnc_attraction 3 views x 4, topk=2 thr=0.3 max (|F|=5), x2", "attract", 2.0),
        ("fn_elimination same F, mean over positives (equation)", "eliminate", 1.0),
    ],
)
def test_fnc_gives_the_reference_values(name: str, mode: str, scale: float) -> None:
    got = obey(FNC(most=2, cutoff=0.3, mode=mode)(three_views()))
    assert got.detected[:4].sum() == 5
    assert Objective(0.1, scale=scale)(got).item() == pytest.approx(REFERENCE[name]["value"], abs=1e-9)


@pytest.mark.parametrize("views", ["max", "mean"])
def test_support_views_are_scored_like_the_anchor_view_by_view(views: str) -> None:
    pool = answered_pool(batch=4, keys=10, said=False)
    support = normalize(torch.randn(4, 3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2)), dim=2)
    got = FNC(most=2, cutoff=0.2, views=views)(replace(pool, support=support)).detected
    for i in range(4):
        score = {}
        for j in range(10):
            if j != i:
                seen = [float(v @ pool.keys[j]) for v in (pool.anchors[i].detach(), *support[i])]
                score[j] = max(seen) if views == "max" else sum(seen) / len(seen)
        best = sorted(score, key=score.__getitem__)[-2:]
        assert torch.nonzero(got[i]).ravel().tolist() == sorted(j for j in best if score[j] > 0.2)


def test_eliminated_keys_give_exactly_no_gradient() -> None:
    pool = answered_pool(batch=4, keys=10, said=False)
    keys = pool.keys.clone().requires_grad_()
    pool = replace(pool, keys=keys, pos=pool.own.double())
    got = obey(FNC(most=3, cutoff=-1.0)(pool))
    Objective(0.1)(got).backward()
    untouched = got.detected.all(0) | ((got.neg == 0) & (got.pos == 0)).all(0)
    assert (keys.grad[untouched] == 0).all() and got.detected.sum() == 12


def test_an_answer_overrides_a_detection() -> None:
    pool = answered_pool(batch=3, keys=8, said=False)
    taken = FNC(most=2, cutoff=-1.0, mode="attract")(pool).detected
    i, j = torch.nonzero(taken)[0].tolist()
    said = pool.said.clone()
    said[i, j] = -1
    got = obey(FNC(most=2, cutoff=-1.0, mode="attract")(replace(pool, said=said)))
    assert not got.detected[i, j] and got.pos[i, j] == 0 and got.confirmed[i, j] >= 1


def clustered(groups: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Twenty items around each of some orthogonal directions."""
    random = torch.Generator().manual_seed(seed)
    truth = torch.arange(groups).repeat(20)
    return normalize(torch.eye(12)[truth] + 0.02 * torch.randn(len(truth), 12, generator=random), dim=1), truth


def ifnd_on(groups: int, seed: int, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
    table, truth = clustered(groups, seed)
    policy = IFND(coarsest=groups, levels=1, seed=seed)
    policy.refresh(table, torch.arange(len(table)), progress)
    open_ = torch.zeros(len(table), len(table))
    ids = torch.arange(len(table))
    return policy(Pool.of(table, table, ids, ids, open_, open_.to(torch.int8))).detected, truth


@settings(max_examples=15, deadline=None)
@given(groups=st.integers(2, 8), seed=st.integers(0, 100))
def test_ifnd_eliminates_within_groups_only_where_groups_are_plain(groups: int, seed: int) -> None:
    detected, truth = ifnd_on(groups, seed, 1.0)
    same = (truth[:, None] == truth) & ~torch.eye(len(truth), dtype=torch.bool)
    assert not (detected & ~same).any() or (detected & same).sum() < same.sum()  # k-means may glue two and tear one
    if not (detected & ~same).any():
        assert detected[same].float().mean() > 0.4


def test_ifnd_is_exact_on_three_plain_groups() -> None:
    detected, truth = ifnd_on(3, 1, 1.0)
    assert torch.equal(detected, (truth[:, None] == truth) & ~torch.eye(len(truth), dtype=torch.bool))


def test_ifnd_accepts_more_as_training_goes_on_the_surest_first() -> None:
    found = [ifnd_on(3, 1, progress)[0] for progress in (0.0, 0.3, 0.6, 1.0)]
    assert not found[0].any()
    for less, more in pairwise(found):
        assert (more | ~less).all() and more.sum() > less.sum()


def test_ifnd_knows_nothing_before_its_first_look_and_of_strangers() -> None:
    pool = answered_pool()
    assert not IFND()(pool).detected.any()
    policy = IFND(coarsest=2, levels=1)
    policy.refresh(normalize(torch.randn(6, 6), dim=1), torch.arange(100, 106), 1.0)
    assert not policy(pool).detected.any()


@pytest.mark.parametrize("policy", [FNC, IFND])
def test_another_mode_is_refused(policy) -> None:
    with pytest.raises(BadInput, match=r"mode = .*eliminate.*attract expected, got 'drop'"):
        policy(mode="drop")

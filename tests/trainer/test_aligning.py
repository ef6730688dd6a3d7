"""Objectives that only pull, the contrast from the key's side, and answers alone: loops, closed forms, lightly."""

import math
from dataclasses import replace

import pytest
import torch
from lightly.loss import BarlowTwinsLoss, NegativeCosineSimilarity, NTXentLoss, VICRegLoss
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from db.errors import BadInput
from tests.trainer.pools import closed_form, make_pool, random_pool
from trainer.objectives.align import Objective as Align
from trainer.objectives.answers import Objective as Answers
from trainer.objectives.contrast import Objective as Contrast
from trainer.objectives.cross_view import Objective as CrossView
from trainer.objectives.decorrelate import Objective as Decorrelate
from trainer.pool import Pool, obey


def rows(count: int, seed: int, numbers: int = 16) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, numbers, generator=random, dtype=torch.float64).requires_grad_()


def paired(one: Tensor, two: Tensor) -> Pool:
    """Each anchor has one key, the others push."""
    itself = torch.eye(len(one))
    return make_pool(one, two, itself, 1 - itself)


def same_slopes(ours: Tensor, theirs: Tensor, *leaves: Tensor) -> None:
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-9)
    mine, other = (torch.autograd.grad(loss, leaves, retain_graph=True) for loss in (ours, theirs))
    for a, b in zip(mine, other, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


def test_align_is_the_mean_distance_to_what_pulls_anchor_by_anchor() -> None:
    pool = random_pool(4)
    total, counted = 0.0, 0
    for i, anchor in enumerate(pool.anchors):
        weight = float(pool.pos[i].sum())
        if weight == 0:
            continue
        counted += 1
        for j, key in enumerate(pool.keys):
            total += float(pool.pos[i, j]) / weight * float((anchor - key).detach().square().sum())
    assert 0 < counted < len(pool.anchors)  # anchors without a positive do not count
    assert Align()(pool).item() == pytest.approx(total / counted, abs=1e-9)


def test_align_with_one_key_an_anchor_is_simsiams_loss() -> None:
    one, two = rows(20, 1), rows(20, 2)
    ours = Align()(paired(normalize(one, dim=1), normalize(two.detach(), dim=1)))
    same_slopes(ours, 2 + 2 * NegativeCosineSimilarity()(one, two.detach()), one)


@pytest.mark.parametrize("seed", range(3))
def test_barlow_twins_has_value_and_gradient_of_lightly(seed: int) -> None:
    one, two = rows(30, seed), rows(30, seed + 10)
    theirs = BarlowTwinsLoss(lambda_param=0.0051)(one, two)
    same_slopes(Decorrelate("bt")(paired(one, two)), theirs, one, two)
    assert Decorrelate("bt", scale=0.1)(paired(one, two)).item() == pytest.approx(theirs.item() / 10, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_vicreg_has_value_and_gradient_of_lightly(seed: int) -> None:
    one, two = rows(30, seed), rows(30, seed + 10)
    half = (0.5 * one.detach()).requires_grad_()  # so that some numbers vary too little
    same_slopes(Decorrelate("vicreg")(paired(half, two)), VICRegLoss()(half, two), half, two)


def test_the_hinge_of_vicreg_is_half_of_solo_learns() -> None:
    """Which sums over both views; the official code takes their mean."""
    one, two = (0.5 * rows(30, seed).detach() for seed in (1, 2))
    hinges = sum(float(torch.relu(1 - (view.var(0) + 1e-4).sqrt()).mean()) for view in (one, two))
    ours = Decorrelate("vicreg", invariance=0, variance=1, covariance=0)(paired(one, two))
    assert hinges > 0.5 and ours.item() == pytest.approx(hinges / 2, abs=1e-12)


def test_all4one_compares_columns_by_their_cosine() -> None:
    one, two = rows(12, 1, 5), rows(12, 2, 5)
    on, off = [], []
    for u in range(5):
        for v in range(5):
            a, b = one[:, u].detach(), two[:, v].detach()
            cosine = float(a @ b / (a.norm() * b.norm()))
            (on if u == v else off).append((1 - cosine) ** 2 if u == v else cosine**2)
    expected = math.sqrt(sum(on) / 5) / 2 + math.sqrt(sum(off) / 20) / 2
    assert Decorrelate("all4one")(paired(one, two)).item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("form", ["bt", "vicreg", "all4one"])
def test_a_must_link_supplies_its_share_of_the_other_view(form: str) -> None:
    one, two = rows(10, 1, 4), rows(10, 2, 4)
    pull = torch.eye(10, dtype=torch.float64)
    pull[0, 3] = 1.0
    mixed = torch.cat([(two[:1] + two[3:4]) / 2, two[1:]])
    ours = Decorrelate(form)(make_pool(one, two, pull, 1 - pull))
    assert ours.item() == pytest.approx(Decorrelate(form)(paired(one, mixed)).item(), abs=1e-12)


@pytest.mark.parametrize("form", ["bt", "vicreg", "all4one"])
@pytest.mark.parametrize("case", ["two rows", "constant number", "all zero", "equal views"])
def test_degenerate_batches_stay_finite(form: str, case: str) -> None:
    one, two = rows(2 if case == "two rows" else 6, 1).detach(), rows(2 if case == "two rows" else 6, 2).detach()
    if case == "constant number":
        one[:, 0] = two[:, 0] = 3.0
    if case == "all zero":
        one, two = torch.zeros_like(one), torch.zeros_like(two)
    if case == "equal views":
        two = one.clone()
    one, two = one.requires_grad_(), two.requires_grad_()
    value = Decorrelate(form)(paired(one, two))
    assert value.isfinite()
    assert all(slope.isfinite().all() for slope in torch.autograd.grad(value, (one, two)))


def test_one_pulled_anchor_alone_correlates_with_nothing() -> None:
    pull = torch.zeros(4, 4)
    pull[0, 0] = 1
    assert Decorrelate()(make_pool(rows(4, 1), rows(4, 2), pull, 1 - pull)).item() == 0


def test_a_form_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="form = one of bt, vicreg, all4one expected, got 'barlow'"):
        Decorrelate("barlow")
    for objective in (Answers, CrossView):
        with pytest.raises(BadInput, match="temperature > 0 expected"):
            objective(0.0)


def test_from_the_keys_side_it_is_the_n_way_cross_entropy_and_not_nt_xent() -> None:
    """lightly's recipe of NNCLR, NTXentLoss(neighbours, predictions), counts the same view as negatives too."""
    predictions, near = rows(24, 1), normalize(rows(24, 2).detach(), dim=1)
    unit = normalize(predictions, dim=1)
    n_way = cross_entropy(near @ unit.T / 0.1, torch.arange(24))
    ours = CrossView(0.1)(paired(unit, near))
    same_slopes(ours, n_way, predictions)
    assert NTXentLoss(temperature=0.1)(near, predictions).item() > ours.item() + 0.3


def test_keys_that_no_anchor_belongs_to_do_not_count_from_their_side() -> None:
    one, two = normalize(rows(5, 1), dim=1), normalize(rows(8, 2), dim=1)
    itself = torch.eye(5, 8)
    wide = CrossView()(make_pool(one, two, itself, 1 - itself))
    assert wide.item() == pytest.approx(CrossView()(paired(one, two[:5])).item(), abs=1e-12)


def test_an_answered_pair_pushes_from_the_keys_side_too() -> None:
    one, two = normalize(rows(5, 1), dim=1), normalize(rows(5, 2), dim=1)
    said = torch.zeros(5, 5, dtype=torch.int8)
    said[2, 4] = -1
    pool = obey(replace(paired(one, two), said=said))
    doubled = paired(one, two)
    doubled.neg[2, 4] = 2.0
    assert CrossView()(pool).item() == pytest.approx(CrossView()(doubled).item(), abs=1e-12)


def answered(said: Tensor) -> Pool:
    """Own views and must-links pull, as beside a system without repulsion; every other key would push."""
    count = len(said)
    anchors, keys = closed_form(count, 6, 0.1).requires_grad_(), closed_form(count, 6, 2.3)
    ids = torch.arange(count)
    pull = torch.eye(count) + (said > 0)
    return obey(make_pool(anchors, keys, pull, 1 - pull.clamp_max(1), anchor_ids=ids, key_ids=ids, said=said))


def test_answers_alone_leave_everything_else_where_it_is() -> None:
    said = torch.zeros(6, 6, dtype=torch.int8)
    said[0, 3], said[1, 4] = 1, -1
    pool = answered(said)
    value = Answers(0.5)(pool)
    (slope,) = torch.autograd.grad(value, pool.anchors)
    assert value.item() > 0 and slope[:2].any(1).all() and not slope[2:].any()
    s = (pool.anchors @ pool.keys.T / 0.5).tolist()
    first = math.log(math.exp(s[0][0]) + math.exp(s[0][3])) - (s[0][0] + s[0][3]) / 2
    second = math.log(math.exp(s[1][1]) + 2 * math.exp(s[1][4])) - s[1][1]
    assert value.item() == pytest.approx((first + second) / 2, abs=1e-9)


def test_a_cannot_link_alone_pushes_apart() -> None:
    said = torch.zeros(6, 6, dtype=torch.int8)
    said[1, 4] = -1
    pool = answered(said)
    (slope,) = torch.autograd.grad(Answers()(pool), pool.anchors)
    moved = normalize(pool.anchors - 0.1 * slope, dim=1)
    assert moved[1] @ pool.keys[4] < pool.anchors[1] @ pool.keys[4]


def test_without_answers_nothing_pulls_or_pushes_and_the_zero_is_exact() -> None:
    pool = answered(torch.zeros(6, 6, dtype=torch.int8))
    value = Answers()(pool)
    assert value.item() == 0 and not torch.autograd.grad(value, pool.anchors)[0].any()


def test_answers_do_not_mind_how_long_rows_are() -> None:
    said = torch.zeros(6, 6, dtype=torch.int8)
    said[0, 3], said[1, 4] = 1, -1
    pool = answered(said)
    longer = replace(pool, anchors=3 * pool.anchors, keys=7 * pool.keys)
    assert Answers()(longer).item() == pytest.approx(Answers()(pool).item(), abs=1e-12)
    assert Answers()(pool).item() != pytest.approx(Contrast(0.2)(pool).item(), abs=1e-3)

"""The contrastive loss against the reference values, other libraries, and plain loops. All in float64."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from lightly.loss import DCLLoss, NTXentLoss
from pytorch_metric_learning.losses import SupConLoss
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from tests.trainer.pools import REFERENCE, by_labels, closed_form, gradients, in_loops, make_pool, random_pool
from trainer.objectives.contrast import Objective
from trainer.pool import Pool

LABELS = torch.tensor([0, 1, 0, 2, 1, 0]).repeat(2)
VIEWS = torch.arange(6).repeat(2)
BOTH_PATHS = pytest.mark.parametrize("blocks", [True, False], ids=["blocks", "whole"])


def first() -> Tensor:
    return closed_form(6, 4, 0.1).requires_grad_()


def second(one: Tensor) -> Tensor:
    return normalize(one.detach() + 0.6 * closed_form(6, 4, 2.3), dim=1)


def own_views(one: Tensor) -> Pool:
    return by_labels(torch.cat([one, second(one)]), VIEWS)


def debiased(one: Tensor, tau_plus: float, **more: float | bool) -> Pool:
    return replace(own_views(one), tau_plus=torch.full((12,), tau_plus, dtype=torch.float64), **more)


def labelled(one: Tensor) -> Pool:
    return by_labels(torch.cat([one, second(one)]), LABELS)


def one_row_per_pair(one: Tensor) -> Pool:
    """Every (anchor, positive) pair is an anchor of its own, as where losses are averaged over pairs."""
    views = torch.cat([one, second(one)])
    equal = LABELS[:, None] == LABELS[None]
    anchor, positive = torch.where(equal & ~torch.eye(12, dtype=torch.bool))
    return make_pool(views[anchor], views, one_hot(positive, 12), ~equal[anchor])


def queue_and_synthetic(one: Tensor) -> Pool:
    keys = torch.cat([second(one), closed_form(8, 4, 3.1)])
    in_queue = (torch.arange(14) >= 6).expand(6, 14)
    return make_pool(one, keys, torch.eye(6, 14), in_queue, synthetic=closed_form(3, 4, 4.2).expand(6, 3, 4))


def adversarial_bank(one: Tensor) -> Pool:
    keys = torch.cat([second(one), closed_form(5, 4, 5.0)])
    own = torch.eye(6, 11, dtype=torch.bool)
    return make_pool(one, keys, own, ~own)


def detected() -> tuple[Tensor, Tensor, Tensor]:
    """Three views of four images, who is who, and the false negatives F of each anchor: top 2 above .3, by any view."""
    views = torch.cat([closed_form(4, 4, shift) for shift in (0.1, 0.5, 0.9)])
    image = torch.arange(4).repeat(3)
    score = torch.stack([(views[image == i] @ views.T).amax(0) for i in range(4)])  # (4, 12)
    score = score.masked_fill(torch.arange(4)[:, None] == image[None], -1.0)
    top = torch.zeros_like(score).scatter(1, score.topk(2, 1).indices, 1.0).bool() & (score > 0.3)
    assert top.sum() == 5
    return views, image[:, None] == image[None], top[image]


def attraction(_: Tensor) -> Pool:
    views, own, false = detected()
    return make_pool(views, views, (own | false) & ~torch.eye(12, dtype=torch.bool), ~own & ~false)


def elimination(_: Tensor) -> Pool:
    views, own, false = detected()
    return make_pool(views, views, own & ~torch.eye(12, dtype=torch.bool), ~own & ~false)


def tilted(one: Tensor) -> Pool:
    return debiased(one, 0.1, tilt=1.0, normalise=True)


def tilted_only(one: Tensor) -> Pool:
    return debiased(one, 0.0, tilt=0.5, normalise=True)


CASES: dict[str, tuple[Objective, Callable[[Tensor], Pool]]] = {
    "nt_xent tau=0.5": (Objective(0.5, "self"), own_views),
    "nt_xent tau=0.1": (Objective(0.1, "self"), own_views),
    "debiased tau=0.5 tau_plus=0.1": (Objective(0.5, "self"), lambda one: debiased(one, 0.1)),
    "debiased tau=0.5 tau_plus=0.02": (Objective(0.5, "self"), lambda one: debiased(one, 0.02)),
    "debiased tau=0.1 tau_plus=0.1": (Objective(0.1, "self"), lambda one: debiased(one, 0.1)),
    "hcl tau=0.5 tau_plus=0.1 beta=1.0": (Objective(0.5, "self"), tilted),
    "hcl tau=0.5 tau_plus=0.0 beta=0.5": (Objective(0.5, "self"), tilted_only),
    "supcon_out tau=0.1 labels=[0,1,0,2,1,0]": (Objective(0.1, "all"), labelled),
    "supcon_out tau=0.1 base_temperature=0.07": (Objective(0.1, "all", scale=0.1 / 0.07), labelled),
    "supcon_in tau=0.1 (solo-learn)": (Objective(0.1, "all", "in"), labelled),
    "fnc_attraction 3 views x 4, topk=2 thr=0.3 max (|F|=5), x2": (Objective(0.1, "all", scale=2.0), attraction),
    "fn_elimination same F, mean over positives (equation)": (Objective(0.1, "all"), elimination),
    "decoupled_dcl tau=0.1 (lightly)": (Objective(0.1, "none"), own_views),
    "ntxent_multi_pair tau=0.1 (pml)": (Objective(0.1, "self"), one_row_per_pair),
    "moco queue=8 + 3 synthetic, tau=0.2": (Objective(0.2, "self"), queue_and_synthetic),
    "adco loss tau=0.12": (Objective(0.12, "self"), adversarial_bank),
}
OF_GENERATORS = {name for name in REFERENCE if name.startswith(("synco", "adco bank"))}


def test_every_reference_value_of_a_loss_has_its_case() -> None:
    assert set(CASES) | OF_GENERATORS == set(REFERENCE) and not set(CASES) & OF_GENERATORS


@BOTH_PATHS
@pytest.mark.parametrize("name", CASES)
def test_a_published_loss_is_a_setting_of_ours(name: str, blocks: bool) -> None:
    objective, pool_of = CASES[name]
    one = first()
    value = replace(objective, blocks=blocks)(pool_of(one))
    assert value.item() == pytest.approx(REFERENCE[name]["value"], abs=1e-9)
    if REFERENCE[name]["grad_out1_abs_sum"] is not None:
        (gradient,) = torch.autograd.grad(value, one)
        assert gradient.abs().sum().item() == pytest.approx(REFERENCE[name]["grad_out1_abs_sum"], abs=1e-9)


def random_rows(count: int, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, 16, generator=random, dtype=torch.float64).requires_grad_()


@BOTH_PATHS
@pytest.mark.parametrize("seed", range(3))
def test_labels_give_the_loss_and_gradient_of_pytorch_metric_learning(seed: int, blocks: bool) -> None:
    rows, labels = random_rows(40, seed), torch.arange(40) % 7
    labels[0] = 99  # alone: no positive
    theirs = SupConLoss(temperature=0.2)(rows, labels)
    ours = Objective(0.2, blocks=blocks)(by_labels(normalize(rows, dim=1), labels))
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-9)
    same_slope(ours, theirs, rows)


@BOTH_PATHS
@pytest.mark.parametrize(("theirs", "denominator"), [(NTXentLoss, "self"), (DCLLoss, "none")])
def test_two_views_give_the_loss_and_gradient_of_lightly(theirs: type, denominator: str, blocks: bool) -> None:
    one, two = random_rows(20, 1), random_rows(20, 2)
    views = by_labels(normalize(torch.cat([one, two]), dim=1), torch.arange(20).repeat(2))
    ours, their = Objective(0.15, denominator, blocks=blocks)(views), theirs(temperature=0.15)(one, two)
    assert ours.item() == pytest.approx(their.item(), abs=1e-9)
    for rows in (one, two):
        same_slope(ours, their, rows)


@BOTH_PATHS
def test_a_queue_gives_the_loss_and_gradient_of_lightlys_memory_bank(blocks: bool) -> None:
    one, two = random_rows(20, 1), random_rows(20, 2)
    theirs = NTXentLoss(temperature=0.2, memory_bank_size=(30, 16))
    theirs.double()(two.detach(), two.detach())  # makes the bank
    queue = theirs.memory_bank.bank.double().clone()  # (30, 16)
    keys = torch.cat([normalize(two.detach(), dim=1), queue])
    pool = make_pool(normalize(one, dim=1), keys, torch.eye(20, 50), (torch.arange(50) >= 20).expand(20, 50))
    ours, their = Objective(0.2, "self", blocks=blocks)(pool), theirs(one, two.detach())
    assert ours.item() == pytest.approx(their.item(), abs=1e-9)
    same_slope(ours, their, one)


def same_slope(ours: Tensor, theirs: Tensor, rows: Tensor) -> None:
    one, other = (torch.autograd.grad(loss, rows, retain_graph=True)[0] for loss in (ours, theirs))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


FORMS = [Objective(0.5, "all"), Objective(0.5, "self"), Objective(0.5, "none"), Objective(0.5, "all", "in")]


@pytest.mark.parametrize("objective", FORMS, ids=lambda one: f"{one.aggregate}-{one.denominator}")
@pytest.mark.parametrize("rich", [False, True])
@pytest.mark.parametrize("tau", [0.5, 0.1])
def test_every_form_is_what_the_formula_says_term_by_term(objective: Objective, rich: bool, tau: float) -> None:
    objective = replace(objective, temperature=tau, scale=1.7)
    for seed in range(4):
        pool = random_pool(seed, rich=rich)
        assert objective(pool).item() == pytest.approx(in_loops(pool, objective), abs=1e-9)


def test_the_random_pools_hold_anchors_on_and_off_the_floor() -> None:
    for tau in (0.1, 0.5):
        clamped = torch.stack([Objective(tau).masses(random_pool(seed, rich=True)).clamped for seed in range(4)])
        assert clamped.any() and not clamped[:, 1:].all()


def test_a_given_count_and_a_plain_tilt_are_what_the_formula_says() -> None:
    pool = random_pool(3, rich=True)
    counted = replace(pool, count=torch.arange(7.0).double() + 4)
    for one in (counted, replace(counted, normalise=False), replace(pool, tilt=0.0), replace(pool, synthetic=None)):
        assert Objective(0.4)(one).item() == pytest.approx(in_loops(one, Objective(0.4)), abs=1e-9)


def test_own_views_stand_for_the_class_where_the_pool_has_some() -> None:
    pool = random_pool(5)
    pull = torch.ones(7, 9, dtype=torch.float64)
    pool = replace(pool, pos=pull, anchor_ids=torch.arange(7), key_ids=torch.arange(9), neg=pull)
    pool = replace(pool, tau_plus=torch.full((7,), 0.05, dtype=torch.float64))
    stranger = replace(pool, key_ids=torch.arange(9) + 100)
    assert Objective(0.7)(pool).item() == pytest.approx(in_loops(pool, Objective(0.7)), abs=1e-9)
    assert Objective(0.7)(stranger).item() == pytest.approx(in_loops(stranger, Objective(0.7)), abs=1e-9)
    assert Objective(0.7)(pool).item() != pytest.approx(Objective(0.7)(stranger).item(), abs=1e-3)


def test_supcon_is_contrast_at_its_defaults() -> None:
    from oracle.plugins import load

    pool = random_pool(2)
    named, ours = load("trainer.objectives", "supcon", temperature=0.3), load("trainer.objectives", "contrast")
    assert torch.equal(named(pool), replace(ours, temperature=0.3)(pool))
    assert all(g is not None for g in gradients(named(pool), pool))

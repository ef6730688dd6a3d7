"""Pools, objectives and curation: against reference values, plain loops, and the laws answers must obey."""

import math

import pytest
import torch
from torch import Tensor

from db.errors import BadInput
from oracle.plugins import load, names
from trainer.pool import Pool, obey

torch.set_default_dtype(torch.float32)


def closed_form(rows: int, columns: int, shift: float) -> Tensor:
    """X[i, j] = sin(1.3 i + 2.1 j + 0.7 i j + shift), unit rows: inputs without random numbers."""
    i, j = torch.arange(rows, dtype=torch.float64)[:, None], torch.arange(columns, dtype=torch.float64)[None]
    return torch.nn.functional.normalize(torch.sin(1.3 * i + 2.1 * j + 0.7 * i * j + shift), dim=1)


def two_views() -> tuple[Tensor, Tensor]:
    one = closed_form(6, 4, 0.1)
    return one, torch.nn.functional.normalize(one + 0.6 * closed_form(6, 4, 2.3), dim=1)


def both_views_against_both(positive: Tensor) -> Pool:
    """Both views are anchors and keys; an anchor never meets itself."""
    stacked = torch.cat(two_views()).requires_grad_()
    itself = torch.eye(12, dtype=torch.bool)
    pos = (positive & ~itself).double()
    zero = torch.zeros_like(pos)
    neg = (~positive & ~itself).double()
    ids = torch.arange(12)
    return Pool(stacked, stacked, ids, ids, pos, neg, zero, zero, zero.to(torch.int8))


def test_supcon_with_own_views_is_nt_xent() -> None:
    views = torch.arange(6).repeat(2)
    pool = both_views_against_both(views[:, None] == views[None])
    for temperature, value in ((0.5, 1.1279924032016648), (0.1, 0.26572612975600535)):
        assert load("trainer.objectives", "supcon", temperature=temperature)(pool).item() == pytest.approx(
            value, abs=1e-9
        )


def test_supcon_with_labels_equals_the_reference() -> None:
    labels = torch.tensor([0, 1, 0, 2, 1, 0]).repeat(2)
    pool = both_views_against_both(labels[:, None] == labels[None])
    value = load("trainer.objectives", "supcon", temperature=0.1)(pool).item()
    assert value == pytest.approx(4.569701237218131, abs=1e-9)


def some_pool(seed: int = 0, batch: int = 8, keys: int = 10, said: Tensor | None = None) -> Pool:
    random = torch.Generator().manual_seed(seed)
    unit = torch.nn.functional.normalize
    anchors = unit(torch.randn(batch, 5, generator=random), dim=1).requires_grad_()
    other = unit(torch.randn(keys, 5, generator=random), dim=1).requires_grad_()
    same = torch.rand(batch, keys, generator=random)
    if said is None:
        said = torch.randint(-1, 2, (batch, keys), generator=random, dtype=torch.int8)
    pool = Pool.of(anchors, other, torch.arange(batch), torch.arange(keys), same, said)
    groups = torch.softmax(torch.randn(batch, 3, generator=random), 1)
    given = {"reference": torch.zeros(batch, keys), "anchor_groups": groups, "key_groups": groups}
    return Pool(**{**vars(pool), **given, "features": torch.randn(batch, 4, generator=random)})


def curated(pool: Pool) -> Pool:
    for name in ("own_view", "must_links", "pseudo_members"):
        pool = load("trainer.positives", name)(pool)
    return obey(load("trainer.negatives", "soft_elimination")(pool))


@pytest.mark.parametrize("name", names("trainer.objectives"))
def test_an_objective_is_finite_with_finite_gradient_whatever_the_pool(name: str) -> None:
    for said in (None, torch.zeros(8, 10, dtype=torch.int8), -torch.ones(8, 10, dtype=torch.int8)):
        pool = curated(some_pool(said=said))
        value = load("trainer.objectives", name)(pool)
        assert value.shape == () and value.isfinite()
        if value.requires_grad:
            (gradient,) = torch.autograd.grad(value, pool.anchors)
            assert gradient.isfinite().all()


@pytest.mark.parametrize("name", [n for n in names("trainer.objectives") if n != "cluster"])
def test_the_order_of_keys_does_not_matter(name: str) -> None:
    pool, order = curated(some_pool()), torch.randperm(10, generator=torch.Generator().manual_seed(1))
    wide = {"pos", "neg", "confirmed", "same", "said", "reference"}
    turned = {k: v[:, order] if k in wide else v for k, v in vars(pool).items()}
    turned |= {"keys": pool.keys[order], "key_ids": pool.key_ids[order]}
    objective = load("trainer.objectives", name)
    torch.testing.assert_close(objective(Pool(**turned)), objective(pool))


@pytest.mark.parametrize("family", ["trainer.positives", "trainer.negatives"])
def test_a_part_changes_nothing_it_was_given_and_no_key_both_pulls_and_pushes(family: str) -> None:
    for name in names(family):
        pool = some_pool()
        before = {k: v.clone() for k, v in vars(pool).items() if isinstance(v, Tensor)}
        out = load(family, name)(pool)
        assert all(torch.equal(before[k], v) for k, v in vars(pool).items() if isinstance(v, Tensor)), name
        assert (out.pos >= 0).all() and (out.neg >= 0).all() and (out.confirmed >= 0).all(), name
        assert not ((out.pos > 0) & (out.neg > 0)).any(), name


def test_the_answers_have_the_last_word() -> None:
    pool = curated(some_pool())
    together, apart = (pool.said > 0) | pool.own, (pool.said < 0) & ~pool.own
    assert not pool.neg[together | apart].any() and not pool.confirmed[together].any()
    assert not pool.pos[apart].any() and (pool.confirmed[apart] >= 1).all()


def test_a_rejected_false_negative_gets_exactly_zero_gradient() -> None:
    said = torch.zeros(8, 10, dtype=torch.int8)
    said[0, 3] = 1
    pool = some_pool(said=said)
    pool = obey(load("trainer.negatives", "uniform")(load("trainer.positives", "own_view")(pool)))
    loss = load("trainer.objectives", "supcon")(pool)
    scores_gradient = torch.autograd.grad(loss, pool.keys)[0]
    wide = ("anchors", "anchor_ids", "pos", "neg", "confirmed", "same", "said", "reference")
    without = Pool(**{**vars(pool), **{name: getattr(pool, name)[:1] for name in wide}})
    only_first = torch.autograd.grad(load("trainer.objectives", "supcon")(without), pool.keys)[0]
    assert scores_gradient.isfinite().all()
    assert (only_first[3] == 0).all() and (only_first[4] != 0).any()


def test_supcon_stays_finite_at_a_low_temperature() -> None:
    pool = curated(some_pool())
    loss = load("trainer.objectives", "supcon", temperature=0.01)(pool)
    assert loss.isfinite() and torch.autograd.grad(loss, pool.anchors)[0].isfinite().all()


def test_pair_is_zero_where_every_said_pair_is_on_its_side() -> None:
    anchors = torch.eye(2)
    said = torch.tensor([[1, -1], [-1, 1]], dtype=torch.int8)
    pool = Pool.of(anchors, anchors, torch.tensor([0, 1]), torch.tensor([2, 3]), torch.ones(2, 2), said)
    pool = obey(load("trainer.positives", "must_links")(pool))
    assert load("trainer.objectives", "pair")(pool).item() == 0


def test_keep_without_reference_says_what_to_give() -> None:
    pool = Pool.of(torch.eye(2), torch.eye(2), torch.arange(2), torch.arange(2), torch.ones(2, 2), torch.zeros(2, 2))
    with pytest.raises(BadInput, match=r"pool\.reference"):
        load("trainer.objectives", "keep")(pool)


def test_a_uniform_assignment_of_two_views_has_the_entropy_of_its_groups() -> None:
    pool = some_pool()
    groups = torch.full((8, 4), 0.25)
    value = load("trainer.objectives", "cluster")(Pool(**{**vars(pool), "anchor_groups": groups, "key_groups": groups}))
    assert value.item() == pytest.approx(math.log(7) - math.log(4), abs=1e-5)

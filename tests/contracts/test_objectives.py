"""What every objective promises. A file in trainer/objectives is tested by being there."""

from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from oracle import plugins
from tests.trainer.answered_pools import answered_pool
from trainer.negatives.uniform import NegativePolicy as Uniform
from trainer.pool import Pool, obey
from trainer.positives.must_links import PositiveSource as MustLinks
from trainer.positives.own_view import PositiveSource as OwnView

FAMILY = "trainer.objectives"
OBJECTIVES = plugins.names(FAMILY)
WIDE = ("pos", "neg", "confirmed", "same", "said", "reference")


def filled(batch: int = 8, keys: int = 12, seed: int = 0, *, said: bool = True) -> Pool:
    """Curated, keys with gradient, and with what single objectives need."""
    pool = answered_pool(batch, keys, seed=seed, said=said, same=0.3)
    pool = replace(pool, keys=pool.keys.detach().requires_grad_())
    pool = obey(Uniform()(MustLinks()(OwnView()(pool))))
    random = torch.Generator().manual_seed(seed)
    one, other = (torch.softmax(torch.randn(batch, 3, generator=random, dtype=torch.float64), 1) for _ in range(2))
    features = torch.randn(batch, 4, generator=random, dtype=torch.float64)
    reference = torch.zeros_like(pool.neg)
    return replace(pool, reference=reference, anchor_groups=one, key_groups=other, features=features)


POOLS = {
    "answered": filled,
    "nobody said anything": lambda: filled(said=False),
    "two rows": lambda: filled(2, 2),
    "one row": lambda: filled(1, 1),
    "nothing pulls": lambda: replace(filled(), pos=torch.zeros(8, 12, dtype=torch.float64)),
    "nothing pushes": lambda: replace(filled(), neg=torch.zeros(8, 12, dtype=torch.float64)),
    "equal rows": lambda: replace(
        filled(), **{k: normalize(torch.ones(n, 6).double(), dim=1).requires_grad_() for k, n in SIZES.items()}
    ),
}
SIZES = {"anchors": 8, "keys": 12}


def slopes(value: Tensor, pool: Pool) -> list[Tensor]:
    found = torch.autograd.grad(value, (pool.anchors, pool.keys), allow_unused=True) if value.requires_grad else ()
    return [one for one in found if one is not None]


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("name", OBJECTIVES)
class TestEveryObjective:
    def test_value_and_gradient_are_finite(self, name: str, kind: str) -> None:
        pool = POOLS[kind]()
        value = plugins.load(FAMILY, name)(pool)
        assert value.shape == () and value.isfinite()
        assert all(one.isfinite().all() for one in slopes(value, pool))

    def test_the_order_of_keys_does_not_matter(self, name: str, kind: str) -> None:
        pool = POOLS[kind]()
        order = torch.randperm(len(pool.keys), generator=torch.Generator().manual_seed(1))
        turned = replace(
            pool, keys=pool.keys[order], key_ids=pool.key_ids[order], **{k: getattr(pool, k)[:, order] for k in WIDE}
        )
        objective = plugins.load(FAMILY, name)
        torch.testing.assert_close(objective(turned), objective(pool), rtol=0, atol=1e-9)

    def test_what_it_was_given_stays_as_it_was(self, name: str, kind: str) -> None:
        pool = POOLS[kind]()
        given = {one.name: getattr(pool, one.name) for one in fields(pool)}
        kept = {key: value.detach().clone() for key, value in given.items() if isinstance(value, Tensor)}
        plugins.load(FAMILY, name)(pool)
        assert all(torch.equal(getattr(pool, key).detach(), value) for key, value in kept.items())

    def test_a_key_of_weight_0_has_gradient_0(self, name: str, kind: str) -> None:
        if name == "keep":
            return  # open pairs are held where they were, whatever their weight
        pool = POOLS[kind]()
        nothing = torch.zeros(len(pool.anchors), dtype=torch.float64)
        weights = {key: getattr(pool, key).clone() for key in ("pos", "neg", "confirmed")}
        for table in weights.values():
            table[:, -1] = nothing
        pool = replace(pool, **weights)
        value = plugins.load(FAMILY, name)(pool)
        slope = torch.autograd.grad(value, pool.keys, allow_unused=True)[0] if value.requires_grad else None
        assert slope is None or not slope[-1].any()

"""What every positive source promises. A file in trainer/positives is tested by being there."""

from dataclasses import fields

import pytest
import torch

from oracle import plugins
from tests.contracts.test_negatives import POOLS
from trainer.negatives.uniform import NegativePolicy as Uniform
from trainer.objectives.contrast import Objective
from trainer.pool import Pool, obey
from trainer.positives.must_links import PositiveSource as MustLinks

FAMILY = "trainer.positives"
SOURCES = plugins.names(FAMILY)


def curated(kind: str, name: str) -> Pool:
    return obey(Uniform()(MustLinks()(plugins.load(FAMILY, name)(POOLS[kind]()))))


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("name", SOURCES)
class TestEverySource:
    def test_weights_are_at_least_0_and_keep_their_shape(self, name: str, kind: str) -> None:
        pool = POOLS[kind]()
        got = plugins.load(FAMILY, name)(pool)
        assert got.pos.shape == pool.pos.shape and (got.pos >= 0).all() and (got.neg >= 0).all()
        assert got.pos.isfinite().all() and not got.pos.requires_grad

    def test_what_it_was_given_stays_as_it_was(self, name: str, kind: str) -> None:
        pool = POOLS[kind]()
        given = {one.name: getattr(pool, one.name) for one in fields(pool)}
        kept = {key: value.detach().clone() for key, value in given.items() if isinstance(value, torch.Tensor)}
        plugins.load(FAMILY, name)(pool)
        assert all(torch.equal(getattr(pool, key).detach(), value) for key, value in kept.items())

    def test_no_key_both_pulls_and_pushes(self, name: str, kind: str) -> None:
        alone = plugins.load(FAMILY, name)(POOLS[kind]())
        assert not ((alone.pos > 0) & (alone.neg > 0)).any()
        got = curated(kind, name)
        assert not ((got.pos > 0) & (got.neg + got.confirmed > 0)).any()

    def test_answers_have_the_last_word(self, name: str, kind: str) -> None:
        got = curated(kind, name)
        apart = (got.said < 0) & ~got.own
        assert (got.confirmed[apart] >= 1).all() and not got.pos[apart].any()
        assert not got.neg[(got.said > 0) | got.own].any()

    def test_every_answer_speaks_of_the_item_its_key_is_of(self, name: str, kind: str) -> None:
        """Where a source moves keys, what was said moves with them."""
        pool, got = POOLS[kind](), curated(kind, name)
        for column, number in enumerate(got.key_ids.tolist()):
            before = pool.said[:, pool.key_ids == number]
            assert (before == got.said[:, column : column + 1]).all(0).any()

    def test_the_loss_and_its_gradient_are_finite(self, name: str, kind: str) -> None:
        got = curated(kind, name)
        loss = Objective(0.2)(got)
        assert loss.isfinite()
        if loss.requires_grad:
            (slope,) = torch.autograd.grad(loss, got.anchors)
            assert slope.isfinite().all()

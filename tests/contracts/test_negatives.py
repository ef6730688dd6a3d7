"""What every negative policy promises. A file in trainer/negatives is tested by being there."""

from dataclasses import fields, replace

import pytest
import torch

from oracle import plugins
from tests.trainer.answered_pools import answered_pool
from trainer.objectives.contrast import Objective
from trainer.pool import Pool, obey
from trainer.positives.must_links import PositiveSource as MustLinks
from trainer.positives.own_view import PositiveSource as OwnView

FAMILY = "trainer.negatives"
POLICIES = plugins.names(FAMILY)


def queue_pool() -> Pool:
    """No own view among the keys, but an earlier key of the second anchor's item."""
    pool = answered_pool(batch=5, keys=14, seed=3)
    return replace(pool, key_ids=torch.tensor([1, *range(100, 113)]), said=pool.said.masked_fill(pool.own, 0))


def linked_pool() -> Pool:
    pool = answered_pool(batch=4, keys=4, said=False)
    return replace(pool, said=torch.where(pool.own, 0, 1).to(torch.int8), same=torch.ones_like(pool.same))


POOLS = {
    "batch": answered_pool,
    "queue": queue_pool,
    "one row": lambda: answered_pool(batch=1, keys=1),
    "all linked": linked_pool,
    "all likely the same": lambda: answered_pool(same=0.95),
    "support": lambda: replace(
        answered_pool(), support=torch.nn.functional.normalize(torch.ones(8, 3, 6, dtype=torch.float64), dim=2)
    ),
}


def policy_of(name: str):
    """Ready for a step, as the loops make it ready."""
    policy = plugins.load(FAMILY, name)
    if hasattr(policy, "refresh"):
        table = torch.nn.functional.normalize(torch.randn(14, 6, generator=torch.Generator().manual_seed(1)), dim=1)
        policy.refresh(table, torch.arange(14), 1.0)
    return policy


def curated(pool: Pool, policy) -> Pool:
    return obey(policy(MustLinks()(OwnView()(replace(pool, progress=1.0)))))


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("name", POLICIES)
class TestEveryPolicy:
    def test_weights_are_chances_and_shares_in_range(self, name: str, kind: str) -> None:
        got = curated(POOLS[kind](), policy_of(name))
        assert (got.pos >= 0).all() and (got.neg >= 0).all() and (got.confirmed >= 0).all()
        assert got.synthetic_weight is None or (got.synthetic_weight >= 0).all()
        assert got.tau_plus is None or ((got.tau_plus >= 0) & (got.tau_plus < 1)).all()
        assert got.count is None or (got.count >= 0).all()

    def test_what_it_was_given_stays_as_it_was(self, name: str, kind: str) -> None:
        pool = replace(POOLS[kind](), progress=1.0)
        before = {one.name: getattr(pool, one.name) for one in fields(pool)}
        kept = {key: value.detach().clone() for key, value in before.items() if isinstance(value, torch.Tensor)}
        policy_of(name)(pool)
        assert all(torch.equal(getattr(pool, key).detach(), value) for key, value in kept.items())

    def test_no_key_both_pulls_and_pushes(self, name: str, kind: str) -> None:
        got = curated(POOLS[kind](), policy_of(name))
        assert not ((got.pos > 0) & (got.neg + got.confirmed > 0)).any()

    def test_answers_have_the_last_word(self, name: str, kind: str) -> None:
        got = curated(POOLS[kind](), policy_of(name))
        apart = (got.said < 0) & ~got.own
        assert (got.confirmed[apart] >= 1).all() and (got.pos[apart] == 0).all() and (got.neg[apart] == 0).all()
        together = (got.said > 0) | got.own
        assert (got.neg[together] == 0).all() and (got.confirmed[together] == 0).all()

    def test_the_loss_and_its_gradient_are_finite(self, name: str, kind: str) -> None:
        pool = POOLS[kind]()
        loss = Objective(0.2)(curated(pool, policy_of(name)))
        loss.backward()
        assert torch.isfinite(loss)
        assert pool.anchors.grad is None or torch.isfinite(pool.anchors.grad).all()

    def test_the_same_seed_does_the_same(self, name: str, kind: str) -> None:
        one, other = (curated(POOLS[kind](), policy_of(name)) for _ in range(2))
        for field in (each for each in fields(one) if each.compare):
            a, b = getattr(one, field.name), getattr(other, field.name)
            assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


@pytest.mark.parametrize("name", ["fnc", "ifnd", "adco", "unremix"])
def test_what_is_likely_the_same_does_not_push_unless_an_answer_says_so(name: str) -> None:
    pool = answered_pool(batch=6, keys=10, same=0.1)
    likely = torch.rand(pool.same.shape, generator=torch.Generator().manual_seed(4)) > 0.5
    got = policy_of(name)(replace(pool, same=torch.where(likely, 0.9, 0.1).double()))
    assert (got.neg[(likely & (pool.said == 0)) | (pool.said > 0)] == 0).all()
    assert (obey(got).confirmed[(pool.said < 0) & ~pool.own] >= 1).all() and (got.neg > 0).any()


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_with_memory_resumes_bit_equal(name: str) -> None:
    one = policy_of(name)
    if not hasattr(one, "state"):
        assert not hasattr(one, "after_step") and not hasattr(one, "refresh")
        return
    pool = answered_pool()
    used = curated(pool, one)
    if hasattr(one, "after_step"):
        one.after_step(used)
    other = plugins.load(FAMILY, name)
    other.load_state(one.state())
    left, right = curated(pool, one), curated(pool, other)
    for field in (each for each in fields(left) if each.compare):
        a, b = getattr(left, field.name), getattr(right, field.name)
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b

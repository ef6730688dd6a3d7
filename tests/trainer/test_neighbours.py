"""Positives from neighbours: against plain loops, with answers, with earlier keys of the very item."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from trainer.negatives.uniform import NegativePolicy as Uniform
from trainer.objectives.align import Objective as Align
from trainer.pool import Pool, obey
from trainer.positives.must_links import PositiveSource as MustLinks
from trainer.positives.nearest import PositiveSource as Nearest
from trainer.positives.neighbours import PositiveSource as Neighbours

BATCH, QUEUE = 6, 20


def pool_of(said: Tensor | None = None, *, again: bool = False) -> Pool:
    """Keys of the batch, then a queue; again: its first key is an earlier one of the first item, and the nearest."""
    random = torch.Generator().manual_seed(3)
    unit = lambda n: normalize(torch.randn(n, 5, generator=random, dtype=torch.float64), dim=1)  # noqa: E731
    anchors, keys = unit(BATCH), unit(BATCH + QUEUE)
    ids, key_ids = torch.arange(BATCH), torch.arange(BATCH + QUEUE)
    if again:
        key_ids[BATCH], keys[BATCH] = 0, keys[0]
    said = torch.zeros(BATCH, BATCH + QUEUE, dtype=torch.int8) if said is None else said
    return Pool.of(anchors.requires_grad_(), keys, ids, key_ids, said.double().clamp_min(0), said)


def ranked(pool: Pool, i: int, start: int = 0) -> list[int]:
    """Keys from `start` on, nearest to the own key of anchor i first."""
    near = [(float(pool.keys[i] @ pool.keys[j]), j) for j in range(start, len(pool.keys))]
    return [j for _, j in sorted(near, reverse=True)]


def test_the_k_keys_nearest_to_the_own_key_pull_and_the_own_key_is_one_of_them() -> None:
    pool = pool_of()
    got = Neighbours(5)(pool)
    for i in range(BATCH):
        assert set(got.pos[i].nonzero()[:, 0].tolist()) == set(ranked(pool, i)[:5]) and got.pos[i, i] == 1
    assert not got.neg[got.pos > 0].any()


def test_near_to_the_own_key_is_not_near_to_the_prediction() -> None:
    pool = pool_of()
    moved = replace(pool, anchors=pool.anchors.flip(0))
    assert torch.equal(Neighbours(3)(moved).pos, Neighbours(3)(pool).pos)


def test_the_mean_over_a_neighbourhood_weighs_each_with_one_kth() -> None:
    pool = pool_of()
    pool = replace(pool, anchors=pool.anchors.detach())
    total = sum(float(2 - 2 * pool.anchors[i] @ pool.keys[j]) / 4 for i in range(BATCH) for j in ranked(pool, i)[:4])
    assert Align()(obey(Neighbours(4)(pool))).item() == pytest.approx(total / BATCH, abs=1e-12)


def test_what_answers_hold_apart_is_passed_over_and_a_must_link_joins() -> None:
    pool = pool_of()
    second, last = ranked(pool, 0)[1], ranked(pool, 0)[-1]
    said = torch.zeros(BATCH, BATCH + QUEUE, dtype=torch.int8)
    said[0, second], said[0, last] = -1, 1
    pool = pool_of(said)
    got = obey(MustLinks()(Neighbours(3)(pool)))
    kept = [j for j in ranked(pool, 0) if j != second][:3]
    assert set(got.pos[0].nonzero()[:, 0].tolist()) == {*kept, last}
    assert got.pos[0, last] == got.pos[0, kept[0]] == 1


def test_with_fewer_keys_than_wanted_all_pull_and_an_anchor_without_its_key_gets_none() -> None:
    got = Neighbours(100)(pool_of())
    assert (got.pos > 0).all()
    stranger = replace(pool_of(), anchor_ids=torch.arange(BATCH) + 1000)
    assert not Neighbours(3)(stranger).pos.any()
    with pytest.raises(BadInput, match="k = at least 1 key expected, got 0"):
        Neighbours(0)


def test_every_key_of_the_batch_becomes_its_nearest_earlier_key_with_its_id() -> None:
    pool = pool_of()
    got = Uniform()(Nearest()(pool))
    for i in range(BATCH):
        taken = ranked(pool, i, BATCH)[0]
        assert torch.equal(got.keys[i], pool.keys[taken]) and got.key_ids[i] == taken
    assert torch.equal(got.pos[:, :BATCH], torch.eye(BATCH)) and torch.equal(got.keys[BATCH:], pool.keys[BATCH:])
    assert not (got.neg[:, :BATCH] * got.pos[:, :BATCH]).any()


@pytest.mark.parametrize("itself", [False, True])
def test_an_earlier_key_of_the_very_item_is_no_neighbour_unless_wanted(itself: bool) -> None:
    pool = pool_of(again=True)
    got = Nearest(itself=itself)(pool)
    assert (int(got.key_ids[0]) == 0) == itself and torch.equal(got.keys[0], pool.keys[0]) == itself


def test_a_neighbour_held_apart_is_passed_over_and_its_answers_come_with_the_next() -> None:
    first, second = ranked(pool_of(), 0, BATCH)[:2]
    said = torch.zeros(BATCH, BATCH + QUEUE, dtype=torch.int8)
    said[0, first], said[3, second] = -1, -1
    got = obey(Uniform()(Nearest()(pool_of(said))))
    assert got.key_ids[0] == second and got.pos[0, 0] == 1
    assert got.said[3, 0] == -1 and got.confirmed[3, 0] == 2 and got.neg[3, 0] == 0


def test_without_earlier_keys_a_key_stays_itself() -> None:
    pool = pool_of().first(BATCH)
    got = Nearest()(pool)
    assert torch.equal(got.keys, pool.keys) and torch.equal(got.pos, torch.eye(BATCH, dtype=torch.float64))
    apart = -torch.ones(BATCH, BATCH + QUEUE, dtype=torch.int8)
    assert torch.equal(Nearest()(pool_of(apart)).keys[:BATCH], pool_of().keys[:BATCH])


def test_keys_that_were_only_looked_at_leave_the_pool_and_one_that_an_answer_names_keeps_them() -> None:
    late = torch.arange(BATCH + QUEUE) >= BATCH
    said = torch.zeros(BATCH, BATCH + QUEUE, dtype=torch.int8)
    swapped = Nearest()(pool_of().resting(late))
    whole = Nearest()(pool_of())
    assert len(swapped.keys) == BATCH and len(whole.keys) == BATCH + QUEUE
    for name in ("keys", "key_ids"):
        assert torch.equal(getattr(swapped, name), getattr(whole, name)[:BATCH])
    for name in ("pos", "neg", "same", "said", "own"):
        assert torch.equal(getattr(swapped, name), getattr(whole, name)[:, :BATCH])
    said[0, -1] = 1
    assert len(Nearest()(pool_of(said).resting(late)).keys) == BATCH + QUEUE


def test_a_pool_compares_ids_again_where_they_are_others() -> None:
    pool = pool_of()
    assert pool.own is replace(pool, keys=pool.keys.flip(0)).own
    assert torch.equal(replace(pool, key_ids=pool.key_ids.flip(0)).own, pool.own.flip(1))

"""Distillation (SEED) and dropout as the only view (SimCSE), against plain loops."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from tests.patterns import patterns
from tests.trainer.pools import closed_form, make_pool
from trainer.methods.seed import Method as Seed
from trainer.methods.simcse import PLAIN
from trainer.methods.simcse import Method as SimCSE
from trainer.pool import Pool, obey
from trainer.positives.distilled import PositiveSource
from trainer.recipe import Term, build
from trainer.training import Training, TrainSettings

PLAN = TrainSettings(size=16, batch=16, epochs=2, projection=16)
IDS = 5 + 2 * np.arange(32)


def curated(pool: Pool, term: Term) -> Pool:
    for source in term.positives:
        pool = source(pool)
    return obey(term.negatives(pool))


def taught(queue: int = 7, said: dict[tuple[int, int], int] | None = None) -> Pool:
    """Four students against a teacher's four keys and a queue; ids of the batch 0 to 3, of the queue from 10."""
    students = closed_form(4, 5, 0.2).requires_grad_()
    keys = closed_form(4 + queue, 5, 1.9)
    ids = torch.arange(4)
    answers = torch.zeros(4, 4 + queue, dtype=torch.int8)
    for pair, verdict in (said or {}).items():
        answers[pair] = verdict
    key_ids = torch.cat([ids, 10 + torch.arange(queue)])
    pool = Pool.of(students, keys, ids, key_ids, (answers > 0).double(), answers)
    return pool.resting(torch.arange(4 + queue) < 4)


def cross_entropy(students: Tensor, keys: Tensor, tau: float, sharp: float) -> Tensor:
    """Of the softmax over own key and queue, one pair at a time."""
    losses = []
    for i in range(len(students)):
        columns = [i, *range(len(students), len(keys))]
        teacher = [math.exp(float(keys[i] @ keys[j]) / sharp) for j in columns]
        student = [torch.exp(students[i] @ keys[j] / tau) for j in columns]
        total = torch.stack(student).sum()
        parts = [t / sum(teacher) * torch.log(s / total) for t, s in zip(teacher, student, strict=True)]
        losses.append(-torch.stack(parts).sum())
    return torch.stack(losses).mean()


@pytest.mark.parametrize("sharp", [0.01, 0.1])
def test_seed_is_the_cross_entropy_of_two_softmaxes(sharp: float) -> None:
    (term,) = Seed(sharp=sharp).recipe().terms
    pool = taught()
    again = pool.anchors.detach().clone().requires_grad_()
    value, expected = term.objective(curated(pool, term)), cross_entropy(again, pool.keys, 0.2, sharp)
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)
    mine, theirs = torch.autograd.grad(value, pool.anchors)[0], torch.autograd.grad(expected, again)[0]
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-9)


def test_what_a_very_sharp_teacher_rules_out_pushes_in_full() -> None:
    """Its share underflows to 0, and the denominator still has it."""
    (term,) = Seed(sharp=1e-4).recipe().terms
    pool = taught()
    made = curated(pool, term)
    assert (made.pos[:, 4:] == 0).any() and ((made.pos[:, 4:] > 0) ^ (made.neg[:, 4:] > 0)).all()
    expected = -torch.log_softmax(pool.anchors @ pool.keys.T / 0.2, 1)
    own = torch.arange(4)
    columns = torch.cat([torch.eye(4, dtype=torch.bool), torch.ones(4, 7, dtype=torch.bool)], 1)
    scores = (pool.anchors @ pool.keys.T / 0.2).masked_fill(~columns, -torch.inf)
    assert torch.allclose(made.pos[own, own], torch.ones(4, dtype=torch.float64)) and expected.isfinite().all()
    torch.testing.assert_close(term.objective(made), -torch.log_softmax(scores, 1)[own, own].mean(), rtol=0, atol=1e-9)


def test_an_answer_outranks_the_teacher() -> None:
    made = curated(taught(said={(0, 5): -1, (1, 6): 1}), Seed().recipe().terms[0])
    assert made.pos[0, 5] == 0 and made.confirmed[0, 5] == 2 and made.neg[1, 6] == 0
    assert not made.pos[:, :4][~torch.eye(4, dtype=torch.bool)].any() and not made.neg[:, :4].any()


def test_a_teacher_without_sharpness_is_refused() -> None:
    with pytest.raises(BadInput, match="sharp > 0 expected"):
        PositiveSource(0.0)


def test_the_teacher_sees_its_own_size_stays_still_and_its_keys_fill_the_queue() -> None:
    run, seen = Training(build("seed", {"side": "32"}), patterns(32)[0], IDS, PLAN), []
    sides: list[int] = []
    teacher = run.encoders.teacher
    assert teacher is not None and run.encoders.network.outputs == 1280
    teacher.backbone.register_forward_hook(lambda module, given, made: sides.append(given[0].shape[-1]))
    before = {key: value.clone() for key, value in teacher.state_dict().items()}
    run.step(lambda pool: seen.append(pool) or {})
    assert set(sides) == {32} and all(torch.equal(before[key], value) for key, value in teacher.state_dict().items())
    pool = seen[0]
    assert pool.keys.shape == (16 + 32, 1280) and not pool.keys.requires_grad
    torch.testing.assert_close(pool.keys.norm(dim=1), torch.ones(48))
    own = torch.arange(16)
    assert (pool.pos[own, own] > 0).all() and not pool.pos[:, :16][~torch.eye(16, dtype=torch.bool)].any()


def test_a_teachers_pictures_are_scaled_by_its_own_mean_and_deviation() -> None:
    run = Training(build("seed", {"side": "32"}), patterns(32)[0], IDS, PLAN)
    teacher = run.encoders.teacher
    assert teacher is not None
    pixels = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = normalize(teacher.backbone((pixels - 0.5) / 0.5), dim=1)
    torch.testing.assert_close(run.encoders.keys(pixels), expected)


def test_simcse_is_the_loop_over_one_direction_with_hard_negatives_twice() -> None:
    (term,) = SimCSE(temperature=0.05).recipe().terms
    one, other = closed_form(5, 4, 0.3).requires_grad_(), closed_form(5, 4, 0.5).requires_grad_()
    ids, said = torch.arange(5), torch.zeros(5, 5, dtype=torch.int8)
    said[1, 3] = -1
    pool = curated(Pool.of(one, other, ids, ids, said.double() * 0, said), term)
    losses = []
    for i in range(5):
        weight = [2.0 if (i, j) == (1, 3) else 1.0 for j in range(5)]
        mass = torch.stack([w * torch.exp(one[i] @ other[j] / 0.05) for j, w in enumerate(weight)]).sum()
        losses.append(-torch.log(torch.exp(one[i] @ other[i] / 0.05) / mass))
    value, expected = term.objective(pool), torch.stack(losses).mean()
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)
    mine, loops = (torch.autograd.grad(found, (one, other)) for found in (value, expected))
    for ours, theirs in zip(mine, loops, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)


def test_the_two_views_of_simcse_are_the_picture_itself_and_only_dropout_tells_them_apart() -> None:
    pictures = torch.from_numpy(patterns(4)[0]).permute(0, 3, 1, 2)
    torch.testing.assert_close(PLAIN(pictures, torch.Generator()), pictures / 255, rtol=0, atol=1e-5)
    seen: list[Pool] = []
    for dropout in ("0.0", "0.3"):
        run = Training(build("simcse", {"dropout": dropout}), patterns(32)[0], IDS, PLAN)
        run.step(lambda pool: seen.append(pool) or {})
    torch.testing.assert_close(seen[0].anchors, seen[0].keys)
    assert (seen[1].anchors - seen[1].keys).abs().max() > 0.01 and seen[1].keys.requires_grad


def test_a_pool_without_a_queue_has_the_own_key_alone() -> None:
    pool = make_pool(closed_form(3, 4, 0.1), closed_form(3, 4, 0.2), torch.zeros(3, 3), torch.ones(3, 3))
    torch.testing.assert_close(PositiveSource()(pool).pos, torch.eye(3, dtype=torch.float64))

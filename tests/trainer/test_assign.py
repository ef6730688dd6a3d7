"""Assigned prediction (SwAV, DINO): lightly's values, plain loops, answers, and what a run keeps of it."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightly.loss import DINOLoss, SwaVLoss
from lightly.loss.swav_loss import sinkhorn as their_sinkhorn
from lightly.models.modules.center import Center
from torch import Tensor

from db.errors import BadInput
from tests.patterns import patterns
from tests.trainer.pools import closed_form, make_pool
from trainer.objectives.assign import Objective, sinkhorn
from trainer.pool import Pool, obey
from trainer.positives.must_links import PositiveSource as MustLinks
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.prototypes import Prototypes, prototypes
from trainer.recipe import build
from trainer.training import Training, TrainSettings
from trainer.training_state import read, restore, write

PLAN = TrainSettings(size=16, batch=32, epochs=2, projection=16)
IDS = 5 + 2 * np.arange(64)
EXACT = {"rtol": 0.0, "atol": 1e-9}


def scores(views: int, batch: int = 6, count: int = 5) -> list[Tensor]:
    """(B, C) of each view, without random numbers, inside [-1, 1]."""
    return [closed_form(batch, count, 0.1 + 0.7 * view).requires_grad_() for view in range(views)]


def facing(anchors: Tensor, keys: Tensor, said: Tensor | None = None) -> Pool:
    """Each anchor meets the key of its own item, and keys beyond the batch of nobody's."""
    ids = torch.arange(len(anchors))
    others = torch.cat([ids, 100 + torch.arange(len(keys) - len(anchors))])
    shape = len(anchors), len(keys)
    said = torch.zeros(shape, dtype=torch.int8) if said is None else said
    return obey(MustLinks()(OwnView()(Pool.of(anchors, keys, ids, others, (said > 0).to(anchors), said))))


def over_matches(objective: Objective, seen: list[Tensor], given: list[Tensor]) -> Tensor:
    """The mean over the matches of a multi-crop method."""
    matches = [(anchor, key) for key in range(2) for anchor in range(len(seen)) if anchor != key]
    return torch.stack([objective(facing(seen[anchor], given[key])) for anchor, key in matches]).mean()


@pytest.mark.parametrize(("epsilon", "iterations"), [(0.05, 3), (0.5, 1), (0.02, 10)])
def test_sinkhorn_gives_lightlys_assignments_and_rows_of_mass_one(epsilon: float, iterations: int) -> None:
    (given,) = (one.detach() for one in scores(1, batch=9))
    found = sinkhorn(given, epsilon, iterations)
    torch.testing.assert_close(found, their_sinkhorn(given.clone(), iterations, epsilon), **EXACT)
    torch.testing.assert_close(found.sum(1), torch.ones(9, dtype=torch.float64), **EXACT)


def test_sinkhorn_uses_every_prototype_alike_where_it_has_time_and_never_overflows() -> None:
    (given,) = (one.detach() for one in scores(1, batch=9))
    torch.testing.assert_close(sinkhorn(given, 0.5, 200).sum(0), torch.full((5,), 9 / 5, dtype=torch.float64))
    assert sinkhorn(given.float(), 1e-4, 3).isfinite().all()
    sharp = torch.cat([closed_form(9, 5, 1.0), -closed_form(9, 5, 1.0)]).float()  # cosines
    torch.testing.assert_close(sinkhorn(sharp, 0.003, 3).sum(1), torch.ones(18))


def test_views_that_face_the_same_keys_share_their_assignment_until_the_centre_moves() -> None:
    objective, keys = Objective(assignment="softmax"), closed_form(6, 5, 0.5)
    first = objective.assigned(keys)
    assert objective.assigned(keys) is first and torch.equal(objective.assigned(keys.clone()), first)
    objective.after_keys(keys)
    assert not torch.equal(objective.assigned(keys), first)


@pytest.mark.parametrize("queue", [0, 7])
def test_value_and_gradient_of_swav_with_small_views_and_a_queue_are_lightlys(queue: int) -> None:
    ours, theirs = scores(4), scores(4)
    earlier = [closed_form(queue, 5, 3.0 + n) for n in range(2)] if queue else None
    given = [torch.cat([ours[n].detach(), *([earlier[n]] if earlier else [])]) for n in range(2)]
    value = over_matches(Objective(0.1, "sinkhorn"), ours, given)
    expected = SwaVLoss(temperature=0.1)(theirs[:2], theirs[2:], earlier)
    torch.testing.assert_close(value, expected.squeeze(), **EXACT)
    both = zip(torch.autograd.grad(value, ours), torch.autograd.grad(expected, theirs), strict=True)
    for mine, other in both:
        torch.testing.assert_close(mine, other, **EXACT)


def test_value_gradient_and_centre_of_dino_are_lightlys_over_three_steps() -> None:
    objective = Objective(0.1, "softmax", sharp=0.0625, momentum=0.9)
    reference = DINOLoss(5, teacher_temp=0.0625).double()
    centre = Center((1, 5))
    centre.center = centre.center.double()
    for step in range(3):
        ours, theirs = scores(4), scores(4)
        taught = [closed_form(6, 5, 5.0 + step + n) for n in range(2)]
        value, expected = over_matches(objective, ours, taught), reference(taught, theirs)
        objective.after_keys(torch.cat(taught))
        centre.update(torch.cat(taught))
        torch.testing.assert_close(value, expected, **EXACT)
        both = zip(torch.autograd.grad(value, ours), torch.autograd.grad(expected, theirs), strict=True)
        for mine, other in both:
            torch.testing.assert_close(mine, other, **EXACT)
        torch.testing.assert_close(objective.state()["centre"], reference.center.view(-1), **EXACT)
        torch.testing.assert_close(objective.state()["centre"], centre.value[0], **EXACT)


def in_loops(anchors: Tensor, keys: Tensor, pull: Tensor, tau: float, sharp: float) -> float:
    """The cross entropy, one prototype at a time, over anchors with a positive."""
    losses = []
    for i in range(len(anchors)):
        total = float(pull[i].sum())
        if total == 0:
            continue
        whole, loss = sum(math.exp(float(s) / tau) for s in anchors[i]), 0.0
        for j in range(len(keys)):
            mass = sum(math.exp(float(s) / sharp) for s in keys[j])
            for c in range(anchors.shape[1]):
                q = math.exp(float(keys[j, c]) / sharp) / mass
                loss -= float(pull[i, j]) / total * q * (float(anchors[i, c]) / tau - math.log(whole))
        losses.append(loss)
    return sum(losses) / len(losses)


def test_weighted_positives_average_assignments_and_anchors_without_one_do_not_count() -> None:
    """Trap: averaged over all anchors, those without a positive would shrink the loss of sparse answers."""
    anchors, keys = scores(2)
    pull = torch.tensor([[0.0] * 6, [1, 0, 0, 2, 0, 0], [0, 0, 0.5, 0, 0, 0], [0] * 6, [0] * 6, [1, 1, 1, 1, 0, 0]])
    pool = make_pool(anchors, keys, pull.double(), pull.double() * 0)
    value = Objective(0.1, "softmax", sharp=0.07)(pool)
    assert value.item() == pytest.approx(in_loops(anchors.detach(), keys.detach(), pull, 0.1, 0.07), abs=1e-9)
    (gradient,) = torch.autograd.grad(value, anchors)
    assert not gradient[[0, 3, 4]].any() and gradient[[1, 2, 5]].any(1).all()
    nobody = Objective()(replace(pool, pos=pool.pos * 0))
    assert nobody.item() == 0.0 and not torch.autograd.grad(nobody, anchors)[0].any()


def test_no_gradient_reaches_the_assignments() -> None:
    anchors, keys = scores(2)
    for assignment in ("sinkhorn", "softmax"):
        value = Objective(assignment=assignment)(facing(anchors, keys))
        assert torch.autograd.grad(value, keys, allow_unused=True) == (None,)


def test_a_must_link_makes_an_anchor_predict_its_partner_and_a_cannot_link_does_not() -> None:
    anchors, keys = scores(2)
    said = torch.zeros(6, 6, dtype=torch.int8)
    said[0, 3], said[1, 4] = 1, -1
    objective = Objective(0.1, "softmax", sharp=0.07)
    q = objective.assigned(keys)
    (gradient,) = torch.autograd.grad(objective(facing(anchors, keys, said)), anchors)
    predicted = torch.softmax(anchors / 0.1, 1)
    torch.testing.assert_close(gradient[0] * 6 * 0.1, predicted[0] - (q[0] + q[3]) / 2, **EXACT)
    torch.testing.assert_close(gradient[1] * 6 * 0.1, predicted[1] - q[1], **EXACT)


def test_settings_that_cannot_be_are_named() -> None:
    with pytest.raises(BadInput, match="assignment = one of sinkhorn, softmax expected, got 'kmeans'"):
        Objective(assignment="kmeans")
    with pytest.raises(BadInput, match="epsilon > 0 expected"):
        Objective(epsilon=0.0)
    with pytest.raises(BadInput, match="momentum = at least 0 and below 1"):
        Objective(momentum=1.0)


def test_scores_are_cosines_whatever_the_length_of_a_prototype() -> None:
    layer = Prototypes(4, 3).double()
    z = closed_form(5, 4, 0.3)
    before = layer(5 * z)
    with torch.no_grad():
        layer.weight *= 7
    torch.testing.assert_close(layer(z), before, **EXACT)
    torch.testing.assert_close(before, z @ torch.nn.functional.normalize(layer.weight, dim=1).T, **EXACT)


def training(name: str, settings: dict[str, str] | None = None) -> Training:
    return Training(build(name, settings), patterns(64)[0], IDS, PLAN)


@pytest.mark.parametrize("name", ["swav", "dino"])
def test_prototypes_stay_for_the_first_epoch_and_move_then(name: str) -> None:
    run = training(name)
    (weight,) = prototypes(run.encoders.network)
    before = weight.detach().clone()
    for _ in range(run.steps_each):
        run.step()
    assert torch.equal(weight, before)
    run.step()
    assert not torch.equal(weight, before)


@pytest.mark.parametrize("name", ["swav", "dino"])
def test_every_view_predicts_both_large_ones_but_itself_and_only_small_ones_are_small(name: str) -> None:
    run, seen = training(name), []
    run.step(lambda pool: seen.append(pool) or {})
    assert run.recipe.matches == ((1, 0), (2, 0), (3, 0), (0, 1), (2, 1), (3, 1))
    assert [view.side for view in run.recipe.views] == [1.0, 1.0, 0.5, 0.5]
    assert not seen[0].keys.requires_grad and seen[0].keys.abs().max() <= 1 + 1e-6


def test_a_queue_shares_the_prototypes_wraps_without_a_gap_and_goes_on_bit_equal(tmp_path: Path) -> None:
    """Traps: a queue that a checkpoint forgets, that drops what does not fit its end, or that breaks the gradient."""
    whole, first, second = (training("swav", {"queue": "40"}) for _ in range(3))
    seen: list[Pool] = []
    first.step(lambda pool: seen.append(pool) or {})
    assert len(seen[0].keys) == 32 + 40
    assert first.queue is not None and len(first.queue.ids) == 40
    for place in range(32):  # all of the batch is in it, around its end
        held = first.queue.keys[first.queue.ids == seen[0].key_ids[place]]
        assert (held == seen[0].keys[place]).all(1).any()
    first.step()
    write(tmp_path / "state", first, {})
    stored = read(tmp_path / "state", {})
    assert stored is not None
    restore(second, stored)
    for run in (whole, second):
        while run.done < run.steps:
            run.step()
    np.testing.assert_array_equal(whole.embed(), second.embed())


def test_the_centre_is_kept_with_the_run(tmp_path: Path) -> None:
    run, again = training("dino"), training("dino")
    run.step()
    centre = run.terms[0].objective.state()["centre"]  # type: ignore[attr-defined]
    assert centre.abs().max() > 0
    write(tmp_path / "state", run, {})
    stored = read(tmp_path / "state", {})
    assert stored is not None
    restore(again, stored)
    assert torch.equal(again.terms[0].objective.state()["centre"], centre)  # type: ignore[attr-defined]

"""What recipes can ask of the trainer: several views, targets, predictors, centroids, labels, answers that push."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from db.errors import BadInput
from db.nouns import Verdict
from tests.patterns import patterns
from tests.trainer.test_training import IDS, PLAN, answered
from trainer.centroid import Centroid
from trainer.heads import MLP
from trainer.labelled import Labelled
from trainer.methods.all4one import Method as All4One
from trainer.objectives.align import Objective as Align
from trainer.objectives.contrast import Objective as Contrast
from trainer.objectives.decorrelate import Objective as Decorrelate
from trainer.overlay import overlaid
from trainer.pool import Pool
from trainer.recipe import Recipe, Term, build
from trainer.target import Average
from trainer.training import Training, TrainSettings
from trainer.training_state import restore, state_of
from trainer.views import Views

CPU = torch.device("cpu")
TURNED = ((0, 1), (1, 0))


def training(recipe: Recipe, overlay: object = None, **plan: object) -> Training:
    return Training(recipe, patterns(64)[0], IDS, replace(PLAN, **plan), overlay)  # type: ignore[arg-type]


def pools(run: Training, term: int = 0) -> list[Pool]:
    """Of the next step, before any curation."""
    run._fill_queue()
    return run._look(run._rows()).pools(run.terms[term], run.recipe, run.encoders)


# several views ----------------------------------------------------------------------------------------------------
def test_small_crops_are_anchors_of_large_ones() -> None:
    views = (Views(), Views(), Views(side=0.5), Views(side=0.5))
    matches = tuple((small, large) for large in (0, 1) for small in (0, 1, 2, 3) if small != large)
    run = training(Recipe((Term(Contrast()),), both_views=False, views=views, matches=matches))
    made = pools(run)
    assert len(made) == 6 and all(pool.anchors.shape == pool.keys.shape == (32, 16) for pool in made)
    assert torch.equal(made[0].keys, made[1].keys) and not torch.equal(made[0].anchors, made[1].anchors)
    assert np.isfinite(run.step()["loss"])


def test_a_term_is_the_mean_over_its_matches_and_may_have_its_own() -> None:
    both = Recipe((Term(Contrast()),), both_views=False, matches=TURNED)
    losses = [training(replace(both, terms=(Term(Contrast(), matches=(match,)),))).step()["loss"] for match in TURNED]
    assert training(both).step()["loss"] == pytest.approx(sum(losses) / 2, rel=1e-5)


# targets ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("stopped", [True, False])
def test_keys_of_the_network_itself_have_no_gradient_where_they_are_stopped(stopped: bool) -> None:
    run = training(Recipe((Term(Align()),), both_views=False, stopped=stopped))
    (pool,) = pools(run)
    assert pool.keys.requires_grad != stopped and pool.anchors.requires_grad


@pytest.mark.parametrize("name", ["byol", "msf", "simsiam", "all4one", "nnclr"])
def test_no_gradient_goes_through_the_keys_of_a_system_that_only_its_predictor_keeps_from_collapse(name: str) -> None:
    run = training(build(name))
    assert all(not pool.keys.requires_grad and pool.anchors.requires_grad for pool in pools(run))


def test_momentum_rises_as_half_a_cosine() -> None:
    rising = Average(nn.Linear(2, 2), 0.9, 1.0)
    for progress in (0.0, 0.25, 0.5, 1.0):
        assert rising.at(progress) == pytest.approx(1 - 0.1 * (1 + math.cos(math.pi * progress)) / 2)
    assert rising.at(0) == pytest.approx(0.9) and rising.at(1) == pytest.approx(1)
    assert Average(nn.Linear(2, 2), 0.9).at(0.7) == pytest.approx(0.9)
    with pytest.raises(BadInput, match=r"final momentum = 0\.9 to 1 expected, got 0\.8"):
        Average(nn.Linear(2, 2), 0.9, 0.8)


def test_at_the_end_of_its_rise_the_target_stands_still() -> None:
    run = training(build("byol"))
    run.done = run.steps - 1
    before = [weight.clone() for weight in run.encoders.average.network.parameters()]  # type: ignore[union-attr]
    run.step()
    after = run.encoders.average.network.parameters()  # type: ignore[union-attr]
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))


# predictors -----------------------------------------------------------------------------------------------------------
def test_anchors_go_through_the_predictor_of_their_term_and_keys_through_none() -> None:
    heads = (MLP(8), nn.Linear)
    terms = tuple(Term(Align(), predictor=number) for number in (None, 0, 1))
    run = training(Recipe(terms, both_views=False, stopped=True, predictors=heads))
    seen = run._look(run._rows())
    plain, first, second = (seen.pools(term, run.recipe, run.encoders)[0] for term in run.terms)
    assert torch.equal(plain.keys, first.keys) and torch.equal(first.keys, second.keys)
    linear = run.encoders.network.predictors[1]
    torch.testing.assert_close(second.anchors, normalize(linear(seen.online[0]), dim=1))
    assert not torch.equal(plain.anchors, first.anchors)


def test_the_step_size_of_steady_predictors_does_not_fall() -> None:
    run = training(build("simsiam"))
    rates = []
    for _ in range(run.steps):
        run.step()
        rates.append([group["lr"] for group in run.optimizer.param_groups])
    assert [later for _, later in rates] == [run.rate] * run.steps and rates[-1][0] < 0.5 * run.rate
    counted = sum(len(group["params"]) for group in run.optimizer.param_groups)
    assert counted == len(list(run.encoders.network.parameters()))


def test_a_run_with_two_groups_of_weights_goes_on_bit_equal() -> None:
    whole, first, second = (training(build("simsiam")) for _ in range(3))
    for _ in range(3):
        first.step()
    restore(second, state_of(first))
    for run in (whole, second):
        while run.done < run.steps:
            run.step()
    np.testing.assert_array_equal(whole.embed(), second.embed())


def test_heads_are_as_deep_as_said_and_refuse_what_cannot_be() -> None:
    head = MLP(7, layers=3, closed=True)(5, 4)
    assert [tuple(layer.weight.shape) for layer in head if isinstance(layer, nn.Linear)] == [(7, 5), (7, 7), (4, 7)]
    closed = head(torch.randn(64, 5, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(closed.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    with pytest.raises(BadInput, match="layers = 1 or more expected, got 0"):
        MLP(layers=0)


# neighbours -----------------------------------------------------------------------------------------------------------
def test_the_queue_of_nnclr_is_looked_up_and_never_pushes() -> None:
    run, seen = training(build("nnclr")), []
    run.step(lambda pool: seen.append(pool) or {})
    pool: Pool = seen[0]
    assert len(run.queue.ids) == 96 and len(pool.keys) == 32 and (pool.pos.sum(1) == 1).all()  # type: ignore[union-attr]
    assert not torch.equal(pool.key_ids[:32], pool.anchor_ids)
    near = pool.anchors @ pool.keys[:32].T
    own = pool.neg[:, :32].bool() | pool.pos[:, :32].bool()
    scores = (near / run.terms[0].objective.temperature).masked_fill(~own, -torch.inf)  # type: ignore[attr-defined]
    expected = cross_entropy(scores.T, torch.arange(32))
    assert run.terms[0].objective(pool).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_queue_of_a_run_is_stored_and_nothing_of_a_batch_is_lost_where_it_turns() -> None:
    """lightly's memory bank is not stored, and drops the end of a batch where it turns."""
    run = training(build("nnclr", {"queue": "40"}))
    run.step()
    first = run.queue.ids.clone()  # type: ignore[union-attr]
    again = training(build("nnclr", {"queue": "40"}))
    restore(again, state_of(run))
    assert torch.equal(again.queue.ids, first) and torch.equal(again.queue.keys, run.queue.keys)  # type: ignore[union-attr]
    for _ in range(3):  # 32 of 40 places each: every step turns
        batch = torch.from_numpy(IDS[run._rows()])
        run.step()
        assert torch.isin(batch, run.queue.ids).all()  # type: ignore[union-attr]


def test_a_centroid_is_attention_over_the_neighbours_and_the_prediction_shifts_them_by_one() -> None:
    torch.manual_seed(0)
    made = Centroid(16, 5, 2, 8).eval()
    near, z = normalize(torch.randn(3, 5, 16), dim=2), torch.randn(3, 16)
    places = made.get_buffer("places")
    torch.testing.assert_close(places.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(made(near), made.attention(near + places)[:, 0])
    shifted = torch.stack([made.predictor(z), *near[:, :4].unbind(1)], 1)
    torch.testing.assert_close(made(near, z), made.attention(shifted + places)[:, 0])
    assert not torch.allclose(made(near), made(near.flip(1)))


def test_the_centroids_of_all4one_are_of_the_neighbourhood_of_each_view() -> None:
    run = training(All4One().recipe())
    run._fill_queue()
    run.encoders.network.predictors[1].eval()
    seen = run._look(run._rows())
    pool = seen.pools(run.terms[1], run.recipe, run.encoders)[0]  # anchors of view 1, keys of view 0
    centroid = run.encoders.network.predictors[1]
    for view, made, z in ((0, pool.keys, None), (1, pool.anchors, seen.online[1])):
        nearest = (seen.keys[view] @ seen.earlier.T).topk(5, dim=1).indices
        torch.testing.assert_close(made, normalize(centroid(seen.earlier[nearest], z), dim=1))
    assert pool.pos.shape == (32, 32) and pool.keys.requires_grad


def test_what_answers_hold_apart_is_in_no_neighbourhood() -> None:
    pairs = [(0, i, Verdict.DIFFERENT) for i in range(1, 64) if i % 6]
    run = training(All4One().recipe(), answered(pairs), answered=0.0)
    run._fill_queue()
    seen = run._look(np.arange(32))
    near = seen._near(0, 5)[0]  # of row 0
    apart = seen.earlier[seen.plain.said[0, 32:] < 0]
    assert len(apart) > 10 and not (near[:, None] == apart[None]).all(2).any()


# answers beside what only pulls ---------------------------------------------------------------------------------------
QUIET = ("byol", "simsiam", "msf", "barlow_twins", "vicreg")


@pytest.mark.parametrize("name", QUIET)
def test_a_system_without_repulsion_gets_a_term_that_pushes_where_there_are_answers(name: str) -> None:
    recipe = build(name)
    assert len(overlaid(recipe.terms, 1.0)) == len(recipe.terms) + 1 and len(overlaid(recipe.terms, 0.0)) == 1
    run = training(recipe, answered([(0, 1, Verdict.DIFFERENT)]), answered=0.0)
    seen = run._look(np.arange(32))
    z = seen.online[0]
    loss = torch.stack([_loss(run, run.terms[-1], pool) for pool in seen.pools(run.terms[-1], recipe, run.encoders)])
    (slope,) = torch.autograd.grad(loss.mean(), z)
    assert slope[0].any() and slope[1].any() and not slope[2:].any()
    other = seen.keys[1][1]
    with torch.no_grad():
        before, after = (normalize(rows[0], dim=0) @ normalize(other, dim=0) for rows in (z, z - 0.1 * slope))
    assert after < before


def _loss(run: Training, term: Term, pool: Pool) -> torch.Tensor:
    from trainer.pool import obey

    return term.objective(obey(run._curated(term, pool)))


@pytest.mark.parametrize("name", QUIET)
def test_before_the_first_answer_the_term_changes_no_bit(name: str) -> None:
    runs = [training(build(name), answered([]), feedback=feedback) for feedback in (0.0, 1.0)]
    assert len(runs[1].terms) == len(runs[0].terms) + 1
    losses = [[run.step()["loss"] for _ in range(run.steps)] for run in runs]
    assert losses[0] == losses[1]
    np.testing.assert_array_equal(runs[0].embed(), runs[1].embed())


def test_what_repels_by_itself_gets_no_term_and_a_weight_below_0_is_refused() -> None:
    for name in ("simclr", "moco", "nnclr", "all4one", "supcon"):
        recipe = build(name)
        assert len(overlaid(recipe.terms, 1.0)) == len(recipe.terms)
    assert not Align.repels and not Decorrelate.repels
    with pytest.raises(BadInput, match=r"feedback = 0 or a number above expected, got -1"):
        TrainSettings(feedback=-1.0)


# labels -----------------------------------------------------------------------------------------------------------
CODES = np.where(np.arange(64) < 8, -1, np.arange(64) % 3)


def test_labels_say_who_belongs_together_and_nothing_of_those_without() -> None:
    same, said = Labelled(CODES, CPU).about(torch.arange(64), torch.arange(64))
    for i in range(64):
        for j in range(64):
            known = CODES[i] >= 0 and CODES[j] >= 0
            assert said[i, j] == (0 if not known else 1 if CODES[i] == CODES[j] else -1)
            assert same[i, j] == float(known and CODES[i] == CODES[j])


def test_every_label_joins_a_batch_equally_often() -> None:
    rare = np.array([0] * 50 + [1] * 10 + [2] * 4)
    found = Labelled(rare, CPU).rows(np.arange(3), 12, (1, 2))
    assert np.bincount(rare[found]).tolist() == [4, 4, 4] and not np.isin(found, np.arange(3)).any()
    np.testing.assert_array_equal(found, Labelled(rare, CPU).rows(np.arange(3), 12, (1, 2)))
    assert np.bincount(rare[Labelled(rare, CPU).rows(np.arange(3), 24, (1, 2))]).tolist() == [10, 10, 4]
    assert not np.array_equal(found, Labelled(rare, CPU).rows(np.arange(3), 12, (1, 3)))


def test_partners_are_labelled_rows_outside_a_batch_that_has_a_label() -> None:
    known = Labelled(CODES, CPU)
    found = known.partners(np.arange(10), 7, (0,))
    assert len(found) == 7 and (CODES[found] >= 0).all() and found.min() >= 10
    assert not len(known.partners(np.arange(4), 7, (0,))) and not len(known.partners(np.arange(10), 0, (0,)))


def test_one_label_teaches_nothing() -> None:
    with pytest.raises(BadInput, match="1 different labels = at least 2 expected"):
        Labelled(np.array([0, 0, -1]), CPU)


def test_labels_in_training_are_supcon_as_published() -> None:
    from pytorch_metric_learning.losses import SupConLoss

    codes = np.arange(64) % 6
    run, seen = training(build("supcon"), Labelled(codes, CPU)), []
    run.step(lambda pool: seen.append(pool) or {})
    pool: Pool = seen[0]
    labels = torch.from_numpy(codes[(pool.anchor_ids.numpy() - 5) // 2])
    theirs = SupConLoss(temperature=0.1)(pool.anchors.detach().double(), labels)
    assert run.terms[0].objective(pool).item() == pytest.approx(theirs.item(), rel=1e-5)


def test_labels_teach_more_than_pictures_alone() -> None:
    from trainer.probe import knn_left_out

    _, codes = patterns(64)
    found = []
    for overlay in (None, Labelled(codes, CPU)):
        run = training(build("supcon"), overlay, epochs=12, rate=3e-3)
        while run.done < run.steps:
            run.step()
        found.append(knn_left_out(run.embed(), codes, 3))
    assert found[1] > found[0]

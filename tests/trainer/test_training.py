"""The one trainer: repeatable, stoppable, obedient to answers, and honest about collapse."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from db.errors import BadInput, NotFound
from db.nouns import Statement, Verdict
from oracle.constraints import ConstraintGraph
from tests.patterns import patterns
from trainer import run as runs
from trainer.collapse import collapsed, spread
from trainer.negative_report import report
from trainer.network import Network
from trainer.objectives.nnpu import Objective as NNPU
from trainer.objectives.supcon import Objective
from trainer.overlay import Overlay
from trainer.pool import Pool
from trainer.recipe import Recipe, Term, build
from trainer.snapshot import build as snapshot_of
from trainer.training import Training, TrainSettings
from trainer.training_state import read, restore, state_of, write

PLAN = TrainSettings(size=16, batch=32, epochs=2, projection=16)
IDS = 5 + 2 * np.arange(64)


def training(name: str = "simclr", plan: TrainSettings = PLAN, overlay: Overlay | None = None) -> Training:
    return Training(build(name), patterns(64)[0], IDS, plan, overlay)


def answered(pairs: list[tuple[int, int, Verdict]]) -> Overlay:
    """Answers about rows of the 64 pictures."""
    pixels, _ = patterns(64)
    graph = ConstraintGraph()
    for number, (i, j, verdict) in enumerate(pairs, start=1):
        graph.add(Statement(number, int(IDS[i]), int(IDS[j]), verdict, "ann"))
    return Overlay(snapshot_of(IDS, pixels.reshape(64, -1).astype(np.float32)), graph, IDS, torch.device("cpu"))


def test_the_same_seed_gives_the_same_network_and_another_seed_another() -> None:
    one, two, other = training(), training(), training(plan=replace(PLAN, seed=1))
    for run in (one, two, other):
        while run.done < run.steps:
            run.step()
    np.testing.assert_array_equal(one.embed(), two.embed())
    assert not np.allclose(one.embed(), other.embed())


def test_an_epoch_shows_every_picture_once() -> None:
    run, seen = training(), []
    for _ in range(run.steps_each):
        run.step(lambda pool: seen.append(pool.anchor_ids.unique()) or {})
    assert sorted(torch.cat(seen).tolist()) == IDS.tolist()


def test_both_views_of_a_picture_attract_and_it_never_meets_itself() -> None:
    run, seen = training(), []
    run.step(lambda pool: seen.append(pool) or {})
    pool: Pool = seen[0]
    assert pool.pos.shape == (64, 64) and (pool.pos.sum(1) == 1).all() and not pool.pos.diagonal().any()
    assert ((pool.pos > 0).nonzero()[:, 1] == (torch.arange(64) + 32) % 64).all()
    assert (pool.neg.sum(1) == 62).all()


def test_only_the_queue_pushes_in_moco_and_never_the_own_picture() -> None:
    run, seen = training("moco"), []
    run.step(lambda pool: seen.append(pool) or {})
    pool: Pool = seen[0]
    assert len(pool.keys) == 32 + 64  # the queue starts with keys of every picture there is
    assert not pool.neg[:, :32].any() and (pool.neg.sum(1) == 63).all()
    assert not pool.neg[pool.own].any() and not pool.keys.requires_grad


@pytest.mark.parametrize("policy", ["uniform", "soft_elimination", "hcl", "mochi"])
def test_keys_of_the_batch_are_neither_negatives_nor_removed_nor_detected_beside_a_queue(policy: str) -> None:
    run, seen = Training(build("moco", {"negatives": policy}), patterns(64)[0], IDS, PLAN), []
    run.step(lambda pool: seen.append(pool) or {})
    told = report(seen[0], run.terms[0].objective)
    assert not seen[0].neg[:, :32].any() and told["removed"] == told["detected"] == 0


def test_mochi_mixes_keys_of_the_queue_alone() -> None:
    """A queue of one direction: whatever is mixed of it is that direction again."""
    run, seen = Training(build("mochi", {"with_anchor": "0", "warm_up": "0"}), patterns(64)[0], IDS, PLAN), []
    run._fill_queue()
    run.queue._keys[:] = torch.eye(16)[0]  # type: ignore[union-attr]
    run.done = 1
    run.step(lambda pool: seen.append(pool) or {})
    made = seen[0].synthetic
    torch.testing.assert_close(made, torch.eye(16)[0].expand_as(made))


def test_the_target_follows_slowly_and_the_queue_takes_the_keys_in() -> None:
    run = training("moco")
    before = [weight.clone() for weight in run.encoders.average.network.parameters()]  # type: ignore[union-attr]
    run.step()
    moved = zip(before, run.encoders.average.network.parameters(), run.encoders.network.parameters(), strict=True)  # type: ignore[union-attr]
    for old, slow, fast in moved:
        torch.testing.assert_close(slow, old + 0.01 * (fast.detach() - old))
    assert len(run.queue.ids) == 96  # type: ignore[union-attr]


def test_must_links_attract_and_cannot_links_are_confirmed_negatives() -> None:
    pairs = [(0, 6, Verdict.SAME), (0, 12, Verdict.SAME), (6, 12, Verdict.SAME), (1, 7, Verdict.SAME)]
    pairs += [(i, j, Verdict.DIFFERENT) for i in (0, 6, 12) for j in (1, 7)]
    run, seen = training(plan=replace(PLAN, answered=0.5), overlay=answered(pairs)), []
    for _ in range(run.steps):
        run.step(lambda pool: seen.append(pool) or {})
    together = [(pool.said > 0) & ~pool.own for pool in seen]
    apart = [(pool.said < 0) & ~pool.own for pool in seen]
    assert any(one.any() for one in together) and any(one.any() for one in apart)
    for pool, same, different in zip(seen, together, apart, strict=True):
        assert (pool.pos[same] > 0).all() and not pool.neg[same].any()
        assert (pool.confirmed[different] >= 1).all() and not pool.pos[different].any()


def test_a_batch_holds_more_answered_pictures_than_chance_would_bring() -> None:
    pairs = [(0, 6, Verdict.SAME), (6, 12, Verdict.SAME), (1, 7, Verdict.SAME), (0, 1, Verdict.DIFFERENT)]
    pairs += [(6, 7, Verdict.DIFFERENT), (12, 7, Verdict.DIFFERENT), (0, 12, Verdict.SAME), (6, 1, Verdict.DIFFERENT)]
    overlay = answered(pairs)
    assert (overlay.belief.member >= 0).sum() >= 4
    run = training(plan=replace(PLAN, answered=0.5, batch=16), overlay=overlay)
    held = []
    for _ in range(8):
        held.append(np.isin(run._rows(), [0, 6, 12, 1, 7]).sum())
        run.done += 1
    assert np.mean(held) > 2 * 16 * 5 / 64


def test_answered_pictures_are_drawn_evenly_and_bring_partners_where_they_would_meet_nobody() -> None:
    """In a crowd of pairs few meet by chance: then everybody comes with somebody it was asked about."""
    pairs = [(i, i + 32, Verdict.SAME) for i in range(32)]
    overlay, counts, alone = answered(pairs), np.zeros(64), []
    for turn in range(400):
        rows = overlay.rows(np.empty(0, np.int64), 16, (0, turn))
        assert len(set(rows.tolist())) == len(rows) <= 16
        alone.append(sum((row + 32) % 64 not in rows for row in rows))
        counts[rows] += 1
    placed = overlay.belief.member >= 0
    assert np.mean(alone) < 3  # 11 of 16 by chance
    assert placed.sum() > 16 and counts[placed].min() > 0.5 * counts[placed].mean()
    assert (overlay.rows(np.empty(0, np.int64), 16, (0, 3)) == overlay.rows(np.empty(0, np.int64), 16, (0, 3))).all()


def with_partners() -> Training:
    """Row 0 belongs with eight others and apart from eight more; batches are small, so most of them are elsewhere."""
    pairs = [(0, i, Verdict.SAME) for i in range(6, 54, 6)] + [(0, i, Verdict.DIFFERENT) for i in range(1, 49, 6)]
    return training("simclr", replace(PLAN, batch=8, answered=0.0, partners=5), answered(pairs))


def test_partners_outside_the_batch_join_the_keys_once_they_were_seen() -> None:
    run, seen = with_partners(), []
    for _ in range(run.steps):
        run.step(lambda pool: seen.append(pool) or {})
    assert not len(seen[0].keys[16:]) and max(len(pool.keys[16:]) for pool in seen) == 5
    for pool in seen:
        named = pool.key_ids[16:]
        assert not torch.isin(named, pool.anchor_ids).any() and (pool.said[:, 16:] != 0).any(0).all()
        torch.testing.assert_close(pool.keys[16:].norm(dim=1), torch.ones(len(named)))
        assert not pool.neg[pool.said != 0].any() and (pool.pos[(pool.said > 0) & ~pool.own] > 0).all()


def test_a_stopped_run_with_partners_goes_on_bit_equal() -> None:
    whole, first, second = with_partners(), with_partners(), with_partners()
    for _ in range(10):
        first.step()
    restore(second, state_of(first))
    for run in (whole, second):
        while run.done < run.steps:
            run.step()
    np.testing.assert_array_equal(whole.embed(), second.embed())


def test_a_run_that_was_cancelled_goes_on_from_its_file(tmp_path: Path) -> None:
    whole, about = training(), {"run": "a"}
    runs.run(whole)
    left = iter([False, False, True])
    first = runs.run(training(), state=tmp_path / "s", about=about, cancelled=lambda: next(left))
    assert not first.finished
    again = training()
    told: list[int] = []
    outcome = runs.run(again, state=tmp_path / "s", about=about, progress=lambda step, of, report: told.append(step))
    assert outcome.finished and told == [4]
    np.testing.assert_array_equal(again.embed(), whole.embed())


def test_a_state_of_another_run_or_a_damaged_one_is_not_gone_on_from(tmp_path: Path) -> None:
    run = training()
    write(tmp_path / "s", run, {"run": "a"})
    assert read(tmp_path / "s", {"run": "b"}) is None
    (tmp_path / "s").write_bytes((tmp_path / "s").read_bytes()[:100])
    assert read(tmp_path / "s", {"run": "a"}) is None
    assert read(tmp_path / "missing", {}) is None
    with pytest.raises(BadInput, match="this state is of another run"):
        restore(training("moco"), state_of(run))


def test_collapse_is_seen_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    agree = torch.nn.functional.normalize(torch.ones(32, 8) + 1e-3 * torch.randn(32, 8), dim=1)
    assert collapsed(spread(agree)) and collapsed(spread(torch.ones(4, 8) / 8**0.5))
    even = torch.nn.functional.normalize(torch.randn(512, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    found = spread(even)
    assert not collapsed(found) and found["rank"] == pytest.approx(8, abs=0.1)
    assert found["spread"] == pytest.approx(1, abs=0.05)
    monkeypatch.setattr("trainer.training.spread", lambda rows: spread(torch.ones(4, 8) / 8**0.5))
    outcome = runs.run(training(plan=replace(PLAN, epochs=1)))
    assert len(outcome.warnings) == 1 and "collapsed" in outcome.warnings[0]


def test_pictures_that_learn_nothing_from_others_are_told() -> None:
    watch = {"negatives": {"clamped": 0.21}}
    outcome = runs.run(training(plan=replace(PLAN, epochs=1)), watch=lambda pool: watch)
    assert [words[:32] for words in outcome.warnings] == ["for 21% of the pictures more was"]
    watch["negatives"]["clamped"] = 0.2
    assert not runs.run(training(plan=replace(PLAN, epochs=1)), watch=lambda pool: watch).warnings


def test_two_terms_add_up() -> None:
    one, two = Term(Objective(0.2)), Term(Objective(0.5), weight=0.5)
    losses = []
    for terms in ((one,), (two,), (one, two)):
        losses.append(Training(Recipe(terms), patterns(64)[0], IDS, PLAN).step()["loss"])
    assert losses[2] == pytest.approx(losses[0] + losses[1], rel=1e-5)


@pytest.fixture
def small() -> Iterator[torch.nn.Module]:
    from trainer.backbones import load_backbone

    yield load_backbone("small", size=16)


@pytest.mark.parametrize(("trainable", "moves"), [("full", {True}), ("partly", {True, False}), ("frozen", {False})])
def test_only_the_wanted_part_of_the_backbone_learns(small: torch.nn.Module, trainable: str, moves: set[bool]) -> None:
    network = Network(small, 8, trainable).train()
    assert {weight.requires_grad for weight in small.parameters()} == moves
    assert all(weight.requires_grad for weight in network.projection.parameters())
    if trainable == "frozen":
        before = {key: value.clone() for key, value in small.state_dict().items()}
        network(torch.rand(4, 3, 16, 16))
        assert all(torch.equal(before[key], value) for key, value in small.state_dict().items())


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(BadInput, match="batch = at least 2"):
        TrainSettings(batch=1)
    with pytest.raises(BadInput, match="trainable = full, partly, frozen expected, got 'half'"):
        TrainSettings(trainable="half")
    with pytest.raises(BadInput, match="rate = 0 or a number above expected, got -1"):
        TrainSettings(rate=-1.0)
    with pytest.raises(BadInput, match="decay = 0 or a number above expected, got nan"):
        TrainSettings(decay=float("nan"))
    with pytest.raises(NotFound, match=r"no backbone named 'smal'\. Did you mean 'small'"):
        training(plan=replace(PLAN, backbone="smal"))
    with pytest.raises(BadInput, match=r"momentum of .* = a number at least 0 and below 1"):
        Training(build("moco", {"momentum": "1.5"}), patterns(64)[0], IDS, PLAN)


def test_settings_reach_the_negatives_and_the_views() -> None:
    recipe = build("simclr", {"negatives": "soft_elimination", "negatives.sharpness": "2", "views.flip": "0"})
    assert type(recipe.terms[0].negatives).__module__ == "trainer.negatives.soft_elimination"
    assert [one.flip for one in recipe.views] == [0.0, 0.0]
    assert build("simclr", {"negatives.weight": "2"}).terms[0].negatives.weight == 2.0  # type: ignore[attr-defined]
    with pytest.raises(NotFound, match="no part with settings named 'pools'"):
        build("simclr", {"pools.size": "3"})
    with pytest.raises(NotFound, match=r"no setting of views named 'flop'\. Did you mean 'flip'"):
        build("simclr", {"views.flop": "3"})


def test_another_objective_keeps_the_temperature_and_takes_its_settings() -> None:
    recipe = build("hcl", {"temperature": "0.4", "objective": "nnpu", "objective.prior": "0.2"})
    assert recipe.terms[0].objective == NNPU(prior=0.2, temperature=0.4)
    assert build("simclr", {"objective.aggregate": "out"}).terms == build("simclr").terms
    assert build("simclr", {"objective": "supcon"}).terms[0].objective == Objective(0.2)
    named = build("simclr", {"objective": "supcon", "objective.temperature": "0.3"})
    assert named.terms[0].objective == Objective(0.3)
    losses = [Training(one, patterns(64)[0], IDS, PLAN).step()["loss"] for one in (recipe, build("simclr"))]
    assert np.isfinite(losses).all() and losses[0] != losses[1]


def test_an_objective_that_cannot_be_is_refused_before_training() -> None:
    with pytest.raises(NotFound, match=r"no trainer.objectives plugin named 'nnpuu'\. Did you mean 'nnpu'"):
        build("simclr", {"objective": "nnpuu"})
    with pytest.raises(NotFound, match=r"no setting of the objective named 'tau'"):
        build("simclr", {"objective.tau": "3"})
    with pytest.raises(BadInput, match=r"denominator = one of all, self, none expected, got 'half'"):
        build("simclr", {"objective.denominator": "half"})
    with pytest.raises(BadInput, match=r"'keep' cannot train from pictures: .*\(reference\)\. Try objective=contrast"):
        build("simclr", {"objective": "keep"})


def test_a_timm_model_can_be_taught() -> None:
    plan = replace(PLAN, backbone="test_resnet", pretrained=False, size=32, batch=8, trainable="partly")
    run = Training(build("simclr"), patterns(16, side=32)[0], IDS[:16], plan)
    assert np.isfinite(run.step()["loss"]) and run.embed().shape == (16, run.encoders.network.backbone.dim)


def test_in_half_precision_only_the_encoding_is_and_learning_stays_close() -> None:
    exact, half, kinds = training("moco"), training("moco"), set()
    half.encoders.half = True
    half.encoders.network.backbone.register_forward_hook(lambda module, given, out: kinds.add(out.dtype))
    losses = [run.step(lambda pool: kinds.add(pool.anchors.dtype) or {})["loss"] for run in (half, exact)]
    assert kinds == {torch.bfloat16, torch.float32}
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert half.queue is not None and half.queue.keys.dtype == torch.float32
    for weight in half.encoders.network.parameters():
        assert weight.dtype == torch.float32 and weight.grad is not None and weight.grad.dtype == torch.float32

"""Positives by metadata, context and texture: who pulls, by plain loops; training and comparing with them."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from db.errors import BadInput, NotFound
from tests.patterns import patterns
from tests.trainer.pools import random_pool
from tests.trainer.test_comparing import embedded
from tests.trainer.test_kernels import column, world
from trainer.attributes import Attributes
from trainer.comparing import created, sample
from trainer.objectives.places import Objective as Places
from trainer.objectives.places import parts_of_the_world
from trainer.objectives.triplet import Objective as Triplet
from trainer.overlay import nothing
from trainer.pool import Pool
from trainer.positives.attribute import PositiveSource as Attribute
from trainer.positives.context import context, likely
from trainer.positives.texture import PositiveSource as Texture
from trainer.recipe import Recipe, Term, build
from trainer.texture import textures
from trainer.training import Training, TrainSettings
from trainer.training_state import read, restore, write

PLAN = TrainSettings(size=16, batch=32, epochs=3, projection=16)
SETTINGS = {
    "attribute": {"by": "camera+time~12h", "balance": "camera"},
    "ayush": {"by": "place~300km"},
    "pantazis": {},
    "panambur": {},
}


def known(count: int = 64) -> Attributes:
    """Metadata of the items of `training`."""
    found = world(count)
    return replace(found, ids=11 + 3 * np.arange(count))


def training(name: str, count: int = 64, plan: TrainSettings = PLAN) -> Training:
    return Training(
        build(name, SETTINGS[name]), patterns(count)[0], 11 + 3 * np.arange(count), plan, attributes=known(count)
    )


def pool_of(ids: list[int], keys: list[int]) -> Pool:
    shape = (len(ids), len(keys))
    rows = torch.nn.functional.normalize(torch.randn(max(shape), 4, generator=torch.Generator().manual_seed(0)), dim=1)
    said = torch.zeros(shape, dtype=torch.int8)
    return Pool.of(rows[: shape[0]], rows[: shape[1]], torch.tensor(ids), torch.tensor(keys), torch.zeros(shape), said)


def cameras(*values: str) -> Attributes:
    count = len(values)
    unknown = np.full((count, 2), np.nan)
    return Attributes(10 + np.arange(count), {"camera": column(list(values))}, unknown[:, 0], unknown)


@pytest.mark.parametrize("others", ["push", "rest", "pull"])
def test_a_partner_pulls_and_what_else_is_related_does_as_it_is_told(others: str) -> None:
    source = Attribute("camera", others=others)
    source.learn_of(cameras("a", "a", "a", "b", "", "b"))
    source.deal(0)
    ids = [10, 11, 12, 13, 14, 15, 99]
    pool = pool_of(ids, ids)
    got = source(pool)
    assert source.drawn is not None
    mate = dict(zip(ids, (10 + source.drawn.partner).tolist(), strict=False)) | {99: 99}
    assert mate[13] == 15 and mate[15] == 13 and mate[14] == 14
    for i, one in enumerate(ids):
        for j, other in enumerate(ids):
            drawn = one != other and (mate[one] == other or mate[other] == one)
            related = (one != other and {one, other} <= {10, 11, 12}) or {one, other} == {13, 15}
            assert (got.pos[i, j] > 0) == (drawn or (related and others == "pull"))
            assert (got.neg[i, j] > 0) == (one != other and not drawn and (not related or others == "push"))


def test_what_an_answer_holds_apart_never_pulls() -> None:
    source = Attribute("camera", others="pull")
    source.learn_of(cameras("a", "a"))
    source.deal(0)
    pool = pool_of([10, 11], [10, 11])
    got = source(replace(pool, said=torch.tensor([[0, -1], [-1, 0]], dtype=torch.int8)))
    assert not got.pos.any()


def test_partners_change_from_epoch_to_epoch_and_follow_from_the_seed() -> None:
    drawn = []
    for seed, epoch in ((0, 0), (0, 1), (0, 0), (1, 0)):
        source = Attribute("camera", seed=seed)
        source.learn_of(cameras(*"aaaaaaaaaaaabbbbbbbbbbbb"))
        source.deal(epoch)
        assert source.drawn is not None
        drawn.append(source.drawn.partner)
    assert torch.equal(drawn[0], drawn[2]) and not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[3])


def test_balance_draws_a_rare_camera_as_often_as_a_common_one() -> None:
    """Ninety pictures of one camera and ten of another, all at one place: half of the anchors are of each."""
    count = 100
    values = {"camera": column(["a"] * 90 + ["b"] * 10)}
    found = Attributes(11 + 3 * np.arange(count), values, np.full(count, np.nan), np.full((count, 2), 5.0))
    recipe = build("attribute", {"by": "place~1km", "balance": "camera"})
    run = Training(recipe, patterns(count)[0], found.ids, replace(PLAN, batch=4), attributes=found)
    run._deal()
    rare = []
    for step in range(run.steps):
        run.done = step
        rare.append(np.mean(run._rows() >= 90))
    mates = recipe.mates.drawn.partner.numpy()
    assert 0.35 < np.mean(rare) < 0.6 and 0.3 < np.mean(mates >= 90) < 0.7


def test_the_second_view_is_of_the_partner_and_nobody_without_one_changes() -> None:
    run = training("attribute")
    run._deal()
    drawn = run.recipe.mates.drawn
    rows = run._rows()
    seen = run._look(rows)
    pool = seen.pools(run.terms[0], run.recipe, run.encoders)[0]
    mates = drawn.partner[torch.from_numpy(rows)]
    assert torch.equal(pool.key_ids, torch.cat([run.ids[torch.from_numpy(rows)], run.ids[mates]]))
    assert 0 < drawn.share < 1
    without = Training(build("attribute", {"by": "camera"}), patterns(64)[0], 11 + 3 * np.arange(64), PLAN)
    plain = Training(build("simclr"), patterns(64)[0], 11 + 3 * np.arange(64), PLAN)
    assert without.step() == plain.step()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_stopped_run_with_metadata_goes_on_bit_equal(name: str, tmp_path: Path) -> None:
    whole, first, second = (training(name) for _ in range(3))
    reports = [whole.step() for _ in range(whole.steps)]
    for _ in range(3):  # in the middle of an epoch
        first.step()
    write(tmp_path / "state", first, {})
    stored = read(tmp_path / "state", {})
    assert stored is not None
    restore(second, stored)
    assert [second.step() for _ in range(second.steps - 3)] == reports[3:]
    assert all(np.isfinite(one["loss"]) for one in reports)
    np.testing.assert_array_equal(whole.embed(), second.embed())


@pytest.mark.parametrize("name", SETTINGS)
def test_comparing_shows_the_pairs_a_source_makes(name: str) -> None:
    vectors, ids, _ = embedded()
    metadata = replace(world(60), ids=ids)
    drawn = sample(vectors, ids, nothing, answered=np.empty(0, np.int64), size=20, seed=0, attributes=metadata)
    recipe = build(name, SETTINGS[name])
    made = created(recipe, drawn)
    pairs = made.of["positives"]
    assert len(pairs) and made.repels and made.own
    mates = dict(zip(ids.tolist(), ids[recipe.mates.drawn.partner.numpy()].tolist(), strict=True))
    if name != "attribute":
        assert all(mates[a] == b or mates[b] == a for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))


def test_chances_of_the_context_are_the_formula() -> None:
    times = 1.7e9 + np.array([0.0, 3600, 86400 + 1800, 40 * 86400, np.nan, 7200])
    places, where, spread, rounds = np.array([0, 0, 0, 1, 0, 1]), context(times), 0.5, 4000
    places = np.where(np.isnan(times), -1, places)
    random, counts = np.random.default_rng(0), np.zeros((6, 6))
    for _ in range(rounds):
        counts[np.arange(6), likely(where, places, spread, random)] += 1
    assert counts[4, 4] == rounds
    for i in (0, 1, 2, 3, 5):
        mass = [0.0] * 6
        for j in (0, 1, 2, 3, 5):
            apart = sum((where[i] - where[j]) ** 2) + 2 * (places[i] != places[j])
            mass[j] = math.exp(-math.sqrt(apart) / spread) if i != j else 0.0
        wanted = np.array(mass) / sum(mass)
        assert (np.abs(counts[i] / rounds - wanted) <= 5 * np.sqrt(wanted / rounds) + 1e-9).all()


def test_the_circle_of_the_day_closes_at_midnight() -> None:
    day = 86400.0
    where = context(np.array([day - 60, day + 60, 1.5 * day]))
    assert np.linalg.norm(where[0] - where[1]) < 0.01 < np.linalg.norm(where[0] - where[2])


def test_triplets_equal_plain_loops_and_every_violation_counts() -> None:
    drawn, margin, losses = random_pool(0), 0.3, []
    pool = replace(drawn, anchors=drawn.anchors.detach(), keys=drawn.keys.detach())
    for i in range(len(pool.anchors)):
        pulled = float(pool.pos[i].sum())
        if not pulled:
            continue
        away = [math.sqrt(max(2 - 2 * float(pool.anchors[i] @ key), 1e-12)) for key in pool.keys]
        loss = 0.0
        for j in range(len(pool.keys)):
            lack = [
                (float(pool.neg[i, k] + pool.confirmed[i, k]), away[j] - away[k] + margin) for k in range(len(away))
            ]
            weight = sum(w for w, v in lack if v > 0)
            if weight:
                loss += float(pool.pos[i, j]) / pulled * sum(w * v for w, v in lack if v > 0) / weight
        losses.append(loss)
    value = Triplet(margin)(pool)
    assert float(value) == pytest.approx(sum(losses) / len(losses), abs=1e-9)


def test_triplets_equal_pytorch_metric_learning() -> None:
    """One positive an anchor: the mean over violating triplets of an anchor, over anchors that have some."""
    library = pytest.importorskip("pytorch_metric_learning")
    from pytorch_metric_learning import losses, miners

    assert library.__version__
    z = torch.randn(12, 5, generator=torch.Generator().manual_seed(0)).double()
    labels = torch.arange(6).repeat(2)
    equal = labels[:, None] == labels[None]
    one, other = z.clone().requires_grad_(), z.clone().requires_grad_()
    unit, nothing_said = torch.nn.functional.normalize(one, dim=1), torch.zeros(12, 12, dtype=torch.int8)
    bare = Pool.of(unit, unit, torch.arange(12), torch.arange(12), torch.zeros(12, 12), nothing_said)
    pool = replace(bare, pos=(equal & ~torch.eye(12, dtype=torch.bool)).double(), neg=(~equal).double())
    ours = Triplet(0.2)(pool)
    found = []
    for anchor in range(12):
        mined = miners.TripletMarginMiner(margin=0.2, type_of_triplets="all")(other, labels)
        held = mined[0] == anchor
        loss = losses.TripletMarginLoss(margin=0.2)
        found.append(loss(other, labels, tuple(part[held] for part in mined)) if held.any() else other.sum() * 0)
    theirs = torch.stack(found).mean()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)
    slopes = [torch.autograd.grad(value, rows)[0] for value, rows in ((ours, one), (theirs, other))]
    torch.testing.assert_close(*slopes, rtol=0, atol=1e-9)


def test_the_part_of_the_world_is_a_cross_entropy_over_who_has_a_place() -> None:
    where = np.array([[1.0, 179.95], [1.0, -179.95], [48.0, 2.0], [np.nan, np.nan]])
    codes = parts_of_the_world(where, 2, 0)
    assert codes[0] == codes[1] != codes[2] and codes[3] == -1
    objective = Places(clusters=2)
    objective.learn_of(Attributes(10 + np.arange(4), {}, np.full(4, np.nan), where))
    chances = torch.softmax(torch.randn(4, 2, generator=torch.Generator().manual_seed(0)).double(), 1)
    pool = replace(pool_of([10, 11, 12, 13], [10]), anchor_groups=chances)
    wanted = -sum(math.log(float(chances[i, codes[i]])) for i in range(3)) / 3
    assert float(objective(pool)) == pytest.approx(wanted, abs=1e-12)


def test_ayush_learns_to_tell_the_place() -> None:
    """The second head falls well below the entropy of the clusters."""
    pictures, labels = patterns(128)
    where = np.stack([10.0 * labels, np.zeros(128)], 1)
    metadata = Attributes(np.arange(128), {}, np.full(128, np.nan), where)
    plan = TrainSettings(size=16, batch=64, epochs=25, rate=3e-3)
    run = Training(build("ayush", {"by": "place~1km"}), pictures, np.arange(128), plan, attributes=metadata)
    first = run.step()["loss"]
    losses = [run.step()["loss"] for _ in range(run.steps - 1)]
    assert np.mean(losses[-4:]) < first - 1


def test_textures_tell_surfaces_apart_wherever_they_are_and_however_bright() -> None:
    random = np.random.default_rng(0)
    stripes = np.tile((np.arange(24) % 4 < 2)[None, :], (24, 1))
    checks = (np.indices((24, 24)).sum(0) % 2).astype(bool)
    pictures = []
    for number in range(40):
        surface = np.roll(stripes if number % 2 else checks, random.integers(0, 8, 2), (0, 1))
        light = random.integers(30, 120)
        pictures.append(np.repeat((light + 60 * surface + random.integers(0, 8, (24, 24)))[..., None], 3, 2))
    pictures.append(np.full((24, 24, 3), 9))
    found = textures(np.array(pictures, dtype=np.uint8), seed=0)
    cosine = found @ found.T
    kinds = np.arange(40) % 2
    alike = kinds[:, None] == kinds[None]
    np.fill_diagonal(cosine, -1)
    nearest = np.argsort(-cosine[:40, :40], axis=1)[:, :5]
    assert (kinds[nearest] == kinds[:, None]).all()
    assert cosine[:40, :40][alike].mean() > 0.3 + cosine[:40, :40][~alike].mean()
    assert not found[40].any() and np.array_equal(found, textures(np.array(pictures, dtype=np.uint8), seed=0))


def test_groups_of_texture_give_partners_and_balanced_anchors() -> None:
    source = Texture(clusters=4)
    rows = torch.nn.functional.normalize(torch.randn(40, 6, generator=torch.Generator().manual_seed(0)), dim=1)
    source.refresh(rows, torch.arange(40), 0.5)
    source.deal(0)
    assert source.drawn is not None
    codes, weights = source.codes.numpy(), source.anchors()
    assert (codes == codes[source.drawn.partner.numpy()]).all() and weights is not None
    assert all(weights[codes == code].sum() == pytest.approx(40 / len(set(codes))) for code in set(codes))
    got = source(pool_of(list(range(10)), list(range(10))))
    for i in range(10):
        assert all(got.neg[i, j] == 0 for j in range(10) if codes[i] == codes[j])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Attribute(others="shove"), "others = push, rest, pull expected"),
        (lambda: Attribute(weight=-1.0), "weight = 0 or a number above expected"),
        (lambda: Attribute().learn_of(cameras("a", "b")), "by = what relates two pictures expected"),
        (lambda: Attribute("camera", balance="camra").learn_of(cameras("a", "b")), "Did you mean 'camera'"),
        (lambda: build("ayush")and Places().learn_of(cameras("a", "b")), "no latitude and longitude"),
        (lambda: Attribute("camera+camera").learn_of(cameras("", "")), "no picture has every value"),
        (lambda: build("pantazis", {"spread": 0.0}), "a number above 0 expected"),
        (lambda: Texture(clusters=1), "2 clusters and 1 word or more"),
        (lambda: Triplet(0.0), "margin > 0 expected"),
        (lambda: Recipe((Term(Triplet(), positives=(Attribute("a"),)),), both_views=False, matches=((1, 0), (0, 1))),
         "a partner's picture is in view 1"),
    ],
)  # fmt: skip
def test_bad_settings_are_told_in_one_sentence(make, words: str) -> None:
    with pytest.raises((BadInput, NotFound)) as told:
        make()
    assert words in str(told.value) and "\n" not in str(told.value)

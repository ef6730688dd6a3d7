"""Generated pictures in training: who is pulled to what, what is drawn, and what is left alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from db.errors import BadInput
from tests.patterns import patterns
from tests.trainer.test_neighbours import BATCH, QUEUE, pool_of
from trainer.generated import Generated
from trainer.pool import obey
from trainer.positives.generated import PositiveSource
from trainer.positives.interpolated import PositiveSource as Interpolated
from trainer.positives.must_links import PositiveSource as MustLinks
from trainer.recipe import build
from trainer.training import Training, TrainSettings

PICTURES, _ = patterns(32)
IDS = 11 + 3 * np.arange(32)
PLAN = TrainSettings(size=16, batch=16, epochs=2, projection=16)


def made_of(anchors: list[int]) -> Generated:
    """One flat picture each; its grey says which row it is."""
    greys = np.arange(len(anchors), dtype=np.uint8)[:, None, None, None]
    return Generated(np.broadcast_to(greys, (len(anchors), 16, 16, 3)).copy(), np.array(anchors, np.int64))


def training(name: str, given: Generated | None, **settings: object) -> Training:
    return Training(build(name, settings), PICTURES, IDS, PLAN, generated=given)


def test_an_anchor_shows_one_of_its_own_pictures_and_another_item_its_own() -> None:
    source = PositiveSource()
    source.take(made_of([20, 14, 20, 14, 20]))
    own = torch.full((3, 3, 16, 16), 200, dtype=torch.uint8)
    seen = {14: set(), 20: set()}
    for epoch in range(40):
        source.deal(epoch)
        shown = source.shown(torch.tensor([20, 99, 14]), own)
        assert (shown[1] == 200).all() and (own == 200).all(), "what was given stays as it was"
        seen[20].add(int(shown[0, 0, 0, 0]))
        seen[14].add(int(shown[2, 0, 0, 0]))
    assert seen == {20: {0, 2, 4}, 14: {1, 3}}
    again = PositiveSource()
    again.take(made_of([20, 14, 20, 14, 20]))
    again.deal(39)
    assert torch.equal(again.shown(torch.tensor([20, 99, 14]), own), shown), "the same epoch draws the same"


def test_only_items_with_a_picture_are_pulled_to_it_and_a_cannot_link_never_is() -> None:
    pool = pool_of()
    source = PositiveSource(weight=0.5)
    assert torch.equal(source(pool).pos, pool.pos), "without pictures it does nothing"
    source.take(made_of([1, 3]))
    got = source(pool)
    assert [(i, j) for i, j in got.pos.nonzero().tolist()] == [(1, 1), (3, 3)] and got.pos.max() == 0.5
    assert not got.neg[got.pos > 0].any()
    with pytest.raises(BadInput, match="use = accepted or proposed expected, got 'rejected'"):
        PositiveSource("rejected")


def test_clsp_is_simclr_and_a_pull_of_the_second_view_to_the_generated_one() -> None:
    run = training("clsp", made_of(IDS[::2].tolist()), synthetic=0.7, temperature=0.3)
    rows = np.arange(16)
    seen = run._look(rows)
    plain, pull = (run._curated(term, seen.pools(term, run.recipe, run.encoders)[0]) for term in run.terms)
    assert plain.pos.shape == (32, 32) and pull.pos.shape == (16, 16)
    z1 = normalize(seen.seen.online[1].detach(), dim=1)
    z3 = normalize(seen.third.detach(), dim=1)
    wanted = [2 - 2 * float((z1[i] * z3[i]).sum()) for i in range(0, 16, 2)]
    assert run.terms[1].objective(obey(pull)).item() == pytest.approx(np.mean(wanted), abs=1e-5)
    assert run.terms[1].weight == 0.7 and run.terms[0].objective.temperature == 0.3


def test_without_a_generated_picture_clsp_is_simclr_to_the_bit() -> None:
    ours, theirs = training("clsp", None), training("simclr", None)
    assert [ours.step()["loss"] for _ in range(3)] == [theirs.step()["loss"] for _ in range(3)]


def test_wu_has_two_views_of_the_picture_and_two_of_the_generated_one_as_four_positives() -> None:
    run = training("wu", made_of(IDS.tolist()), temperature=0.5)
    seen = run._look(np.arange(8))
    pool = obey(run._curated(run.terms[0], seen.pools(run.terms[0], run.recipe, run.encoders)[0]))
    assert pool.pos.shape == (32, 32) and (pool.pos.sum(1) == 3).all() and (pool.neg.sum(1) == 28).all()
    z, losses = normalize(seen.z.detach(), dim=1).double(), []
    scores = z @ z.T / 0.5
    for i in range(32):
        pushed = scores[i, [k for k in range(32) if k % 8 != i % 8]].exp().sum()
        mine = [j for j in range(32) if j % 8 == i % 8 and j != i]
        losses.append(sum(float((scores[i, j].exp() + pushed).log() - scores[i, j]) for j in mine) / 3)
    assert run.terms[0].objective(pool).item() == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize("name", ["clsp", "wu"])
def test_the_network_learns_from_the_generated_pictures(name: str) -> None:
    """The same run with other pictures beside the items is another run."""
    losses = [training(name, given).step()["loss"] for given in (None, made_of(IDS.tolist()))]
    assert losses[0] != losses[1]


def mixes(source: Interpolated, pool) -> torch.Tensor:
    """Its shares of the own key, drawn as it draws them."""
    random = torch.Generator().manual_seed(source.seed)
    share = torch.rand(BATCH, 1, generator=random, dtype=torch.float64)
    return source.least + (1 - source.least) * share[:, 0]


def nearest_of(pool, i: int, allowed: list[int]) -> int:
    return max(allowed, key=lambda j: float(pool.keys[i] @ pool.keys[j]))


def test_a_key_is_mixed_with_the_nearest_key_of_another_item_and_pulls_as_its_own() -> None:
    pool, source = pool_of(again=True), Interpolated(seed=4, least=0.6)
    shares = mixes(source, pool)
    got = source(pool)
    for i in range(BATCH):
        others = [j for j in range(BATCH + QUEUE) if pool.key_ids[j] != pool.anchor_ids[i]]
        j = nearest_of(pool, i, others)
        wanted = normalize(shares[i] * pool.keys[i] + (1 - shares[i]) * pool.keys[j], dim=0)
        assert torch.allclose(got.keys[i], wanted, atol=1e-12)
    assert torch.equal(got.keys[BATCH:], pool.keys[BATCH:]) and torch.equal(got.key_ids, pool.key_ids)
    assert (got.pos[pool.own] == 1).all() and not got.pos[~pool.own].any()


def test_an_answer_names_the_neighbour_or_refuses_it() -> None:
    pool = pool_of()
    others = list(range(1, BATCH + QUEUE))
    near = nearest_of(pool, 0, others)
    second = nearest_of(pool, 0, [j for j in others if j != near])
    far = min(others, key=lambda j: float(pool.keys[0] @ pool.keys[j]))
    said = torch.zeros_like(pool.said)
    for row, column, word, wanted in ((0, near, -1, second), (0, far, 1, far)):
        said[row, column] = word
        told = pool_of(said.clone())
        got = Interpolated(least=0.5)(told)
        moved = [j for j in others if j < BATCH + QUEUE and _between(got.keys[0], told.keys[0], told.keys[j])]
        assert moved == [wanted]
    together = MustLinks()(replace(Interpolated()(pool_of(said))))
    assert together.pos[0, far] > 0 and obey(together).pos[0, near] == 0


def _between(made: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether a row lies in the plane of two others."""
    rest = (
        made - torch.stack([one, other], 1) @ torch.linalg.lstsq(torch.stack([one, other], 1), made[:, None])[0][:, 0]
    )
    return float(rest.norm()) < 1e-9


def test_a_share_of_1_changes_no_key() -> None:
    pool = pool_of()
    assert torch.allclose(Interpolated(least=1.0)(pool).keys, pool.keys, atol=1e-12)
    with pytest.raises(BadInput, match="least = above 0"):
        Interpolated(least=0.0)

"""Pictures as sequences of patches (CPC): which patch is predicted, from what, among which; against plain loops."""

import numpy as np
import torch
from torch import Tensor

from db.nouns import Verdict
from tests.patterns import patterns
from tests.trainer.test_training import answered
from trainer.methods.cpc import Method
from trainer.patches import Below, Patches
from trainer.pool import Pool, obey
from trainer.positives.must_links import PositiveSource as MustLinks
from trainer.recipe import build
from trainer.training import Training, TrainSettings

IDS = 5 + 2 * np.arange(64)


def plain(patches: Patches, said: Tensor) -> Pool:
    """A pool without vectors of pictures 20, 21, ... of which that was said."""
    return patches.plain(20 + torch.arange(len(said)), (said > 0).double(), said)


def curated(pool: Pool) -> Pool:
    (term,) = Method().recipe().terms
    for source in (*term.positives, MustLinks()):
        pool = source(pool)
    return obey(term.negatives(pool))


def test_patches_overlap_and_come_row_by_row() -> None:
    pixels = torch.arange(2 * 3 * 8 * 8).view(2, 3, 8, 8).float()
    cut = Patches(3, 0.5).cut(pixels)
    assert cut.shape == (18, 3, 4, 4)
    for number, (down, right) in enumerate([(down, right) for down in (0, 2, 4) for right in (0, 2, 4)]):
        assert torch.equal(cut[9 + number], pixels[1, :, down : down + 4, right : right + 4])


def test_a_prediction_is_about_the_same_column_some_rows_below() -> None:
    assert Patches(3, ahead=1).targets == [3, 4, 5, 6, 7, 8]
    assert Patches(3, ahead=2).targets == [3, 4, 5, 6, 7, 8, 6, 7, 8] == Patches(3, ahead=9).targets


def test_a_prediction_depends_on_its_column_down_to_its_row_alone() -> None:
    patches = Patches(3, ahead=2)
    below = Below(patches)(4, 4).double()
    z = torch.randn(2 * 9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    made = below(z).view(2, 9, 4)
    sources = [(0,), (1,), (2,), (0, 3), (1, 4), (2, 5), (0,), (1,), (2,)]
    for number, source in enumerate(sources):
        (gradient,) = torch.autograd.grad(made[1, number].sum(), z, retain_graph=True)
        assert gradient.any(1).nonzero()[:, 0].tolist() == [9 + place for place in source]


def test_the_loss_is_info_nce_over_all_patches_of_the_batch() -> None:
    patches, tau = Patches(3, ahead=2), 0.1
    pool = curated(plain(patches, torch.zeros(3, 3, dtype=torch.int8)))
    random = torch.Generator().manual_seed(1)
    made, z = (torch.randn(27, 5, dtype=torch.float64, generator=random).requires_grad_() for _ in range(2))
    (term,) = Method(temperature=tau).recipe().terms
    value = term.objective(Pool(**{**vars(pool), "anchors": made, "keys": z}))
    losses = []
    for picture in range(3):
        for number, place in enumerate(patches.targets):
            scores = [made[9 * picture + number] @ other / tau for other in z]
            mass = torch.stack([score.exp() for score in scores]).sum()
            losses.append(-torch.log(scores[9 * picture + place].exp() / mass))
    expected = torch.stack(losses).mean()
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)
    both = zip(torch.autograd.grad(value, (made, z)), torch.autograd.grad(expected, (made, z)), strict=True)
    for mine, loops in both:
        torch.testing.assert_close(mine, loops, rtol=0, atol=1e-9)


def test_linked_pictures_share_the_patches_of_a_place_and_separated_ones_push_with_all() -> None:
    patches = Patches(2, ahead=1)  # predicts places 2 and 3
    said = torch.tensor([[1, 1, -1], [1, 1, 0], [-1, 0, 1]], dtype=torch.int8)
    pool = curated(plain(patches, said))
    pos, confirmed = pool.pos.view(3, 2, 3, 4), pool.confirmed.view(3, 2, 3, 4)
    for number, place in enumerate((2, 3)):
        assert pos[0, number].nonzero().tolist() == [[0, place], [1, place]]
        assert pos[2, number].nonzero().tolist() == [[2, place]]
        assert (confirmed[0, number, 2] == 2).all() and not confirmed[0, number, :2].any()
    assert not (pool.neg * pool.pos).any() and (pool.neg.view(3, 2, 3, 4)[0, 0, 1] == torch.tensor([1, 1, 0, 1])).all()


def test_answers_reach_the_patches_of_a_run() -> None:
    pairs = [(0, 6, Verdict.SAME), (6, 12, Verdict.SAME), (1, 7, Verdict.SAME)]
    pairs += [(i, j, Verdict.DIFFERENT) for i in (0, 6, 12) for j in (1, 7)]
    plan = TrainSettings(size=16, batch=16, epochs=1, partners=4)
    run, seen = Training(build("cpc"), patterns(64)[0], IDS, plan, answered(pairs)), []
    while run.done < run.steps:
        run.step(lambda pool: seen.append(pool) or {})
    assert any(((pool.pos > 0) & ~pool.own).any() for pool in seen)
    assert any(pool.confirmed.any() for pool in seen) and run.table is None
    for pool in seen:
        assert pool.pos.shape == (16 * 9, 16 * 9) and (pool.anchor_ids // 9).unique().numel() == 16
        assert not pool.confirmed[pool.anchor_ids[:, None] // 9 == pool.key_ids[None] // 9].any()


def test_features_are_of_whole_pictures() -> None:
    run = Training(build("cpc"), patterns(64)[0], IDS, TrainSettings(size=16, batch=16, epochs=1))
    assert run.embed().shape == (64, 128)

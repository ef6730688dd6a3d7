"""What a deep refresh rests on: who is held out, who judges, how it pauses, when it is asked for, what it trains."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from db import jobs
from db.artifacts import ArtifactStore
from db.errors import BadInput
from db.nouns import Item, Statement, Verdict
from tests.small_world import make_world
from tests.trainer.test_promotion import good_and_bad
from trainer.backbones import load_backbone
from trainer.beside import of_pixels
from trainer.holding import SHARE, is_held, parted
from trainer.judging import judged, log_loss, rises
from trainer.maps import MapViews, maps, on_maps
from trainer.modest import Pauses
from trainer.recipe import build
from trainer.refreshing import KIND, Refreshing
from trainer.trained import Pretrained, load_trained, store_encoder

ROWS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans(), st.booleans()), max_size=60)


def test_about_a_tenth_of_the_items_is_held_and_stays_so() -> None:
    assert abs(np.mean([is_held(item) for item in range(4000)]) - SHARE) < 0.02
    assert [item for item in range(40) if is_held(item)] == [item for item in range(40) if is_held(item)]


@settings(deadline=None)
@given(ROWS)
def test_nothing_that_the_lesson_says_or_implies_is_a_witness(rows: list[tuple[int, int, bool, bool]]) -> None:
    said = [
        Statement(n, a, b, Verdict.SAME if same else Verdict.DIFFERENT, "t", audit=audit)
        for n, (a, b, same, audit) in enumerate(rows)
        if a != b
    ]
    lesson, witnesses = parted(said)
    learnt = {item for one in lesson.statements for item in (one.a, one.b)}
    assert not any(map(is_held, learnt))
    assert all(lesson.relation(one.a, one.b) is None for one in witnesses)
    assert all(is_held(one.a) or is_held(one.b) or one.audit for one in witnesses)


def test_a_better_backbone_is_served_a_worse_one_and_an_equal_one_are_kept() -> None:
    good, bad, witnesses = good_and_bad()
    found = judged(bad, good, witnesses)
    assert found.better and found.sure == 1 and found.after > found.before and found.loss_after < found.loss_before  # type: ignore[operator]
    assert f"{found.before:.3f} with the head alone, {found.after:.3f} after the refresh" in found.reason
    for after in (bad, good):
        kept = judged(good, after, witnesses)
        assert not kept.better and kept.reason.endswith("kept, not served")


def test_too_few_witnesses_keep_it() -> None:
    good, bad, witnesses = good_and_bad()
    found = judged(bad, good, witnesses[:4])
    assert not found.better and found.before is None and "to judge by" in found.reason


def test_log_loss_is_that_of_a_coin_for_cosines_that_say_nothing() -> None:
    same, answers = np.arange(400) % 2 == 0, np.arange(400)
    blind = np.random.default_rng(0).uniform(-1, 1, 400)
    assert log_loss(blind, same, answers) == pytest.approx(np.log(2), abs=0.02)
    assert log_loss(np.where(same, 0.9, -0.9), same, answers) < 0.02


def test_redraws_take_whole_answers_and_ties_count_half() -> None:
    same, answers = np.arange(40) % 2 == 0, np.arange(40) // 4
    cosines = np.random.default_rng(0).normal(size=40)
    assert rises(cosines, cosines, same, answers) == 0.5
    assert rises(cosines, same * 1.0, same, answers) > 0.95


def test_pauses_leave_the_share_of_the_time_that_was_asked_for() -> None:
    now, rested = [0.0], []
    pauses = Pauses(0.25, lambda: now[0], rested.append)
    now[0] = 1.0
    pauses()
    assert rested == [3.0]
    with pytest.raises(BadInput, match=r"share = above 0"):
        Pauses(0)


def test_a_refresh_is_asked_for_once_after_every_so_many_answers(tmp_path: object) -> None:
    world = make_world(tmp_path)  # type: ignore[arg-type]
    ask = Refreshing(world.database, 10)

    def waiting() -> list[int]:
        with world.database.read() as s:
            return [one.payload["answers"] for one in jobs.jobs(s) if one.kind == KIND]

    world.say(world.random_pairs(9), "first")
    ask()
    assert waiting() == []
    world.say(world.random_pairs(3, seed=1), "more")
    ask()
    ask()
    assert waiting() == [12]
    with world.database.write() as s:
        jobs.cancel(s, jobs.newest(s, [KIND], world.criterion, ["queued"]).id)  # type: ignore[union-attr]
    ask()
    assert waiting() == [12], "who stopped one is not asked again at once"
    world.database.close()


def test_views_of_a_map_are_squares_of_it_and_follow_from_the_generator() -> None:
    shown = torch.arange(2 * 3 * 7 * 7).view(2, 3, 7, 7).half()
    one, again = (MapViews()(shown, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, again) and one.dtype == torch.float32 and 4 <= one.shape[-1] <= 7
    assert set(one.flatten().tolist()) <= set(shown.float().flatten().tolist())


def test_systems_that_need_pixels_are_refused_maps_in_one_sentence() -> None:
    with pytest.raises(BadInput, match="needs pixels"):
        on_maps(build("cpc"))
    assert len(on_maps(build("simclr"))["views"]) == 2


def test_trunk_and_last_block_together_are_lite0_alone_and_beside_itself(tmp_path: object) -> None:
    whole, tail = load_backbone("lite0").eval(), load_backbone("lite0_last").eval()
    pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = whole((pixels - 0.5) / 0.5)
        found = of_pixels(tail).eval()((pixels - 0.5) / 0.5)
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
        store = ArtifactStore(str(tmp_path))
        name = store_encoder(store, "simclr", "lite0_last", tail, {}, beside=Pretrained("lite0", (0.5, 2.0)))
        encoder = load_trained(store, name)
        squares = (pixels.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).numpy()
        both = encoder.encode_squares(squares)
    assert both.shape == (2, 2560) and encoder.input_size == 224
    np.testing.assert_allclose(both[:, :1280] * 4, both[:, 1280:], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(both[:, :1280] * 2, wanted.numpy(), rtol=0.1, atol=0.05)


def test_maps_are_computed_once_and_kept(tmp_path: object) -> None:
    from PIL import Image

    class Mean(torch.nn.Module):
        """Stands in for a trunk: the mean colour of every 32 x 32 pixels."""

        size, channels, mean, std = 64, 3, (0.0,) * 3, (1.0,) * 3

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.avg_pool2d(pixels, 32)

    items = []
    for number in range(3):
        Image.new("RGB", (64, 64), (number * 50, 0, 255)).save(tmp_path / f"{number}.png")  # type: ignore[operator]
        items.append(Item(10 - number, 1, f"{number}" * 64, 64, 64, f"{number}.png"))
    items.append(Item(99, 1, "9" * 64, 64, 64, "gone.png"))
    told: list[int] = []
    for _ in range(2):
        found, ids = maps(tmp_path / "run", items, tmp_path, Mean(), lambda done, of: told.append(done), lambda: False)  # type: ignore[operator, arg-type]
        assert ids.tolist() == [8, 9, 10] and found.shape == (3, 2, 2, 3)
        np.testing.assert_allclose(found[:, 0, 0, 0].astype(float) * 255, [100, 50, 0], atol=0.2)
    assert told == [4]

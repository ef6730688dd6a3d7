"""Blur, solarisation and small views, and what settings of views are refused."""

import pytest
import torch

from db.errors import BadInput
from trainer import chance
from trainer.views import Views

PLAIN = {"area": 1.0, "aspect": 1.0, "flip": 0.0, "colour": 0.0, "grey": 0.0}


def pictures(count: int = 6, side: int = 24) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, side, side), generator=chance.generator(5), dtype=torch.uint8)


def test_blur_keeps_the_mean_of_an_even_picture_and_takes_detail_from_another() -> None:
    blurred = Views(**PLAIN, blur=1.0)
    even = torch.full((4, 3, 24, 24), 90, dtype=torch.uint8)
    torch.testing.assert_close(blurred(even, chance.generator(0)), even / 255, atol=1e-5, rtol=0)
    big = pictures(6, 112)
    assert (blurred(big, chance.generator(0)).var((1, 2, 3)) < 0.95 * (big / 255).var((1, 2, 3))).sum() >= 4


def test_blur_reaches_the_share_of_pictures_it_is_set_to() -> None:
    big = pictures(60, 64)
    seen = Views(**PLAIN, blur=0.3)(big, chance.generator(0))
    changed = ((seen - big / 255).abs().amax((1, 2, 3)) > 1e-4).float().mean()
    assert 0.1 < changed < 0.5


def test_a_batch_in_which_nothing_is_chosen_for_blur_stays_as_it_is() -> None:
    one = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    for seed in range(20):
        seen = Views(**PLAIN, blur=0.05)(one, chance.generator(seed))
        assert seen.shape == one.shape and seen.isfinite().all()


def test_blur_spreads_a_point_evenly_to_its_sides() -> None:
    point = torch.zeros(1, 3, 225, 225, dtype=torch.uint8)
    point[..., 112, 112] = 255
    seen = Views(**PLAIN, blur=1.0)(point, chance.generator(3))[0, 0]
    torch.testing.assert_close(seen, seen.flip(0), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen, seen.T, atol=1e-4, rtol=0)
    assert seen.sum().item() == pytest.approx(1, abs=1e-2) and seen[112, 112] == seen.max() < 1


def test_solarisation_inverts_the_brighter_half() -> None:
    seen = Views(**PLAIN, solarise=1.0)(pictures(), chance.generator(0))
    before = Views(**PLAIN)(pictures(), chance.generator(0))
    torch.testing.assert_close(seen, torch.where(before >= 0.5, 1 - before, before))
    assert seen.max() <= 0.5 < before.max()


def test_blur_and_solarisation_that_never_happen_change_nothing() -> None:
    one, other = Views(blur=0.0, solarise=0.0), Views()
    assert torch.equal(one(pictures(), chance.generator(1)), other(pictures(), chance.generator(1)))


@pytest.mark.parametrize(("side", "length"), [(1.0, 24), (0.5, 12), (0.43, 10)])
def test_a_small_view_has_fewer_pixels_of_the_same_place(side: float, length: int) -> None:
    seen = Views(**PLAIN, side=side)(pictures(), chance.generator(0))
    assert seen.shape == (6, 3, length, length)
    ramp = torch.arange(24).mul(10).to(torch.uint8).expand(2, 3, 24, 24)
    small = Views(**PLAIN, side=side)(ramp, chance.generator(0))
    assert small.mean().item() == pytest.approx((ramp / 255).mean().item(), abs=0.01)
    assert (small[0, 0, 0].diff() > 0).all()


@pytest.mark.parametrize("name", ["flip", "colour", "grey", "blur", "solarise", "strength", "hue"])
def test_a_chance_beyond_1_is_refused_by_name(name: str) -> None:
    for value in (-0.1, 1.1):
        with pytest.raises(BadInput, match=rf"views\.{name} = 0 to 1 expected, got {value}"):
            Views(**{name: value})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"area": 0.0}, "0 < area <= most <= 1"), ({"area": 0.5, "most": 0.4}, "0 < area <= most <= 1"),
        ({"most": 1.2}, "0 < area <= most <= 1"), ({"aspect": 0.9}, r"views\.aspect >= 1"),
        ({"side": 0.0}, r"0 < views\.side <= 1"), ({"side": 1.5}, r"0 < views\.side <= 1"),
    ],
)  # fmt: skip
def test_crops_that_cannot_be_are_refused(wrong: dict[str, float], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Views(**wrong)

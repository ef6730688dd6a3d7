"""Views, probes, squares, stored encoders: the parts around the trainer."""

import math
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from db.artifacts import ArtifactStore
from db.errors import BadInput, NotFound
from db.nouns import Item, Statement, Verdict
from oracle.constraints import ConstraintGraph
from tests.patterns import patterns
from trainer import chance
from trainer.backbones import load_backbone
from trainer.priors import as_settings, share_of
from trainer.probe import knn_accuracy, knn_left_out, linear_accuracy
from trainer.snapshot import build as snapshot_of
from trainer.squares import squares
from trainer.systems import system, systems
from trainer.trained import is_trained, load_trained, store_encoder
from trainer.views import Views

PLAIN = Views(area=1.0, aspect=1.0, flip=0.0, colour=0.0, grey=0.0)


def pictures(count: int = 12) -> torch.Tensor:
    return torch.from_numpy(patterns(count)[0]).permute(0, 3, 1, 2)


def test_a_view_that_changes_nothing_is_the_picture() -> None:
    seen = PLAIN(pictures(), chance.generator(0))
    torch.testing.assert_close(seen, pictures().float() / 255, atol=1e-5, rtol=0)


def test_a_flip_turns_left_and_right() -> None:
    seen = Views(area=1.0, aspect=1.0, flip=1.0, colour=0.0, grey=0.0)(pictures(), chance.generator(0))
    torch.testing.assert_close(seen, pictures().flip(3).float() / 255, atol=1e-5, rtol=0)


def test_a_grey_view_has_three_equal_channels_of_the_right_luma() -> None:
    seen = Views(area=1.0, aspect=1.0, flip=0.0, colour=0.0, grey=1.0)(pictures(), chance.generator(0))
    luma = (pictures().float() / 255 * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1)
    for channel in range(3):
        torch.testing.assert_close(seen[:, channel], luma, atol=1e-3, rtol=0)


def test_a_crop_shows_a_part_of_the_picture_and_nothing_else() -> None:
    ramp = torch.arange(64, dtype=torch.uint8).view(1, 1, 1, 64).expand(200, 3, 64, 64)
    seen = Views(area=0.25, aspect=1.0, flip=0.0, colour=0.0, grey=0.0)(ramp, chance.generator(1))[:, 0, 0] * 255
    width = seen[:, -1] - seen[:, 0]  # of 63, the share a crop keeps along a side
    assert (seen[:, 1:] >= seen[:, :-1] - 1e-3).all() and seen.min() >= -1e-3 and seen.max() <= 63 + 1e-3
    assert 0.5 * 63 - 1 <= width.min() < 35 and 58 < width.max() <= 63 + 1e-3


def test_views_are_in_range_differ_between_pictures_and_follow_the_seed() -> None:
    one, again, other = (Views()(pictures(), chance.generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert one.min() >= 0 and one.max() <= 1
    alike = Views()(pictures()[:1].expand(8, -1, -1, -1), chance.generator(0))
    assert len({float(view.mean()) for view in alike}) == 8


def test_draws_for_different_purposes_do_not_repeat() -> None:
    assert len({chance.number(seed, what, step) for seed in range(3) for what in range(6) for step in range(9)}) == 162


def test_knn_is_a_majority_of_cosines() -> None:
    known = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [0.2, 0.8]])
    labels = np.array([0, 0, 1, 1, 1])
    assert knn_accuracy(known, labels, np.array([[5, 0.1], [0, 2]]), np.array([0, 1]), 2) == 1.0
    assert knn_accuracy(known, labels, np.array([[5, 0.1]]), np.array([0]), 5) == 0.0
    assert knn_left_out(known, labels, 1) == 1.0
    with pytest.raises(BadInput, match="at least 2 expected"):
        knn_left_out(known[:1], labels[:1])


def test_a_line_separates_what_lies_on_two_sides_of_it() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 5))
    labels = (rows[:, 2] > 0).astype(np.int64)
    assert linear_accuracy(rows[:150], labels[:150], rows[150:], labels[150:]) > 0.9


def shown(folder: Path, count: int) -> list[Item]:
    """Items with pictures in a workspace, the second one unreadable."""
    (folder / "media").mkdir()
    made = []
    for number, pixels in enumerate(patterns(count)[0]):
        content = BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        (folder / "media" / f"{number}").write_bytes(b"no picture" if number == 1 else content.getvalue())
        made.append(Item(30 - number, 1, f"{number:064x}", 16, 16, f"media/{number}", name=f"{number}"))
    return made


def test_squares_are_the_pictures_by_rising_id_without_the_unreadable(tmp_path: Path) -> None:
    items = shown(tmp_path, 6)
    pixels, ids = squares(tmp_path / "run", items, tmp_path, 16)
    assert ids.tolist() == [25, 26, 27, 28, 30]
    np.testing.assert_array_equal(pixels[-1], patterns(6)[0][0])
    (tmp_path / "media" / "0").unlink()  # kept: not read again
    again, same = squares(tmp_path / "run", items, tmp_path, 16)
    np.testing.assert_array_equal(again, pixels)
    assert same.tolist() == ids.tolist()
    assert len(squares(tmp_path / "run", items, tmp_path, 8)[1]) == 4


def test_a_stored_encoder_gives_the_same_features(tmp_path: Path) -> None:
    store, network = ArtifactStore(tmp_path), load_backbone("small", size=16).eval()
    name = store_encoder(store, "simclr", "small", network, {"seed": 0})
    assert is_trained(store, name) and not is_trained(store, "lite0") and not is_trained(store, "hf_hub:a/b")
    pixels = patterns(5)[0]
    with torch.no_grad():
        wanted = network((pictures(5).float() / 255 - 0.5) / 0.25)
    found = load_trained(store, name)
    np.testing.assert_allclose(found.encode_squares(pixels), wanted.numpy(), atol=1e-4)
    assert (found.name, found.dim, found.input_size) == (name, 128, 16)
    with pytest.raises(NotFound):
        load_trained(store, "simclr-00000000")


def test_the_small_backbone_is_small_and_refuses_tiny_pictures() -> None:
    assert sum(weight.numel() for weight in load_backbone("small").parameters()) < 100_000
    with pytest.raises(BadInput, match="at least 16 expected, got 8"):
        load_backbone("small", size=8)
    assert math.prod(load_backbone("small", size=40)(torch.rand(2, 3, 40, 40)).shape) == 256


def test_every_system_is_listed_and_a_misspelt_one_gets_the_nearest() -> None:
    assert {"simclr", "moco"} <= {one.name for one in systems()}
    with pytest.raises(NotFound, match=r"no method named 'simcler'\. Did you mean 'simclr'"):
        system("simcler")


def test_how_common_same_is_comes_from_the_audits() -> None:
    """Uniform pair audits: 12 of 60 are same."""
    ids, rng = np.arange(30), np.random.default_rng(0)
    snapshot = snapshot_of(ids, rng.normal(size=(30, 8)).astype(np.float32))
    graph = ConstraintGraph()
    assert share_of(snapshot, graph) is None and as_settings(None, ("prior",)) == {}
    pairs = [(a, b) for a in range(30) for b in range(a)]
    for number in range(60):
        verdict = Verdict.SAME if number % 5 == 0 else Verdict.DIFFERENT
        a, b = pairs[number * 7]
        graph.add(Statement(number + 1, a, b, verdict, "ann", audit=True))
    share = share_of(snapshot, graph)
    assert share == pytest.approx((12 + 0.5) / (60 + 1), abs=1e-6)
    assert as_settings(share, ("tau_plus", "temperature")) == {"tau_plus": share}

"""AudioToken: pictures follow the sound, and nothing but the embedder learns from sounds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from db.errors import BadInput, NotFound
from trainer.attributes import Attributes
from trainer.generating import candidates, learn
from trainer.generators.audiotoken import AudioToken, Embedder, Generator

TINY = Generator(
    "side_lit", side=8, width=8, hidden=32, steps=160, listening=80, batch=16, rate=4e-3, close=1.0, ddim=6
)
SIDES = ("left", "right")


def world(folder: Path, count: int = 72) -> tuple[np.ndarray, Attributes]:
    """Two kinds of pictures, left or right half bright, and a high or a low tone somewhere in some noise. Of the last
    third nobody said which half it is; the first two have no recording."""
    rng = np.random.default_rng(0)
    kinds = np.arange(count) % 2
    pictures = np.full((count, 8, 8, 3), 30.0) + 10 * rng.random((count, 8, 8, 3))
    for row, kind in enumerate(kinds):
        pictures[row, :, 4 * kind : 4 * kind + 4] += 200
        tone = 0.5 * np.sin(2 * np.pi * (400, 2000)[kind] * np.arange(800) / 8000)
        wave = 0.02 * rng.normal(size=4000)
        at = rng.integers(0, 3200)
        wave[at : at + 800] += tone
        soundfile.write(folder / f"{row}.wav", wave, 8000)
    paths = np.array([folder / f"{row}.wav" if row > 1 else None for row in range(count)], object)
    said = np.array([SIDES[kind] if row < 2 * count // 3 else None for row, kind in enumerate(kinds)], object)
    unknown = np.full(count, np.nan)
    places = np.stack([unknown, unknown], 1)
    return pictures.astype(np.uint8), Attributes(10 + np.arange(count), {"side_lit": said}, unknown, places, paths)


def teach(made: AudioToken, pictures: np.ndarray, steps: int, folder: Path) -> None:
    """Some more steps."""
    learn(made, pictures, steps, made.settings.batch, state=folder / f"{steps}.state", about={},
          told=lambda *_: None, cancelled=lambda: False)  # fmt: skip


def lit(made: AudioToken, pictures: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Which half of what each recording makes is brighter."""
    drawn = np.concatenate([candidates(made, pictures[row], int(made.ids[row]), 1) for row in rows]).astype(float)
    return (drawn[:, :, 4:].mean((1, 2, 3)) > drawn[:, :, :4].mean((1, 2, 3))).astype(int)


def test_pictures_follow_sounds_that_nobody_learnt_from_and_shuffled_ones_do_not(tmp_path: Path) -> None:
    pictures, attributes = world(tmp_path)
    made = TINY.maker(0, attributes)
    teach(made, pictures, 80, tmp_path)
    before = {key: value.clone() for key, value in made.weights().items()}
    teach(made, pictures, 160, tmp_path)
    moved = {key for key, value in made.weights().items() if not torch.equal(before[key], value)}
    assert moved and all(key.startswith("embedder") for key in moved), "the model of the pictures is frozen"
    asked = np.arange(48, 72)
    found = lit(made, pictures, asked)
    shuffled = np.random.default_rng(2).permutation(asked)
    assert (found == asked % 2).mean() >= 0.8 and (found == shuffled % 2).mean() <= 0.7


def test_batches_are_of_pictures_with_a_class_and_then_with_a_recording(tmp_path: Path) -> None:
    _, attributes = world(tmp_path)
    made = TINY.maker(0, attributes)
    assert made.rows.tolist() == list(range(48)) and made.anchors.tolist() == list(range(2, 72))
    made.done = 80
    assert made.rows.tolist() == list(range(2, 48))
    with pytest.raises(BadInput, match="item 10 has no recording"):
        made.candidates(torch.zeros(3, 8, 8), 10, 1)


def test_a_run_stopped_while_it_listens_goes_on_bit_equal(tmp_path: Path) -> None:
    pictures, attributes = world(tmp_path, 12)
    short = replace(TINY, steps=6, listening=3)
    whole, stopped, again = (short.maker(1, attributes) for _ in range(3))
    teach(whole, pictures, 6, tmp_path / "whole")
    teach(stopped, pictures, 5, tmp_path)
    again.load_state(stopped.state())
    teach(again, pictures, 6, tmp_path)
    assert again.done == 6
    for key, value in whole.state().items():
        assert torch.equal(value, again.state()[key]), key


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"recordings": np.full(12, None, object)}, BadInput, "no item has a recording .* --audio-column"),
        ({"values": {"side_lid": np.full(12, "left", object)}}, NotFound, "Did you mean 'side_lid'"),
        ({"values": {"side_lit": np.full(12, "left", object)}}, BadInput, "two classes or more .* got 1"),
        ({"recordings": np.array([*[None] * 8, *[Path("absent.wav")] * 4], object)}, BadInput, "that can be read"),
    ],
)
def test_what_it_cannot_learn_from_is_said_in_a_sentence(
    tmp_path: Path, change: dict[str, Any], error: type[Exception], words: str
) -> None:
    _, attributes = world(tmp_path, 12)
    with pytest.raises(error, match=words):
        TINY.maker(0, replace(attributes, **change))


def test_recordings_of_items_without_a_class_alone_teach_nothing(tmp_path: Path) -> None:
    _, attributes = world(tmp_path, 12)
    late = np.where(np.arange(12) < 8, None, attributes.recordings)
    with pytest.raises(BadInput, match="no item has a recording and a value of 'side_lit'"):
        TINY.maker(0, replace(attributes, recordings=late))


def test_other_classes_or_recordings_are_another_generator(tmp_path: Path) -> None:
    _, attributes = world(tmp_path, 12)
    turned = {"side_lit": attributes.values["side_lit"][::-1]}
    others = [attributes, replace(attributes, values=turned),
              replace(attributes, recordings=attributes.recordings[::-1]),
              replace(attributes, values={**attributes.values, "more": np.full(12, "x", object)})]  # fmt: skip
    sums = [TINY.maker(0, one).beside for one in others]
    assert len(set(sums[:3])) == 3 and sums[3] == sums[0], "another column is not learnt from"


def test_the_pool_is_a_softmax_over_time_of_every_frame() -> None:
    embedder = Embedder(3, 4, 5)
    sounds = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0))
    for seen, found in zip(embedder.frames(sounds), embedder(sounds), strict=True):
        weights = [embedder.attention(frame).exp() for frame in seen]
        pooled = sum(weight * frame for weight, frame in zip(weights, seen, strict=True)) / sum(weights)
        assert torch.allclose(found, embedder.token(pooled), atol=1e-6)


def test_what_holds_a_token_is_its_size_and_its_angle_to_the_class(tmp_path: Path) -> None:
    made = TINY.maker(0, world(tmp_path, 12)[1])
    token, name = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    assert made.held(token, name).item() == pytest.approx(0.01 * 2.0 + 1.0 * 0.5)


def test_fewer_steps_than_it_listens_are_refused_with_what_to_say() -> None:
    with pytest.raises(BadInput, match=r"all 400 steps expected, got 500\. Set it, too: --set listening=100\."):
        Generator("side_lit", steps=400)

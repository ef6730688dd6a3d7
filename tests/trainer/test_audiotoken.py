"""AudioToken: pictures follow the sound, and nothing but the embedder learns from sounds."""

import numpy as np
import pytest
import torch

from trainer.audiotoken import AudioToken, Embedder, Settings

TINY = Settings(width=8, batch=32, ddim=8)


def world(count: int = 96, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two kinds of pictures, left or right half bright, each beside a sound of five frames, one of which tells."""
    rng = np.random.default_rng(seed)
    classes = np.arange(count) % 2
    pictures = np.full((count, 8, 8), -0.8) + 0.1 * rng.normal(size=(count, 8, 8))
    pictures[classes == 0, :, :4] += 1.6
    pictures[classes == 1, :, 4:] += 1.6
    sounds = rng.normal(size=(count, 5, 6))
    sounds[np.arange(count), rng.integers(0, 5, count), 0] += np.where(classes == 0, 6, -6)  # in one of the frames
    return pictures.clip(-1, 1).astype(np.float32), classes, sounds.astype(np.float32)


def sides(made: np.ndarray) -> np.ndarray:
    """Which half is brighter."""
    return (made[:, :, 4:].mean((1, 2)) > made[:, :, :4].mean((1, 2))).astype(int)


def test_pictures_follow_the_sound_and_shuffled_sounds_do_not() -> None:
    pictures, classes, sounds = world()
    model = AudioToken(TINY, 2, 6)
    losses = model.learn_pictures(pictures, classes, 120)
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:20])
    before = {key: value.clone() for key, value in model.unet.state_dict().items()}
    model.learn_sounds(pictures, classes, sounds, 100)
    assert all(torch.equal(before[key], value) for key, value in model.unet.state_dict().items())
    _, asked, unheard = world(40, seed=1)
    right = (sides(model.heard(unheard)) == asked).mean()
    shuffled = (sides(model.heard(np.random.default_rng(2).permutation(unheard))) == asked).mean()
    assert right >= 0.8 and right > shuffled + 0.2


def test_the_pool_is_a_softmax_over_time_of_every_frame() -> None:
    embedder = Embedder(3, 4, 5)
    sounds = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0))
    for one, found in zip(sounds, embedder(sounds), strict=True):
        seen = [embedder.frames(frame) for frame in one]
        weights = [embedder.attention(frame).exp() for frame in seen]
        pooled = sum(weight * frame for weight, frame in zip(weights, seen, strict=True)) / sum(weights)
        assert torch.allclose(found, embedder.token(pooled), atol=1e-6)


def test_what_holds_a_token_is_its_size_and_its_angle_to_the_class() -> None:
    model = AudioToken(TINY, 2, 6)
    token, name = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    assert model.held(token, name).item() == pytest.approx(0.01 * 2.0 + 0.01 * 0.5)


def test_the_same_seed_hears_the_same() -> None:
    pictures, classes, sounds = world(32)
    made = []
    for _ in range(2):
        model = AudioToken(TINY, 2, 6, seed=3)
        model.learn_pictures(pictures, classes, 2)
        model.learn_sounds(pictures, classes, sounds, 2)
        made.append(model.heard(sounds[:2]))
    assert np.array_equal(made[0], made[1])

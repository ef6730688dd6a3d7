"""Who turns a picture into numbers: one file here is one encoder, and any timm model works by its name.

A file defines one class `Encoder`; the file's name is what people type. Shared parts start with an underscore.
"""

from difflib import get_close_matches
from typing import Any, Protocol

import numpy as np

from db.errors import unknown
from oracle import plugins

FAMILY = "trainer.encoders"
DEFAULT = "lite0"


class Encoder(Protocol):
    """name: what people typed. dim: numbers per picture. input_size: side of the square the network sees, in pixels."""

    name: str
    dim: int
    input_size: int

    def encode(self, images: list[np.ndarray]) -> np.ndarray:
        """images: (H, W, 3) uint8 each, any size. Returns (N, dim) float32, pooled and not normalised."""

    def encode_squares(self, squares: np.ndarray) -> np.ndarray:
        """squares: (N, input_size, input_size, 3) uint8, already cut by `square`. Returns (N, dim) float32."""

    def square(self, encoded: bytes) -> np.ndarray:
        """The (input_size, input_size, 3) uint8 square of one encoded picture. Safe to call from many threads."""


def encoder_names() -> list[str]:
    """Encoders with a file of their own, or from another package's entry points, sorted."""
    return plugins.names(FAMILY)


def load_encoder(name: str = DEFAULT, **settings: Any) -> Encoder:
    """The encoder of that name, ready to run: a file of this folder first, else a timm model with its weights.

    settings: `engine` ("auto", "openvino", "eager", "cuda"); for timm models also `pretrained`.
    Raises: NotFound for an unknown name, Broken where the weights cannot be fetched.
    """
    if name in encoder_names():
        return plugins.find(FAMILY, name)(**settings)  # type: ignore[no-any-return]
    from trainer.encoders import _timm

    if _timm.knows(name):
        return _timm.TimmEncoder(name, **settings)
    known = encoder_names()
    near = get_close_matches(name, known + _timm.model_names(), n=5)
    raise unknown("encoder", name, {*known, *near}, remedy="Any timm model name works too.")

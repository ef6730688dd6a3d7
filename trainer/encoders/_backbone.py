"""What every pixel encoder shares: cut a square, run the engine, check the numbers."""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from torch import nn

from db.errors import BadInput, Broken
from trainer import pictures
from trainer.encoders import _engine


class Backbone:
    """A headless network with its own preprocessing. See `trainer.encoders.Encoder` for the calls."""

    def __init__(
        self,
        name: str,
        network: nn.Module,
        *,
        dim: int,
        input_size: int,
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: Sequence[float] = (0.5, 0.5, 0.5),
        interpolation: str = "bicubic",
        engine: str = "auto",
    ) -> None:
        self.name, self.dim, self.input_size = name, dim, input_size
        self._resample = Image.Resampling[interpolation.upper()]
        self._run = _engine.build(_engine.Normalised(network, tuple(mean), tuple(std)), input_size, engine)

    def square(self, encoded: bytes) -> np.ndarray:
        """The (input_size, input_size, 3) uint8 square of one encoded picture."""
        return pictures.decode_square(encoded, self.input_size, self._resample)

    def array_square(self, pixels: np.ndarray) -> np.ndarray:
        """The same square of pixels that are decoded already, (H, W, 3) uint8. Raises BadInput for other arrays."""
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise BadInput(f"images: expected (H, W, 3) uint8 each, got {pixels.shape} {pixels.dtype}.")
        return pictures.array_square(pixels, self.input_size, self._resample)

    def encode(self, images: list[np.ndarray]) -> np.ndarray:
        """images: (H, W, 3) uint8 each -> (N, dim) float32."""
        squares = [self.array_square(image) for image in images]
        empty = np.empty((0, self.input_size, self.input_size, 3), np.uint8)
        return self.encode_squares(np.stack(squares) if squares else empty)

    def encode_squares(self, squares: np.ndarray) -> np.ndarray:
        """squares: (N, input_size, input_size, 3) uint8 -> (N, dim) float32."""
        if len(squares) == 0:
            return np.empty((0, self.dim), np.float32)
        vectors = self._run(squares)
        if vectors.shape != (len(squares), self.dim) or not np.isfinite(vectors).all():
            raise Broken(f"encoder '{self.name}' gave {vectors.shape} numbers, some not finite; try another encoder.")
        return vectors

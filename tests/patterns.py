"""Pictures that teach within a second: six patterns, each seen through crops, in any light and with noise."""

import numpy as np
from PIL import Image

from trainer.pictures import decode_square

KINDS = 6


def patterns(count: int, *, side: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(N, side, side, 3) uint8 and (N,) int64, the pattern. Light and place differ more than the patterns do."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % KINDS
    coarse = np.random.default_rng(7).uniform(0.25, 0.75, (KINDS, 6, 6, 3))
    large = coarse.repeat(side // 4, 1).repeat(side // 4, 2)  # (KINDS, 1.5 side, 1.5 side, 3)
    down, right = rng.integers(0, side // 2 + 1, (2, count))
    seen = np.stack([large[k, d : d + side, r : r + side] for k, d, r in zip(labels, down, right, strict=True)])
    light = rng.uniform(0.4, 1.4, (count, 1, 1, 1))
    noisy = seen * light + rng.normal(0, 0.05, seen.shape)
    return (255 * noisy.clip(0, 1)).astype(np.uint8), labels.astype(np.int64)


class Coarse:
    """Stands in for lite0: the picture on a grid of 4 x 4."""

    name, dim, input_size = "lite0", 48, 4

    def square(self, encoded: bytes) -> np.ndarray:
        return decode_square(encoded, 4, Image.Resampling.BOX)

    def encode_squares(self, squares: np.ndarray) -> np.ndarray:
        return squares.reshape(len(squares), -1).astype(np.float32) / 255

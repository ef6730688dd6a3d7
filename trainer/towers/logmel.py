"""Recordings by their spectrum: how loud each band of pitches is in each part of the recording. Nothing to download.

    e = (M - mean M) / |M - mean M|,    M[b, t] = mean over the frames of part t of log(power in mel band b)

A recording of any length is cut into as many equal parts, so a word said slowly is near the same word said fast. Finds
what sounds alike from beginning to end; knows nothing of meaning.
Source: Davis, Mermelstein 1980, "Comparison of parametric representations for monosyllabic word recognition", IEEE
TASSP 28 (bands of mel); bands and their areas as in Slaney 1998, "Auditory toolbox".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from db.errors import BadInput
from trainer.towers._mel import in_bands

QUIET = 1e-8  # below the loudest band by 80 dB is silence


@dataclass(frozen=True)
class Tower:
    """bands: of mel. parts: of a recording. rate: samples a second, at least 4000."""

    bands: int = 40
    parts: int = 16
    rate: int = 16_000

    def __post_init__(self) -> None:
        if self.bands < 8 or self.parts < 1 or self.rate < 4000:
            raise BadInput(
                f"bands = at least 8, parts = at least 1 and rate = at least 4000 expected, got {self.bands}, "
                f"{self.parts} and {self.rate}."
            )

    @property
    def dim(self) -> int:
        """Numbers of a row."""
        return self.bands * self.parts

    def __call__(self, waves: Sequence[np.ndarray]) -> np.ndarray:
        """N waves -> (N, dim) float32 rows of length 1; zeros for silence."""
        rows = [self._row(wave) for wave in waves]
        return np.stack(rows).astype(np.float32) if rows else np.zeros((0, self.dim), np.float32)

    def _row(self, wave: np.ndarray) -> np.ndarray:
        power = in_bands(wave, self.rate, self.rate // 40, self.rate // 100, self.bands)  # (T, bands)
        if not (loudest := power.max()) > 0:
            return np.zeros(self.dim)
        loud = np.log(np.maximum(power / loudest, QUIET))
        at = np.linspace(0, len(loud), self.parts + 1)
        edges = [(int(a), max(int(np.ceil(b)), int(a) + 1)) for a, b in pairwise(at)]
        row = np.concatenate([loud[a:b].mean(0) for a, b in edges])  # (parts bands,)
        row -= row.mean()
        length = np.linalg.norm(row)
        return row / length if length > 0 else row

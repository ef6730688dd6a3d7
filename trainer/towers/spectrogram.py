"""Recordings by a small convolutional network over their log-mel spectrogram: begins untaught. Nothing to download.

    e = mean and maximum over the places of  f(M),    M[t, b] as in `logmel`, in 64 parts

Always trained. While it is, a band of pitches and a stretch of time of each recording are hidden, so that it does not
know one speaker's recordings by heart.
Source: Hershey et al. 2017, "CNN architectures for large-scale audio classification", arXiv 1609.09430 (pictures of
log-mel); Park et al. 2019, "SpecAugment", arXiv 1904.08779, section 2 (what is hidden).
Differs from the papers: 110,000 weights; a recording of any length is cut into as many parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from db.errors import BadInput
from trainer.towers._untaught import as_it_starts
from trainer.towers.logmel import Tower as LogMel

WIDTHS = (24, 48, 72, 96)
GROUPS = 8  # of the normalisation, which looks at one recording alone


@dataclass(frozen=True)
class Tower:
    """bands: of mel. parts: of a recording. rate: samples a second. hidden: share of bands, and of parts, that at most
    is hidden in training, at least 0 and below 1."""

    untaught: ClassVar[bool] = True
    pace: ClassVar[float] = 1.0

    bands: int = 40
    parts: int = 64
    rate: int = 16_000
    hidden: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.hidden < 1:
            raise BadInput(f"hidden = at least 0 and below 1 expected, got {self.hidden}.")
        if min(self.bands, self.parts) < 2 ** len(WIDTHS):
            raise BadInput(
                f"bands and parts = at least {2 ** len(WIDTHS)} expected, got {self.bands} and {self.parts}."
            )
        LogMel(self.bands, self.parts, self.rate)

    @property
    def dim(self) -> int:
        """192."""
        return 2 * WIDTHS[-1]

    def __call__(self, waves: Sequence[np.ndarray]) -> np.ndarray:
        """N waves -> (N, 192) float32 rows of length 1 by the network as it starts; zeros for silence."""
        return as_it_starts(self, waves)

    def inputs(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """N waves -> (N, parts * bands) float32 of mean 0 and length 1; zeros for silence."""
        return LogMel(self.bands, self.parts, self.rate)(values)

    def network(self) -> nn.Module:
        """The network, untaught."""
        return Hearing(self)


class Hearing(nn.Module):
    """(B, parts * bands) -> (B, 192)."""

    def __init__(self, of: Tower) -> None:
        super().__init__()
        self.shape, self.hidden = (1, of.parts, of.bands), of.hidden
        widths = (1, *WIDTHS)
        self.layers = nn.Sequential(*(_halving(widths[n], widths[n + 1]) for n in range(len(WIDTHS))))

    def forward(self, rows: Tensor) -> Tensor:
        seen = rows.view(-1, *self.shape) * (self.shape[1] * self.shape[2]) ** 0.5  # of deviation 1
        if self.training and self.hidden:
            seen = _covered(_covered(seen, 2, self.hidden), 3, self.hidden)
        flat = self.layers(seen).flatten(2)  # (B, C, P)
        return torch.cat([flat.mean(2), flat.amax(2)], 1)


def _covered(seen: Tensor, dim: int, share: float) -> Tensor:
    """The same with a stretch along a dimension put to the mean, another one in each recording."""
    size = seen.shape[dim]
    draw = torch.rand(2, len(seen), 1, device=seen.device)
    length = draw[0] * share * size
    start, place = draw[1] * (size - length), torch.arange(size, device=seen.device)
    hidden = (place >= start) & (place < start + length)  # (B, size)
    return seen.masked_fill(hidden[:, None, :, None] if dim == 2 else hidden[:, None, None, :], 0.0)


def _halving(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.GroupNorm(GROUPS, outputs), nn.ReLU()
    )

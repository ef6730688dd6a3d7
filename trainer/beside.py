"""Pixel networks made of a trained backbone: on its trunk where it has one, beside the pretrained one where wished.

    f(x) = [ a f_0(x) , b f_1(x) ]        (B, D + D')     a, b: so that both halves are about 1 long

Beside each other a refresh adds what it learnt and takes nothing away: the head finds the blend the answers ask for.
Source: Zhang, Sax, Zamir, Guibas, Malik 2020, "Side-tuning", arXiv 1912.13503, section 3.
Differs from the paper: the halves are joined, not blended.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate


class OnTrunk(nn.Module):
    """A backbone of maps behind its trunk; with `first` another backbone of maps beside it, on the same maps."""

    def __init__(self, tail: nn.Module, first: nn.Module | None = None, scales: Sequence[float] = (1.0, 1.0)) -> None:
        super().__init__()
        self.trunk = tail.trunk()  # type: ignore[operator]
        self.halves, self.scales = nn.ModuleList([tail] if first is None else [first, tail]), tuple(scales)
        self.size, self.dim = self.trunk.size, sum(int(one.dim) for one in self.halves)  # type: ignore[arg-type, misc]
        self.mean, self.std = self.trunk.mean, self.trunk.std

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, size, size) -> (B, D) or (B, 2 D)"""
        maps = self.trunk(pixels)
        scales = self.scales[-len(self.halves) :]
        return torch.cat([a * half(maps) for a, half in zip(scales, self.halves, strict=True)], 1)


class Beside(nn.Module):
    """first, second: backbones of pixels, each with its own size, mean and deviation. scales: a and b."""

    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)

    def __init__(self, first: nn.Module, second: nn.Module, scales: Sequence[float] = (1.0, 1.0)) -> None:
        super().__init__()
        self.first, self.second, self.scales = first, second, tuple(scales)
        self.size = max(int(one.size) for one in (first, second))  # type: ignore[arg-type]
        self.dim = int(first.dim) + int(second.dim)  # type: ignore[arg-type]

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1], S = `size` -> (B, D + D')"""
        halves = (self.first, self.second)
        return torch.cat([a * _seen(half, pixels) for a, half in zip(self.scales, halves, strict=True)], 1)


def _seen(backbone: nn.Module, pixels: Tensor) -> Tensor:
    """What a backbone makes of pixels of any size."""
    side = int(backbone.size)  # type: ignore[arg-type]
    if pixels.shape[-1] != side:
        pixels = interpolate(pixels, size=(side, side), mode="bilinear", align_corners=False, antialias=True)
    mean, std = (torch.tensor(getattr(backbone, name)).view(1, 3, 1, 1).to(pixels) for name in ("mean", "std"))
    found: Tensor = backbone((pixels - mean) / std)
    return found


def of_pixels(backbone: nn.Module, first: nn.Module | None = None, scales: Sequence[float] = (1.0, 1.0)) -> nn.Module:
    """A trained backbone as a network of pixels, alone or beside the pretrained one. first: of the same kind as it
    where that has a trunk."""
    if hasattr(backbone, "trunk"):
        return OnTrunk(backbone, first, scales)
    return backbone if first is None else Beside(first, backbone, scales)

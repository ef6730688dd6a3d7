"""Two looks at one picture: crop, flip and colours of a whole batch at once, each picture with its own draw.

One bilinear resampling and one 3 x 3 colour matrix per picture, in plain torch. Measured on one core, 256 pictures of
32 pixels: 8 ms; kornia 0.8 48 ms; torchvision v2 190 ms (picture by picture, as it draws once per batch). The draws
come from a generator of our own, so that a resumed run sees the same views.
Source: Chen, Kornblith, Norouzi, Hinton 2020, SimCLR, arXiv 2002.05709, appendix A.
Blur and solarisation: Grill et al. 2020, BYOL, arXiv 2006.07733, appendix B. Small crops beside large ones: Caron et
al. 2020, SwAV, arXiv 2006.09882, section 3.2.
Differs from the paper: no blur by default (pictures are small); the hue turns in the YIQ plane; brightness, contrast
and saturation come in this order.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, conv2d, grid_sample, pad

from db.errors import BadInput

LUMA = (0.299, 0.587, 0.114)
YIQ = torch.tensor([[*LUMA], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
RGB = torch.linalg.inv(YIQ)


@dataclass(frozen=True)
class Views:
    """area, most: least and largest share of the picture a crop keeps. aspect: largest ratio of its sides. flip,
    colour, grey, blur, solarise: chances. strength: of brightness, contrast and saturation, in [0, 1). hue: largest
    turn in full circles. side: of the view, as a share of the picture's; small crops cost less."""

    area: float = 0.25
    most: float = 1.0
    aspect: float = 4 / 3
    flip: float = 0.5
    colour: float = 0.8
    strength: float = 0.4
    hue: float = 0.1
    grey: float = 0.2
    blur: float = 0.0
    solarise: float = 0.0
    side: float = 1.0

    def __post_init__(self) -> None:
        for name in ("flip", "colour", "grey", "blur", "solarise", "strength", "hue"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"views.{name} = 0 to 1 expected, got {getattr(self, name)}.")
        if not 0 < self.area <= self.most <= 1:
            raise BadInput(f"views.area and views.most = 0 < area <= most <= 1 expected, got {self.area}, {self.most}.")
        if self.aspect < 1 or not 0 < self.side <= 1:
            raise BadInput(f"views.aspect >= 1 and 0 < views.side <= 1 expected, got {self.aspect}, {self.side}.")

    def __call__(self, pictures: Tensor, random: Generator) -> Tensor:
        """pictures: (B, 3, S, S) uint8 -> (B, 3, V, V) float in [0, 1], V = side S."""
        pixels = pictures.float() / 255
        shape = [*pixels.shape[:2], *(round(self.side * length) for length in pixels.shape[2:])]
        grid = affine_grid(self._places(len(pixels), random).to(pixels.device), shape, align_corners=False)
        seen = self._coloured(grid_sample(pixels, grid, padding_mode="reflection", align_corners=False), random)
        seen = _blurred(seen, self.blur, random) if self.blur else seen
        return _solarised(seen, self.solarise, random) if self.solarise else seen

    def _places(self, count: int, random: Generator) -> Tensor:
        """(B, 2, 3) maps from the square of the view into the picture."""
        area = _between(self.area, self.most, count, random)
        ratio = _between(-math.log(self.aspect), math.log(self.aspect), count, random).exp()
        width, height = (area * ratio).sqrt().clamp_max(1), (area / ratio).sqrt().clamp_max(1)
        turned = 1 - 2 * (torch.rand(count, generator=random) < self.flip).float()
        right, down = ((1 - side) * _between(-1.0, 1.0, count, random) for side in (width, height))
        zero = torch.zeros(count)
        return torch.stack([width * turned, zero, right, zero, height, down], dim=1).view(count, 2, 3)

    def _coloured(self, pixels: Tensor, random: Generator) -> Tensor:
        count, device = len(pixels), pixels.device
        changed = torch.rand(count, generator=random) < self.colour
        light, contrast, saturation = (
            torch.where(changed, _between(1 - self.strength, 1 + self.strength, count, random), 1.0) for _ in range(3)
        )
        turn = torch.where(changed, 2 * math.pi * _between(-self.hue, self.hue, count, random), 0.0)
        saturation = torch.where(torch.rand(count, generator=random) < self.grey, 0.0, saturation)
        pixels = pixels * light.to(device).view(-1, 1, 1, 1)
        mean = pixels.mean((1, 2, 3), keepdim=True)
        pixels = (pixels - mean) * contrast.to(device).view(-1, 1, 1, 1) + mean
        return torch.einsum("bij,bjhw->bihw", _mixing(saturation, turn).to(device), pixels).clamp(0, 1)


def _mixing(saturation: Tensor, turn: Tensor) -> Tensor:
    """(B, 3, 3) on RGB: scale the chroma and turn it, keep the luma."""
    zero, one = torch.zeros_like(turn), torch.ones_like(turn)
    cosine, sine = saturation * turn.cos(), saturation * turn.sin()
    turned = torch.stack([one, zero, zero, zero, cosine, -sine, zero, sine, cosine], dim=1).view(-1, 3, 3)
    return RGB @ turned @ YIQ


def _blurred(pixels: Tensor, chance: float, random: Generator) -> Tensor:
    """Some of the views through a Gaussian of .1 to 2 pixels for a side of 224, and in proportion for others."""
    count, channels, _, side = pixels.shape
    chosen = (torch.rand(count, generator=random) < chance).nonzero()[:, 0].to(pixels.device)
    widths = _between(0.1, 2.0, count, random).to(pixels.device)
    if not len(chosen):
        return pixels
    sigma = (widths[chosen] * side / 224).clamp_min(1e-2)
    radius = max(math.ceil(4 * side / 224), 1)
    place = torch.arange(-radius, radius + 1, device=pixels.device)
    weight = torch.exp(-((place / sigma[:, None]) ** 2) / 2)  # (C, 2 r + 1)
    weight = (weight / weight.sum(1, keepdim=True)).repeat_interleave(channels, 0)[:, None, None]
    one = pad(pixels[chosen], [radius] * 4, mode="reflect").flatten(0, 1)[None]  # (1, 3 C, H, W)
    for kernel in (weight, weight.transpose(2, 3)):
        one = conv2d(one, kernel, groups=len(kernel))
    return pixels.index_copy(0, chosen, one[0].unflatten(0, (len(chosen), channels)))


def _solarised(pixels: Tensor, chance: float, random: Generator) -> Tensor:
    """Some of the views with their brighter half inverted."""
    chosen = (torch.rand(len(pixels), generator=random) < chance).to(pixels.device).view(-1, 1, 1, 1)
    return torch.where(chosen & (pixels >= 0.5), 1 - pixels, pixels)


def _between(low: float, high: float, count: int, random: Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=random)

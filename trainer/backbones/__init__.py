"""Networks that a training run teaches, from pixels to features. One file each, or any model of timm.

A file defines `Backbone(nn.Module)` with `dim` (numbers per picture), `size` (side of the square it sees), `mean` and
`std` (of pixels in [0, 1]); `forward` takes (B, 3, size, size) float and gives (B, dim). It is made of two steps:
`places` gives the map (B, C, h, w), and `pooled` makes one row of it; of a single place it makes that place's own
features.
"""

from difflib import get_close_matches
from typing import Any

from torch import nn

from db.errors import unknown
from oracle import plugins

FAMILY = "trainer.backbones"


def load_backbone(name: str, *, size: int | None = None, pretrained: bool = True) -> nn.Module:
    """The backbone of that name: a file of this folder first, else a timm model.

    Args: size: side of the square, None for the network's own. pretrained: a timm model's published weights.
    Raises: NotFound for an unknown name, Broken where weights cannot be fetched.
    """
    given: dict[str, Any] = {} if size is None else {"size": size}
    if name.replace("-", "_") in plugins.names(FAMILY):
        found: nn.Module = plugins.find(FAMILY, name)(**given)
        return found
    from trainer.backbones import _timm

    if _timm.knows(name):
        return _timm.TimmBackbone(name, pretrained=pretrained, **given)
    known = plugins.names(FAMILY)
    near = get_close_matches(name, known + _timm.model_names(), n=5)
    raise unknown("backbone", name, {*known, *near}, remedy="Any timm model name works too.")

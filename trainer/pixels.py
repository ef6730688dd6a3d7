"""From a picture's pixels to its features, as a plain network: what leaves the workspace with a taught embedding.

A network is rebuilt from `words`, which name an architecture and hold no code; its weights are read afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import timm
from torch import nn

from db.artifacts import ArtifactStore
from db.errors import BadInput
from trainer.encoders import _timm, lite0
from trainer.trained import about_of, assembled, is_trained, network_of

KEPT = ("backbone", "size", "beside", "method")  # of what is known about a trained encoder, what rebuilds it


@dataclass(frozen=True, eq=False)
class Pixels:
    """side: of the square in pixels. mean, std: of pixels in [0, 1]. words: what rebuilds the network, as JSON."""

    network: nn.Module
    dim: int
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    words: Mapping[str, Any]


def pixels_of(store: ArtifactStore, name: str) -> Pixels:
    """The network behind an encoder: trained here, lite0, or one of timm. Raises BadInput for any other."""
    if is_trained(store, name):
        network, about = network_of(store, name), about_of(store, name)
        words = {"kind": "trained", **{key: about[key] for key in KEPT if key in about}}
        return _own(network, words)
    if name == "lite0":
        words = {"kind": "timm", "architecture": "tf_efficientnet_lite0"}
        return Pixels(lite0.network(), 1280, 224, (0.5,) * 3, (0.5,) * 3, "bicubic", words)
    if not _timm.knows(name):
        raise BadInput(f"the encoder '{name}' comes from elsewhere and cannot leave with its model. Use lite0 or timm.")
    return _of_timm(_timm._create(name, True, 0), name)


def rebuilt(words: Mapping[str, Any]) -> nn.Module:
    """The network that `words` name, with weights still to be read. Raises BadInput for words that name none."""
    try:
        if words["kind"] == "trained":
            return assembled(words, pretrained=False)[1]
        architecture = str(words["architecture"])
        if words["kind"] == "timm" and timm.is_model(architecture):
            return timm.create_model(architecture, pretrained=False, num_classes=0)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise BadInput(f"the model's config.json names no network ({error!r}). Export the model again.") from error
    raise BadInput(f"the model's config.json names no network we know: {dict(words)!r:.120}. Update Pairwright.")


def _own(network: nn.Module, words: Mapping[str, Any]) -> Pixels:
    mean, std = (tuple(float(one) for one in getattr(network, name)) for name in ("mean", "std"))
    dim, side = int(network.dim), int(network.size)  # type: ignore[arg-type]
    return Pixels(network, dim, side, mean, std, "bicubic", words)


def _of_timm(network: nn.Module, name: str) -> Pixels:
    config = timm.data.resolve_model_data_config(network)
    known: Any = network.pretrained_cfg
    words = {"kind": "timm", "architecture": known.get("architecture") or name.split(".")[0]}
    side, dim = int(config["input_size"][-1]), int(str(network.num_features))
    return Pixels(network, dim, side, tuple(config["mean"]), tuple(config["std"]), config["interpolation"], words)

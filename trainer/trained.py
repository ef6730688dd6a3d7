"""A trained backbone as an encoder of its own: stored once, found again by its name, used like any other encoder."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from safetensors.torch import load, save
from torch import nn

from db.artifacts import ArtifactStore
from db.errors import Broken
from trainer.backbones import load_backbone
from trainer.beside import of_pixels
from trainer.encoders import Encoder, load_encoder
from trainer.encoders._backbone import Backbone

FOLDER = "encoders"
TINY = 64  # pictures up to this side run as quickly in plain torch, which needs no compiling
WEIGHTS, ABOUT = "backbone.safetensors", "encoder.json"


@dataclass(frozen=True)
class Pretrained:
    """A backbone that stands beside the trained one, see `trainer.beside`. scales: of its features and the other's."""

    name: str
    scales: tuple[float, float]


def new_name(method: str) -> str:
    """A name that no encoder has yet."""
    return f"{method.replace('-', '_')}-{uuid4().hex[:8]}"


def store_encoder(
    store: ArtifactStore, method: str, backbone: str, network: nn.Module, about: Mapping[str, Any], *,
    name: str | None = None, beside: Pretrained | None = None, more: Mapping[str, bytes] | None = None,
) -> str:  # fmt: skip
    """Keep a trained backbone; returns the encoder's name, a new one unless it is given. about: plain values that say
    how it was trained. more: further files beside it."""
    name = name or new_name(method)
    weights = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    words = {"method": method, "backbone": backbone, "size": network.size, **about}
    if beside is not None:
        words["beside"] = asdict(beside)
    said = json.dumps(words, sort_keys=True).encode()
    store.save(f"{FOLDER}/{name}", {**(more or {}), WEIGHTS: save(weights), ABOUT: said})
    return name


def is_trained(store: ArtifactStore, name: str) -> bool:
    """Whether an encoder of that name was trained here."""
    simple = name.replace("-", "").replace("_", "").isalnum()
    return simple and store.exists(f"{FOLDER}/{name}")


def about_of(store: ArtifactStore, name: str) -> dict[str, Any]:
    """How an encoder was trained. Raises NotFound, or Broken where its file is damaged."""
    try:
        return dict(json.loads((store.open(f"{FOLDER}/{name}") / ABOUT).read_bytes()))
    except ValueError as error:
        raise Broken(f"the encoder '{name}' cannot be read ({error}). Train it again.") from error


def load_trained(store: ArtifactStore, name: str) -> Backbone:
    """The encoder of that name, ready to run. Raises NotFound, or Broken where its file is damaged."""
    network = network_of(store, name)
    side = int(network.size)  # type: ignore[arg-type]
    return Backbone(
        name, network, dim=int(network.dim), input_size=side, mean=network.mean, std=network.std,  # type: ignore[arg-type]
        engine="eager" if side <= TINY else "auto",
    )  # fmt: skip


def network_of(store: ArtifactStore, name: str) -> nn.Module:
    """The network of a trained encoder, from pixels to features. Raises NotFound, or Broken where it is damaged."""
    folder, about = store.open(f"{FOLDER}/{name}"), about_of(store, name)
    try:
        taught, whole = assembled(about)
        taught.load_state_dict(load((folder / WEIGHTS).read_bytes()))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise Broken(f"the encoder '{name}' cannot be read ({error}). Train it again.") from error
    return whole


def assembled(about: Mapping[str, Any], *, pretrained: bool = True) -> tuple[nn.Module, nn.Module]:
    """(the taught backbone, the network of pixels it is part of), as `about` says and before its weights are read.

    pretrained: whether what stands beside it has its published weights.
    """
    taught, beside = load_backbone(about["backbone"], size=about["size"], pretrained=False), about.get("beside")
    first = load_backbone(_like(taught, beside["name"]), pretrained=pretrained) if beside else None
    return taught, of_pixels(taught, first, beside["scales"] if beside else (1.0, 1.0))


def _like(network: nn.Module, base: str) -> str:
    """The pretrained backbone to stand beside: on the same trunk where it is of the same whole."""
    same = hasattr(network, "trunk") and network.whole == base
    return f"{base}_last" if same else base


def any_encoder(store: ArtifactStore, name: str) -> Encoder:
    """One that was trained here, or one that comes with the install. Raises NotFound for an unknown name."""
    return load_trained(store, name) if is_trained(store, name) else load_encoder(name)

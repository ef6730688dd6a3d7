"""A trained backbone as an encoder of its own: stored once, found again by its name, used like any other encoder."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from safetensors.torch import load, save
from torch import nn

from db.artifacts import ArtifactStore
from db.errors import Broken
from trainer.backbones import load_backbone
from trainer.encoders._backbone import Backbone

FOLDER = "encoders"
TINY = 64  # pictures up to this side run as quickly in plain torch, which needs no compiling
WEIGHTS, ABOUT = "backbone.safetensors", "encoder.json"


def store_encoder(
    store: ArtifactStore, method: str, backbone: str, network: nn.Module, about: Mapping[str, Any]
) -> str:
    """Keep a trained backbone; returns the encoder's new name. about: plain values that say how it was trained."""
    name = f"{method}-{uuid4().hex[:8]}"
    weights = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    words = {"method": method, "backbone": backbone, "size": network.size, **about}
    store.save(f"{FOLDER}/{name}", {WEIGHTS: save(weights), ABOUT: json.dumps(words, sort_keys=True).encode()})
    return name


def is_trained(store: ArtifactStore, name: str) -> bool:
    """Whether an encoder of that name was trained here."""
    simple = name.replace("-", "").replace("_", "").isalnum()
    return simple and store.exists(f"{FOLDER}/{name}")


def load_trained(store: ArtifactStore, name: str) -> Backbone:
    """The encoder of that name, ready to run. Raises NotFound, or Broken where its file is damaged."""
    folder = store.open(f"{FOLDER}/{name}")
    try:
        about = json.loads((folder / ABOUT).read_bytes())
        network = load_backbone(about["backbone"], size=about["size"], pretrained=False)
        network.load_state_dict(load((folder / WEIGHTS).read_bytes()))
    except (KeyError, ValueError, RuntimeError) as error:
        raise Broken(f"the encoder '{name}' cannot be read ({error}). Train it again.") from error
    return Backbone(
        name, network, dim=int(network.dim), input_size=about["size"], mean=network.mean, std=network.std,  # type: ignore[arg-type]
        engine="eager" if about["size"] <= TINY else "auto",
    )  # fmt: skip

"""A trained network that reads words beside pictures, kept whole, so that it can say which pairs do not fit.

`trainer.trained` keeps the backbone, which is all that an encoder needs; this keeps heads and vocabulary, under its
name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from safetensors.torch import load, save

from db.artifacts import ArtifactStore
from db.errors import BadInput, Broken
from trainer.backbones import load_backbone
from trainer.fusion.looking import Fusion
from trainer.fusion.vocabulary import Vocabulary
from trainer.network import Network
from trainer.pair_scores import can_score
from trainer.recipe import Recipe, build
from trainer.training import Training, TrainSettings

FOLDER = "readers"
WEIGHTS, ABOUT = "network.safetensors", "reader.json"


@dataclass(frozen=True, eq=False)
class Reader:
    """recipe: its look knows the vocabulary. network: taught. column: of the words."""

    recipe: Recipe
    network: Network
    column: str


def store_reader(
    store: ArtifactStore, encoder: str, method: str, options: Mapping[str, Any], training: Training
) -> bool:
    """Keep the network of a run beside the encoder that came of it; False where it reads no words. options: of the
    method and its parts, as `trainer.recipe.build` takes them."""
    look = training.recipe.look
    if not can_score(training.recipe):
        return False
    plan = training.settings
    about = {
        "method": method, "options": {key: str(value) for key, value in options.items()}, "seed": plan.seed,
        "backbone": plan.backbone, "size": plan.size, "projection": plan.projection,
        "vocabulary": look.vocabulary.pieces if isinstance(look, Fusion) else [],
    }  # fmt: skip
    weights = training.encoders.network.state_dict()
    kept = {name: value.detach().cpu().contiguous().clone() for name, value in weights.items()}
    store.save(f"{FOLDER}/{encoder}", {WEIGHTS: save(kept), ABOUT: json.dumps(about, sort_keys=True).encode()})
    return True


def load_reader(store: ArtifactStore, encoder: str) -> Reader:
    """The network that an encoder came of. Raises: BadInput where it reads no words, Broken where a file is damaged."""
    if not has_reader(store, encoder):
        raise BadInput(
            f"'{encoder}' reads no words beside pictures, so it cannot say which of them fit. Train one that does: "
            "pairwright train visualbert --collection COLLECTION."
        )
    folder = store.open(f"{FOLDER}/{encoder}")
    try:
        about = json.loads((folder / ABOUT).read_bytes())
        recipe = build(about["method"], about["options"], seed=about["seed"])
        backbone = load_backbone(about["backbone"], size=about["size"] or None, pretrained=False)
        outputs = recipe.outputs or about["projection"]
        network = Network(backbone, outputs, "full", recipe.head, recipe.predictors, recipe.groups)
        network.load_state_dict(load((folder / WEIGHTS).read_bytes()))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise Broken(f"the network of '{encoder}' cannot be read ({error}). Train it again.") from error
    if isinstance(recipe.look, Fusion):
        recipe.look.vocabulary = Vocabulary(tuple(about["vocabulary"]))
    return Reader(recipe, network.eval(), recipe.look.column)  # type: ignore[union-attr]


def has_reader(store: ArtifactStore, encoder: str) -> bool:
    """Whether an encoder came of a network that reads words, and that network was kept."""
    simple = encoder.replace("-", "").replace("_", "").isalnum()
    return simple and store.exists(f"{FOLDER}/{encoder}")


def of_method(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those options of a run that are not settings of the training."""
    ours = {one.name for one in fields(TrainSettings)}
    return {key: value for key, value in options.items() if key not in ours}

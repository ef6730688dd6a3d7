"""A trained network that reads words beside pictures, kept whole: it says which pairs do not fit, and reads more words.

`trainer.trained` keeps the backbone, which is all that an encoder needs; this keeps heads, vocabulary and towers that
learnt, under its name.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save

from db.artifacts import ArtifactStore
from db.errors import BadInput, Broken
from trainer.backbones import load_backbone
from trainer.columns import unit_rows
from trainer.fusion.looking import Fusion
from trainer.fusion.vocabulary import Vocabulary
from trainer.network import Network
from trainer.pair_scores import can_score, words_of
from trainer.recipe import Recipe, build, columns_of
from trainer.training import Training, TrainSettings

Reading = Callable[[Sequence[str]], np.ndarray]
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
    """Keep the network of a run, where it reads or hears what stands beside pictures, with the encoder that came of it.

    options: of the method and its parts, as `trainer.recipe.build` takes them. Returns: whether it can tell which words
    do not fit.
    """
    look = training.recipe.look
    if not isinstance(look, Fusion) and not columns_of(look):
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
    return can_score(training.recipe)


def load_reader(store: ArtifactStore, encoder: str) -> Reader:
    """The network that an encoder came of. Raises: BadInput where it reads no words, Broken where a file is damaged."""
    found = reader_of(store, encoder) if has_reader(store, encoder) else None
    if found is None or not can_score(found.recipe):
        raise BadInput(
            f"'{encoder}' reads no words beside pictures, so it cannot say which of them fit. Train one that does: "
            "pairwright train visualbert --collection COLLECTION."
        )
    return found


def taught_reading(store: ArtifactStore, encoder: str) -> Reading | None:
    """How the network that an encoder came of reads words, as it puts them beside pictures: N texts -> (N, d) float32
    rows of length 1, zeros for one that cannot be read. None where it compares no words with pictures."""
    found = reader_of(store, encoder) if has_reader(store, encoder) else None
    at = words_of(found.recipe) if found is not None else None
    if found is None or at is None:
        return None
    words, head = at[0], found.network.predictors[at[1]]

    def read(texts: Sequence[str]) -> np.ndarray:
        rows = torch.from_numpy(words.read(texts))
        return (unit_rows(head, rows) * rows.any(1, keepdim=True)).numpy()

    return read


def reader_of(store: ArtifactStore, encoder: str) -> Reader:
    """The network that was kept under an encoder's name, whatever it reads or hears. Raises: NotFound, or Broken."""
    folder = store.open(f"{FOLDER}/{encoder}")
    try:
        about = json.loads((folder / ABOUT).read_bytes())
        recipe = build(about["method"], about["options"], seed=about["seed"])
        backbone = load_backbone(about["backbone"], size=about["size"] or None, pretrained=False)
        outputs = recipe.outputs or about["projection"]
        network = Network(backbone, outputs, "full", recipe.head, recipe.predictors, recipe.groups, recipe.seen)
        network.load_state_dict(load((folder / WEIGHTS).read_bytes()))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise Broken(f"the network of '{encoder}' cannot be read ({error}). Train it again.") from error
    if isinstance(recipe.look, Fusion):
        recipe.look.vocabulary = Vocabulary(tuple(about["vocabulary"]))
    at = words_of(recipe)
    column = recipe.look.column if isinstance(recipe.look, Fusion) else at[0].column if at else ""
    return Reader(recipe, network.eval(), column)


def has_reader(store: ArtifactStore, encoder: str) -> bool:
    """Whether an encoder came of a network that reads or hears what stands beside pictures, and that one was kept."""
    simple = encoder.replace("-", "").replace("_", "").isalnum()
    return simple and store.exists(f"{FOLDER}/{encoder}")


def of_method(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those options of a run that are not settings of the training."""
    ours = {one.name for one in fields(TrainSettings)}
    return {key: value for key, value in options.items() if key not in ours}

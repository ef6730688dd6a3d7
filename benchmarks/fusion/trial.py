"""One run: a network reads digits and their captions; does it tell the hidden digit from the picture?"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from torch import Tensor

from trainer.attributes import Attributes
from trainer.fusion.looking import Fusion
from trainer.fusion.telling import places_of, tokens_of, word_log_probs
from trainer.pair_scores import pair_scores
from trainer.recipe import build
from trainer.training import Training, TrainSettings
from trainer.views import Views

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIDE, GRID, ASKED = 32, 2, 500
AT = 1  # place of the digit's name: after the start
WARM, EPOCHS, BATCH = 12, 25, 64
VIEW = Views(area=0.6, flip=0.0, colour=0.0, grey=0.0)
SYSTEMS = ("visualbert", "lxmert", "flava", "beit3", "mapl", "flamingo")


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (N, S, S, 3) uint8 and digits of those to be taught, then of those to be asked; the same for all
    seeds."""
    images, labels = load_digits(return_X_y=True)
    grey = [Image.fromarray((16 * row.reshape(8, 8)).clip(0, 255).astype(np.uint8)) for row in images]
    pictures = np.stack([np.asarray(one.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for one in grey])
    order = np.random.default_rng(0).permutation(len(labels))
    asked, taught = order[:ASKED], np.sort(order[ASKED:])
    return pictures[taught], labels[taught], pictures[asked], labels[asked]


def captions(labels: Sequence[int]) -> list[str]:
    """What is said of each."""
    return [NAMES[label] for label in labels]


@cache
def eye(seed: int) -> dict[str, Tensor]:
    """A small network that SimCLR taught the pictures, without words or labels; it stays as it is then."""
    pictures, _, _, _ = digits()
    recipe = replace(build("simclr", seed=seed), views=(VIEW, VIEW))
    run = Training(recipe, pictures, np.arange(len(pictures)), TrainSettings(size=SIDE, epochs=WARM, seed=seed))
    while run.done < run.steps:
        run.step()
    return dict(run.encoders.network.backbone.state_dict())


def measure(system: str, seed: int, epochs: int = EPOCHS) -> dict[str, Any]:
    """A line of results. right, shuffled: share of the hidden digits told from the own picture, and from another's."""
    pictures, labels, asked, truth = digits()
    weights, began = eye(seed), time.process_time()
    run = taught(system, pictures, labels, weights, TrainSettings(
        size=SIDE, epochs=epochs, batch=BATCH, seed=seed, trainable="frozen"))  # fmt: skip
    losses = [run.step()["loss"] for _ in range(run.steps)]
    spent = time.process_time() - began
    look, network = run.recipe.look, run.encoders.network
    assert isinstance(look, Fusion)
    places, tokens = places_of(network, look, asked), tokens_of(look, captions([0] * len(truth)))
    told = [name_of(word_log_probs(network, look, seen, tokens, AT), look) for seen in (places, shuffled(places))]
    return {
        "system": system, "seed": seed, "epochs": epochs, "taught": len(labels), "asked": len(truth),
        "right": float((told[0] == truth).mean()), "shuffled": float((told[1] == truth).mean()),
        "auroc": _auroc(run, asked, truth), "loss": losses[-1], "train_s": spent, "steps": run.steps,
    }  # fmt: skip


def taught(
    system: str, pictures: np.ndarray, labels: np.ndarray, weights: Mapping[str, Tensor], plan: TrainSettings
) -> Training:
    """A run before its first step, with an eye that can see already."""
    ids, unknown = np.arange(len(pictures)), np.full(len(pictures), np.nan)
    told = Attributes(
        ids, {"caption": np.array(captions(labels.tolist()), object)}, unknown, np.stack([unknown] * 2, 1)
    )
    run = Training(
        replace(build(system, {"grid": GRID}, seed=plan.seed), views=(VIEW,)), pictures, ids, plan, attributes=told
    )
    run.encoders.network.backbone.load_state_dict(dict(weights))
    return run


def shuffled(places: Tensor) -> Tensor:
    """Every picture in the place of another's."""
    return places[torch.from_numpy(np.random.default_rng(1).permutation(len(places)))]


def name_of(scores: Tensor, look: Fusion) -> np.ndarray:
    """The digit of the likeliest word of all; -1 where it is no digit."""
    digit = {look.vocabulary.numbers[name]: number for number, name in enumerate(NAMES)}
    return np.array([digit.get(one, -1) for one in scores.argmax(1).tolist()])


def _auroc(run: Training, pictures: np.ndarray, labels: np.ndarray) -> float:
    """How well the chance that a caption belongs tells right captions from wrong ones, half and half."""
    random = np.random.default_rng(2)
    wrong = random.random(len(labels)) < 0.5
    said = np.where(wrong, (labels + random.integers(1, 10, len(labels))) % 10, labels)
    chances = pair_scores(run.recipe, run.encoders.network, pictures, captions(said.tolist()))
    return float(roc_auc_score(~wrong, chances))

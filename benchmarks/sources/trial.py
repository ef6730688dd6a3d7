"""One run of a source: how right its partners are, and what training with them is worth."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.negatives.trial import recipe_of
from benchmarks.sources.sets import SETS, Loaded, load
from trainer.probe import knn_accuracy
from trainer.training import Training, TrainSettings

START = "start"
DRAWS = 5  # epochs whose partners are judged


def measure(system: str, name: str, seed: int, folder: Path) -> dict[str, Any]:
    """A line of results. system: NAME or NAME:KEY=VALUE,..., or start for the network before its first step."""
    about, data = SETS[name], load(name, folder)
    plan = TrainSettings(size=data.pixels.shape[1], epochs=about.epochs, batch=about.batch, seed=seed, rate=1e-3)
    recipe = recipe_of("simclr" if system == START else system, seed)
    training = Training(recipe, data.pixels, data.attributes.ids, plan, attributes=data.attributes)
    began = time.process_time()
    while system != START and training.done < training.steps:
        training.step()
    spent = time.process_time() - began
    features = training.embed(), training.encoders.embed(data.asked)
    return {
        "set": name, "system": system, "seed": seed, "epochs": about.epochs, "batch": about.batch,
        "pictures": len(data.pixels), "asked": len(data.asked), "steps": training.done, "train_s": spent,
        "knn": {label: _knn(data, label, *features) for label in about.labels}, **rightness(training, data),
    }  # fmt: skip


def _knn(data: Loaded, label: str, known: np.ndarray, asked: np.ndarray) -> float:
    codes, truth = data.labels[label], data.truth[label]
    one, other = codes >= 0, (truth >= 0) & np.isin(truth, codes)
    return knn_accuracy(known[one], codes[one], asked[other], truth[other])


def rightness(training: Training, data: Loaded) -> dict[str, Any]:
    """Of the partners of some epochs, how many share a label, where both have one; beside it what chance gives. share:
    of the pictures that have a partner. draw_s: processor time of one draw."""
    source, chance = training.recipe.mates, {name: by_chance(codes) for name, codes in data.labels.items()}
    if source is None:
        return {"chance": chance, "precision": None, "share": 0.0, "draw_s": 0.0}
    training._refresh()
    found, began = [], time.process_time()
    for epoch in range(DRAWS):
        source.deal(epoch)
        found.append(source.drawn.partner.numpy())
    spent = (time.process_time() - began) / DRAWS
    itself = np.arange(len(data.pixels))
    pairs = np.concatenate([np.stack([itself, drawn], 1)[drawn != itself] for drawn in found])
    right = {name: shared(codes, pairs) for name, codes in data.labels.items()}
    return {"chance": chance, "precision": right, "share": len(pairs) / DRAWS / len(itself), "draw_s": spent}


def shared(codes: np.ndarray, pairs: np.ndarray) -> float | None:
    """Share of (P, 2) pairs with equal codes, of those where both are known; None where there are none."""
    one, other = codes[pairs[:, 0]], codes[pairs[:, 1]]
    known = (one >= 0) & (other >= 0)
    return float((one == other)[known].mean()) if known.any() else None


def by_chance(codes: np.ndarray) -> float:
    """How often two different items with a label share it."""
    counts = np.bincount(codes[codes >= 0])
    total = int(counts.sum())
    return float((counts * (counts - 1)).sum() / max(total * (total - 1), 1))

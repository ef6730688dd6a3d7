"""One run: a system on digits written, spoken and named, and who finds whom afterwards."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.negatives.trial import recipe_of
from benchmarks.spoken.sets import NAME, WORDS, Loaded, load
from trainer.columns import Column, Sounds, unit_rows
from trainer.columns import Words as Text
from trainer.modalities import HEAD
from trainer.probe import knn_accuracy
from trainer.recipe import columns_of
from trainer.training import Training, TrainSettings
from trainer.views import Views

START = "start"
READ: dict[tuple[Any, ...], np.ndarray] = {}
PLAN = TrainSettings(size=16, batch=100, epochs=30, rate=3e-3)  # 300 steps
VIEW = Views(area=0.6, flip=0.0)  # a digit in a mirror is another one


def measure(system: str, seed: int, folder: Path) -> dict[str, Any]:
    """A line of results. system: NAME or NAME:KEY=VALUE,...; `start` in the place of the name is `audioclip` before its
    first step."""
    data, name = load(folder, seed), system.partition(":")[0]
    recipe = recipe_of(system.replace(START, "audioclip", 1) if name == START else system, seed)
    recipe = replace(recipe, views=tuple(VIEW for _ in recipe.views))
    training = Training(recipe, data.pixels, data.attributes.ids, replace(PLAN, seed=seed), attributes=data.attributes)
    began = time.process_time()
    while name != START and training.done < training.steps:
        training.step()
    spent = time.process_time() - began
    return {"set": NAME, "system": system, "seed": seed, "steps": training.done, "train_s": spent,
            **figures(training, data)}  # fmt: skip


def figures(training: Training, data: Loaded) -> dict[str, float]:
    """Shares in [0, 1], of pictures and recordings that were not trained on; those that the system can have."""
    columns = beside(training)
    sees = training.encoders.embed(data.asked, projected=True)
    features = training.embed(), training.encoders.embed(data.asked)
    found = {"knn_pictures": knn_accuracy(features[0], data.digits, features[1], data.truth)}
    words, sounds = (columns.get(kind) for kind in (Text, Sounds))
    named = None if words is None else encoded(training, words, list(WORDS))
    if named is not None:
        found["zero_shot_pictures"] = nearest(sees, data.truth, named, np.arange(10))
    if sounds is not None:
        known, asked, strange = (
            encoded(training, sounds, list(part.paths)) for part in (data.heard, data.unheard, data.strange)
        )
        found["knn_recordings"] = knn_accuracy(known, data.heard.digits, asked, data.unheard.digits)
        found["knn_new_speakers"] = knn_accuracy(known, data.heard.digits, strange, data.strange.digits)
        found["r_at_1"] = nearest(sees, data.truth, asked, data.unheard.digits)
        if named is not None:
            found["zero_shot_recordings"] = nearest(asked, data.unheard.digits, named, np.arange(10))
            found["zero_shot_new_speakers"] = nearest(strange, data.strange.digits, named, np.arange(10))
    return found


def beside(training: Training) -> dict[type[Column], tuple[Column, int]]:
    """Kind of a column -> the column and the predictor that makes z of its rows."""
    return {type(one): (one, HEAD + at) for at, one in enumerate(columns_of(training.recipe.look))}


def encoded(training: Training, column: tuple[Column, int], values: list[Any]) -> np.ndarray:
    """(V, d) unit rows of texts or recordings."""
    rows = torch.from_numpy(_read(column[0], values)).to(training.device)
    return unit_rows(training.encoders.network.predictors[column[1]], rows).cpu().numpy()


def _read(column: Column, values: list[Any]) -> np.ndarray:
    """What a tower makes of values, or takes of them, is the same for every run."""
    key = (column.tower, column.learner is None, *values)
    if key not in READ:
        READ[key] = column.read(values)
    return READ[key]


def nearest(asked: np.ndarray, truth: np.ndarray, known: np.ndarray, labels: np.ndarray) -> float:
    """Share of (M, d) rows whose nearest of (N, d) rows has their label."""
    return float((labels[(asked @ known.T).argmax(1)] == truth).mean())

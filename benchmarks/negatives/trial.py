"""One run: a system on a set with a seed, the same budget for all; and what its negatives were in truth."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.negatives.pictures import PictureSet
from trainer.overlay import Overlay
from trainer.pool import Pool
from trainer.probe import knn_accuracy, linear_accuracy
from trainer.recipe import Recipe, build
from trainer.run import run
from trainer.training import Training, TrainSettings

START = "start"  # the network before its first step, measured as a system of its own


@dataclass(frozen=True)
class Budget:
    """The same for every system. rate: highest step size, whatever a system's own is."""

    epochs: int = 15
    batch: int = 256
    rate: float = 1e-3


def recipe_of(system: str, seed: int) -> Recipe:
    """NAME or NAME:KEY=VALUE,KEY=VALUE of trainer/methods."""
    name, _, words = system.partition(":")
    return build(name, dict(word.split("=", 1) for word in words.split(",") if word), seed=seed)


def measure(
    system: str, pictures: PictureSet, seed: int, budget: Budget, overlay: Overlay | None = None
) -> dict[str, Any]:
    """kNN-20 and linear accuracy on the part that was not trained on; what pushed, by the labels."""
    training, reports = taught(system, pictures, seed, budget, overlay)
    began = time.process_time()
    figures = accuracy(training, pictures)
    last = reports[max(reports)] if reports else {}
    late = [report for step, report in reports.items() if step > training.steps / 2]
    means = {name: _mean([report[name] for report in late]) for name in ("false", "false_mass") if late}
    return {
        "system": system, "set": pictures.name, "seed": seed, **asdict(budget), "steps": training.done, **figures,
        **means, "rank": last.get("rank"), "train_s": training.seconds, "probe_s": time.process_time() - began,
    }  # fmt: skip


class Timed(Training):
    """Knows how much processor time its steps took."""

    seconds = 0.0


def taught(
    system: str, pictures: PictureSet, seed: int, budget: Budget, overlay: Overlay | None = None
) -> tuple[Timed, dict[int, Any]]:
    """The run after its last step, and its reports."""
    recipe = recipe_of("simclr" if system == START else system, seed)
    plan = TrainSettings(size=pictures.pixels.shape[1], seed=seed, **asdict(budget))
    training = Timed(recipe, pictures.pixels, np.arange(len(pictures.labels)), plan, overlay)
    if system == START:
        return training, {}
    began = time.process_time()
    labels = torch.from_numpy(pictures.labels)
    outcome = run(training, watch=lambda pool: false_negatives(pool, labels, training.terms[0].objective))
    training.seconds = time.process_time() - began
    return training, outcome.reports


def accuracy(training: Training, pictures: PictureSet) -> dict[str, float]:
    """Of the features, on pictures that were not trained on."""
    known, asked = training.embed(), training.encoders.embed(pictures.asked)
    found = (known, pictures.labels, asked, pictures.truth)
    return {"knn": knn_accuracy(*found), "linear": linear_accuracy(*found)}


def false_negatives(pool: Pool, labels: torch.Tensor, objective: Any) -> dict[str, float]:
    """Among real pictures that push: the share with the anchor's own label, by weight and by mass exp(s).

    The mass is tilted as the policy wants it, and what debiasing subtracts is no pair's in particular: it is not here.
    """
    with torch.no_grad():
        same = (labels[pool.anchor_ids][:, None] == labels[pool.key_ids][None, :]).float()
        weight = pool.neg + pool.confirmed
        scores = pool.anchors @ pool.keys.T / float(getattr(objective, "temperature", 0.2))
        mass = torch.softmax(((1 + pool.tilt) * scores + weight.log()).masked_fill(weight <= 0, -torch.inf), 1)
        pushed = (weight > 0).any(1)
        return {
            "false": float((weight * same).sum() / weight.sum().clamp_min(1e-12)),
            "false_mass": float((mass[pushed] * same[pushed]).sum(1).mean()) if pushed.any() else 0.0,
        }


def _mean(values: list[float]) -> float:
    return float(np.mean(values))

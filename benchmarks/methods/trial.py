"""One run of a system, or of lightly's parts for it, and what its features are worth."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from torch import Tensor

from benchmarks.methods.peers import PEERS, shown
from benchmarks.negatives import pictures as sets
from benchmarks.negatives.answers import asked
from benchmarks.negatives.pictures import PictureSet
from benchmarks.negatives.trial import START, recipe_of
from db.nouns import Snapshot
from oracle.constraints import ConstraintGraph
from trainer import chance
from trainer.collapse import spread
from trainer.labelled import Labelled
from trainer.overlay import Overlay
from trainer.probe import knn_accuracy, linear_accuracy
from trainer.snapshot import build as snapshot_of
from trainer.training import Training, TrainSettings, Watch

LIGHTLY, WHOLE, ONLY = "lightly:", "lightly+views:", "supcon, answered pictures only"
LABELLED = ("supcon", "occ", "ghose")  # learn from who belongs together, and from nothing else
SIDES = {"fashion": 28}  # others at 64
MEANS = 5  # starts of k-means, averaged


@dataclass(frozen=True)
class Budget:
    """The same for every system. screen: candidates of a question; 1 makes an answer a pair verdict."""

    epochs: int = 10
    batch: int = 256
    screen: int = 1


class Theirs(Training):
    """Our run with lightly's parts in place of the recipe's: rows, optimizer and schedule stay. own_views: so do its
    transforms in place of our views."""

    def __init__(
        self, name: str, recipe: Any, pixels: np.ndarray, ids: np.ndarray, settings: TrainSettings, *, own_views: bool,
    ) -> None:  # fmt: skip
        super().__init__(recipe, pixels, ids, settings)
        self.shown = shown(name, pixels.shape[1]) if own_views else self._our_views
        network = self.encoders.network
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.peer = PEERS[name](network, int(network.backbone.dim), self.steps, self.steps_each)  # type: ignore[arg-type]
        theirs = [weight for key, weight in self.peer.named_parameters() if "projection" not in key.split(".")]
        learnt = {"params": [weight for weight in theirs if weight.requires_grad], "steady": False, "pace": 1.0}
        self.optimizer = torch.optim.AdamW([learnt], lr=self.rate, weight_decay=settings.decay)

    def step(self, watch: Watch | None = None) -> dict[str, Any]:
        """One gradient step."""
        views = self.shown(self.pictures[self._rows()])
        self.peer.step = self.done
        loss = self.peer([view.contiguous(memory_format=torch.channels_last) for view in views])
        rate = self._learn(loss)
        self.done += 1
        return {"loss": float(loss.detach()), "rate": rate}

    def _our_views(self, pictures: np.ndarray) -> list[Tensor]:
        random = chance.generator(self.settings.seed, chance.VIEWS, self.done)
        pixels = self.encoders.upload(pictures)
        return [view(pixels, random) for view in self.recipe.views]


def measure(system: str, name: str, seed: int, budget: Budget, folder: Path, answered: bool) -> dict[str, Any]:
    """A line of results. system: NAME or NAME:KEY=VALUE,... of ours, lightly:NAME, lightly+views:NAME, start, or ONLY;
    with @RATE a highest step size other than its own."""
    pictures = sets.load(name, folder, SIDES.get(name, 64))
    known = answers(name, seed, budget, folder) if answered else None
    training = prepared(system, pictures, seed, budget, known)
    before = _forget_peak()
    began = time.process_time()
    while system != START and training.done < training.steps:
        training.step()
    seconds = time.process_time() - began
    return {
        "experiment": "answers" if answered else "alone", "system": system, "set": name, "seed": seed,
        **asdict(budget), "steps": training.done, "train_s": seconds, "memory_mb": _peak() - before,
        **worth(training, pictures),
    }  # fmt: skip


def bar(system: str, seed: int, folder: Path) -> dict[str, Any]:
    """A line of results: 5,000 pictures of Fashion-MNIST, six epochs. Systems of `LABELLED` see the labels."""
    pictures = sets.load("fashion5k", folder)
    training = prepared(system, pictures, seed, Budget(epochs=6), labels=system in LABELLED)
    before, began = _forget_peak(), time.process_time()
    while system != START and training.done < training.steps:
        training.step()
    spent = {"train_s": time.process_time() - began, "memory_mb": _peak() - before}
    about = {"experiment": "bar", "system": system, "set": "fashion5k", "seed": seed, "steps": training.done}
    return about | spent | worth(training, pictures)


def prepared(
    system: str, pictures: PictureSet, seed: int, budget: Budget,
    known: tuple[Snapshot, ConstraintGraph] | None = None, labels: bool = False,
) -> Training:  # fmt: skip
    """The run before its first step. labels: they stand in for answers."""
    ids = np.arange(len(pictures.labels))
    system, _, rate = system.partition("@")
    plan = TrainSettings(
        size=pictures.pixels.shape[1], epochs=budget.epochs, batch=budget.batch, rate=float(rate or 0), seed=seed
    )
    if system.startswith((LIGHTLY, WHOLE)):
        name = system.partition(":")[2]
        own = system.startswith(WHOLE)
        return Theirs(name, recipe_of(name, seed), pictures.pixels, ids, plan, own_views=own)
    overlay: Any = None if known is None else Overlay(*known, ids, torch.device("cpu"))
    if labels:
        overlay = Labelled(pictures.labels, torch.device("cpu"))
    if system == ONLY and overlay is not None:
        return _on_answered(pictures, plan, overlay, known)
    return Training(recipe_of("simclr" if system == START else system, seed), pictures.pixels, ids, plan, overlay)


def _on_answered(pictures: PictureSet, plan: TrainSettings, overlay: Overlay, known: Any) -> Training:
    """SupCon on the pictures that answers placed and no others, for as many steps."""
    placed = np.flatnonzero(overlay.belief.member >= 0)
    batch = min(plan.batch, len(placed))
    steps = plan.epochs * (len(pictures.labels) // plan.batch)
    plan = replace(plan, batch=batch, epochs=max(round(steps / (len(placed) // batch)), 1))
    inside = Overlay(*known, placed, torch.device("cpu"))
    return Training(recipe_of("supcon", plan.seed), pictures.pixels[placed], placed, plan, inside)


@cache
def answers(name: str, seed: int, budget: Budget, folder: Path) -> tuple[Snapshot, ConstraintGraph]:
    """The same 500 truthful answers for every system: asked about what SimCLR made of the pictures."""
    snapshot = _untaught(name, seed, replace(budget, screen=1), folder)
    return snapshot, asked(snapshot, sets.load(name, folder, SIDES.get(name, 64)).labels, seed, budget.screen)


@cache
def _untaught(name: str, seed: int, budget: Budget, folder: Path) -> Snapshot:
    """What SimCLR makes of the pictures, whatever is asked about it."""
    pictures = sets.load(name, folder, SIDES.get(name, 64))
    training = prepared("simclr", pictures, seed, budget)
    while training.done < training.steps:
        training.step()
    return snapshot_of(np.arange(len(pictures.labels)), training.embed(), seed=seed)


def worth(training: Training, pictures: PictureSet) -> dict[str, Any]:
    """Of the features, on pictures that were not trained on: kNN-20 and linear accuracy, NMI of k-means with as many
    clusters as classes, effective rank."""
    features = training.encoders.embed(pictures.asked)
    rows = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    classes = len(np.unique(pictures.truth))
    found = [KMeans(classes, n_init=1, random_state=seed).fit_predict(rows) for seed in range(MEANS)]
    nmi = float(np.mean([normalized_mutual_info_score(pictures.truth, one) for one in found]))
    known = (training.encoders.embed(pictures.pixels), pictures.labels, features, pictures.truth)
    figures = {"knn": knn_accuracy(*known), "linear": linear_accuracy(*known)}
    return {**figures, "nmi": nmi, "rank": spread(torch.from_numpy(rows))["rank"]}


def pace(name: str, set_name: str, seed: int, budget: Budget, folder: Path) -> dict[str, Any]:
    """Processor time of our steps over lightly's, taken in turns: median over the rounds. ratio: lightly's parts with
    our views; whole: with its own."""
    pictures = sets.load(set_name, folder, SIDES.get(set_name, 64))
    runs = [prepared(system, pictures, seed, budget) for system in (name, LIGHTLY + name, WHOLE + name)]
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS + 1):
        for run, spent in zip(runs, times, strict=True):
            began = time.process_time()
            for _step in range(AT_ONCE):
                run.step()
            spent.append((time.process_time() - began) / AT_ONCE)
    ours, parts, whole = (np.array(spent[1:]) for spent in times)  # the first round warms up
    return {
        "experiment": "pace", "system": name, "set": set_name, "seed": seed, "ratio": float(np.median(ours / parts)),
        "whole": float(np.median(ours / whole)), "ours_ms": float(1000 * np.median(ours)),
        "theirs_ms": float(1000 * np.median(parts)), "whole_ms": float(1000 * np.median(whole)),
    }  # fmt: skip


ROUNDS, AT_ONCE = 9, 4


def _status() -> Mapping[str, int]:
    """Kilobytes of this process by name; empty where the system does not tell."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return {}
    pairs = (line.split() for line in text.splitlines() if line.endswith(" kB"))
    return {words[0].rstrip(":"): int(words[1]) for words in pairs}


def _forget_peak() -> float:
    """Start to watch the peak anew; megabytes in use now."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return float("nan")
    return _status().get("VmRSS", 0) / 1024


def _peak() -> float:
    return _status().get("VmHWM", 0) / 1024

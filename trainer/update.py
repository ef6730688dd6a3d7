"""Turn the answers into a better head: a few hundred contrastive steps on cached features, seconds on two cores.

    belief -> batch -> two views -> pool -> positives -> negatives -> obey the answers -> objectives -> step

Every update starts from the untaught head and replays the whole log, so nothing is forgotten and a version can be
rebuilt
from the log and a seed. Runs on a GPU where there is one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize, softmax

from db.nouns import Snapshot
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.plugins import load
from trainer.batches import Knowledge, Sampler
from trainer.head import Head
from trainer.pool import Pool, obey

Progress = Callable[[int, int, Mapping[str, float]], None]


@dataclass(frozen=True)
class UpdateSettings:
    """steps, batch: how long and how wide. noise: size of the jitter that makes a view, relative to a unit row. drop:
    share of
    the reduced features hidden in a view. objectives: name -> weight."""

    steps: int = 150
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-2
    noise: float = 0.3
    drop: float = 0.1
    positives: tuple[str, ...] = ("own_view", "must_links", "pseudo_members")
    negatives: str = "soft_elimination"
    objectives: Mapping[str, float] = field(default_factory=lambda: {"supcon": 1.0, "pair": 0.5, "keep": 1.0})


def device_for_training() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def update(
    head: Head,
    features: np.ndarray,
    ids: np.ndarray,
    graph: ConstraintGraph,
    snapshot: Snapshot,
    *,
    steps: int | None = None,
    seed: int = 0,
    settings: UpdateSettings | None = None,
    reduced: Tensor | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Head:
    """A new head that has learnt the graph; the given one stays as it is.

    Args: features (N, D) float32; ids (N,) int64 as in the snapshot, whose belief places the items. reduced: (N, W)
    from
    `head.reduce`, if the caller keeps it. progress: called with step, steps and the losses. cancelled: asked between
    steps;
    a cancelled update returns the head as far as it came.
    """
    settings = settings or UpdateSettings()
    settings = replace(settings, steps=settings.steps if steps is None else steps)
    device = device_for_training()
    learner = _Learning(head, features if reduced is None else None, reduced, snapshot, graph, settings, seed, device)
    for step in range(settings.steps):
        if cancelled is not None and cancelled():
            break
        losses = learner.step()
        if progress is not None and (step % 10 == 9 or step + 1 == settings.steps):
            progress(step + 1, settings.steps, {name: float(value) for name, value in losses.items()})
    return learner.head.cpu().eval()


class _Learning:
    """The state of one update."""

    def __init__(
        self, head: Head, features: np.ndarray | None, reduced: Tensor | None, snapshot: Snapshot,
        graph: ConstraintGraph, settings: UpdateSettings, seed: int, device: torch.device,
    ) -> None:  # fmt: skip
        self.settings, self.device = settings, device
        self.head = Head.from_bytes(head.to_bytes()).to(device).train()
        if reduced is None:
            assert features is not None
            reduced = head.reduce(features)
        self.reduced = reduced.to(device)
        belief = infer(snapshot, graph)
        self.knowledge = Knowledge.of(belief, device)
        self.sampler = Sampler(belief, settings.batch, seed)
        self.random = torch.Generator(device=device).manual_seed(seed)
        self.positives = [load("trainer.positives", name) for name in settings.positives]
        self.negatives = load("trainer.negatives", settings.negatives)
        self.objectives = {name: load("trainer.objectives", name) for name in settings.objectives}
        self.prototypes = self._prototypes()
        parameters = [*self.head.parameters(), *([self.prototypes] if self.prototypes.requires_grad else [])]
        self.optimizer = torch.optim.AdamW(parameters, lr=settings.rate, weight_decay=settings.decay)
        self.plan = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, max(settings.steps, 1))

    def step(self) -> dict[str, Tensor]:
        """One gradient step; the losses by name."""
        pool = self.pool(torch.from_numpy(self.sampler.rows()).to(self.device))
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            losses = {name: objective(pool) for name, objective in self.objectives.items()}
        total = sum(self.settings.objectives[name] * loss for name, loss in losses.items())
        self.optimizer.zero_grad(set_to_none=True)
        if isinstance(total, Tensor) and total.requires_grad:
            total.backward()
            self.optimizer.step()
        self.plan.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def pool(self, rows: Tensor) -> Pool:
        """The curated pool of a batch: anchors are one view, keys the other."""
        reduced, ids = self.reduced[rows], self.knowledge.ids[rows]
        anchors, keys = self.head(self._view(reduced)), self.head(self._view(reduced))
        pool = Pool.of(anchors, keys, ids, ids, self.knowledge.same(rows), self.knowledge.said(rows))
        for source in self.positives:
            pool = source(pool)
        pool = obey(self.negatives(pool))
        if "keep" in self.objectives:
            untaught = normalize(reduced[:, : self.head.size], dim=1)
            pool = replace(pool, reference=untaught @ untaught.T)
        if "cluster" in self.objectives:
            pool = replace(pool, anchor_groups=self._assign(anchors), key_groups=self._assign(keys))
        return pool

    def _view(self, reduced: Tensor) -> Tensor:
        """Hide some directions and jitter the rest: the augmentation of cached features. (B, W)"""
        kept = torch.rand(reduced.shape, generator=self.random, device=self.device) >= self.settings.drop
        jitter = torch.randn(reduced.shape, generator=self.random, device=self.device)
        scale = self.settings.noise * reduced.norm(dim=1, keepdim=True) / reduced.shape[1] ** 0.5
        return reduced * kept / (1 - self.settings.drop) + scale * jitter

    def _prototypes(self) -> Tensor:
        """(C, d) one direction per group found, at the mean of its members; learnt only if an objective reads it."""
        with torch.no_grad():
            embedded = self.head(self.reduced)
            centres = normalize(self.knowledge.joint.T @ embedded, dim=1)
        return centres.requires_grad_("cluster" in self.settings.objectives and len(centres) > 0)

    def _assign(self, embedded: Tensor) -> Tensor:
        return softmax(embedded @ normalize(self.prototypes, dim=1).T / 0.1, dim=1)

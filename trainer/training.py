"""The one trainer of every named system: it follows a recipe, step by step.

    rows -> two views -> anchors (network), keys (target) -> pool with queue and answers
         -> positives -> negatives -> obey -> objective -> step -> target follows, queue takes the keys in

Everything a step needs beyond the tensors of `training_state` follows from the settings, the seed and the number of the
step: a run that goes on from a stored state ends bit-equal to one that was never stopped.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from db.errors import BadInput
from trainer import chance
from trainer.collapse import spread
from trainer.encoding import Encoders, new_network
from trainer.feedback_pool import Table
from trainer.overlay import POSITIVES, Overlay, nothing
from trainer.pool import Pool, obey
from trainer.queue import Queue
from trainer.recipe import Recipe, Term
from trainer.update import device_for_training

Report = dict[str, Any]
Watch = Callable[[Pool], Mapping[str, Any]]


@dataclass(frozen=True)
class TrainSettings:
    """How long and how wide, the same for every system.

    backbone: a name of trainer/backbones or of timm; size: side of its square, 0 for its own; trainable: full, partly
    or frozen. rate: highest step size, reached after the share `warm_up` of the steps, then falling as a cosine.
    answered: share of a batch drawn from items that answers placed. partners: of items that
    answers join to the batch or hold apart from it, and that are not in it, how many join the keys as last seen.
    """

    backbone: str = "small"
    size: int = 0
    pretrained: bool = True
    trainable: str = "full"
    projection: int = 64
    epochs: int = 30
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-4
    warm_up: float = 0.05
    answered: float = 0.5
    partners: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch", 2), ("projection", 1), ("size", 0), ("partners", 0)):
            if getattr(self, name) < low:
                raise BadInput(f"{name} = at least {low} expected, got {getattr(self, name)}.")
        for name in ("warm_up", "answered"):
            if not 0 <= getattr(self, name) < 1:
                raise BadInput(f"{name} = at least 0 and below 1 expected, got {getattr(self, name)}.")


class Training:
    """One run. pictures: (N, S, S, 3) uint8, an array or a memory map; ids: (N,) int64; done: steps so far."""

    def __init__(
        self, recipe: Recipe, pictures: np.ndarray, ids: np.ndarray, settings: TrainSettings,
        overlay: Overlay | None = None,
    ) -> None:  # fmt: skip
        self.recipe, self.pictures, self.settings, self.overlay = recipe, pictures, settings, overlay
        self.batch = min(settings.batch, len(ids))
        if self.batch < 2:
            raise BadInput(f"{len(ids)} pictures cannot be contrasted. Import more images first.")
        self.device = device_for_training()
        self.ids = torch.from_numpy(np.asarray(ids, np.int64)).to(self.device)
        self.done, self.steps_each = 0, max(len(ids) // self.batch, 1)
        network = new_network(
            settings.backbone, size=settings.size, pretrained=settings.pretrained, projection=settings.projection,
            trainable=settings.trainable, seed=settings.seed,
        )  # fmt: skip
        self.encoders = Encoders(network, recipe.momentum, self.device)
        self.terms = [_overlaid(term) for term in recipe.terms] if overlay else list(recipe.terms)
        learnt = [weight for weight in network.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(learnt, lr=settings.rate, weight_decay=settings.decay)
        self.queue = Queue(recipe.queue, settings.projection) if recipe.queue else None
        self.table = Table(len(ids), settings.projection, self.device) if overlay and settings.partners else None

    @property
    def steps(self) -> int:
        """How many steps the whole run has."""
        return self.settings.epochs * self.steps_each

    @property
    def progress(self) -> float:
        """Share of the training done, in [0, 1]."""
        return self.done / self.steps

    def step(self, watch: Watch | None = None) -> Report:
        """One gradient step. watch: sees the curated pool of the first term, and what it returns joins the report."""
        if self.done == 0:
            self._fill_queue()
        if self.done % self.steps_each == 0:
            self._refresh()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(chance.number(self.settings.seed, chance.DROPOUT, self.done))
            pool = self._pool(torch.from_numpy(self._rows()).to(self.device))
        pools = [obey(self._curated(term, pool)) for term in self.terms]
        losses = [term.weight * term.objective(curated) for term, curated in zip(self.terms, pools, strict=True)]
        loss = torch.stack(losses).sum()
        rate = self._learn(loss)
        self._after(pools)
        self.done += 1
        seen = {} if watch is None else {**spread(pool.anchors.detach()), **watch(pools[0])}
        return {"loss": float(loss.detach()), "rate": rate, **seen}

    def embed(self, *, projected: bool = False) -> np.ndarray:
        """(N, D) float32 features of every picture as it is; projected: (N, d) unit rows that the loss sees."""
        return self.encoders.embed(self.pictures, projected=projected)

    # the parts of a step ------------------------------------------------------------------------------------------
    def _pool(self, rows: Tensor) -> Pool:
        """Two views as anchors and keys, earlier keys, and what is known about every pair. Nobody curated it yet."""
        pictures = self._pictures(rows.cpu().numpy())
        random, partners = chance.generator(self.settings.seed, chance.VIEWS, self.done), self._partners(rows)
        one, two = (self.recipe.views(pictures, random) for _ in range(2))
        if self.recipe.both_views:
            anchors = self.encoders.anchors(torch.cat([one, two]))
            keys, rows = anchors, torch.cat([rows, rows])
            key_rows = rows
        else:
            anchors, keys, key_rows = self.encoders.anchors(one), self.encoders.keys(two), rows
        if self.queue is not None and len(self.queue.ids):
            keys = torch.cat([keys, self.queue.keys.to(keys)])
            key_rows = torch.cat([key_rows, torch.searchsorted(self.ids, self.queue.ids.to(self.device))])
        if self.table is not None:
            keys, key_rows = torch.cat([keys, self.table.keys[partners].to(keys)]), torch.cat([key_rows, partners])
        same, said = (self.overlay.about if self.overlay else nothing)(rows, key_rows)
        pool = Pool.of(anchors, keys, self.ids[rows], self.ids[key_rows], same, said)
        if not self.recipe.batch_pushes:
            pool = pool.resting(torch.arange(len(keys), device=self.device) < len(anchors))
        return replace(pool, support=self._support(pictures), progress=self.progress)

    def _partners(self, rows: Tensor) -> Tensor:
        """(P,) rows outside the batch that answers name together with rows of it, as far as the table has them."""
        if self.overlay is None or self.table is None:
            return rows[:0]
        seed = (self.settings.seed, chance.PARTNERS, self.done)
        found = self.overlay.partners(rows.cpu().numpy(), self.settings.partners, seed)
        return self.table.filled(torch.from_numpy(found).to(self.device))

    def _curated(self, term: Term, pool: Pool) -> Pool:
        """Who pulls and who pushes; an anchor never meets itself. The keys of the batch come first, one an anchor."""
        for source in term.positives:
            pool = source(pool)
        if self.recipe.both_views:
            itself = torch.eye(*pool.pos.shape, dtype=torch.bool, device=self.device)
            pool = replace(pool, pos=pool.pos.masked_fill(itself, 0.0))
        return term.negatives(pool)

    def _learn(self, loss: Tensor) -> float:
        """The step itself; returns its size."""
        rate = self.settings.rate * _height(self.done, self.steps, self.settings.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        if loss.requires_grad:
            loss.backward()
            self.optimizer.step()
        return rate

    def _after(self, pools: Sequence[Pool]) -> None:
        """The target follows, queue and table take in the batch's keys, policies that learn take their own step."""
        self.encoders.follow()
        if self.table is not None:
            rows = torch.searchsorted(self.ids, pools[0].key_ids[: self.batch])
            self.table.put(rows, pools[0].keys[: self.batch])
        if self.queue is not None:
            count = len(pools[0].anchors)
            self.queue.push(pools[0].keys[:count].detach(), pools[0].key_ids[:count])
        for term, pool in zip(self.terms, pools, strict=True):
            if hasattr(term.negatives, "after_step"):
                term.negatives.after_step(pool)

    def _refresh(self) -> None:
        """Once an epoch: policies that look at the whole collection get its embedding."""
        wanting = [term.negatives for term in self.terms if hasattr(term.negatives, "refresh")]
        if wanting:
            table = torch.from_numpy(self.embed(projected=True)).to(self.device)
            for policy in wanting:
                policy.refresh(table, self.ids, self.progress)

    def _fill_queue(self) -> None:
        """Start with keys of real pictures, not with noise."""
        if self.queue is None:
            return
        order = np.random.default_rng((self.settings.seed, chance.START)).permutation(len(self.ids))
        random = chance.generator(self.settings.seed, chance.START)
        for at in range(0, min(self.recipe.queue, len(order) - 1), self.batch):
            rows = order[at : at + self.batch]
            keys = self.encoders.keys(self.recipe.views(self._pictures(rows), random)).detach()
            self.queue.push(keys, self.ids[torch.from_numpy(rows).to(self.device)])

    @torch.no_grad()
    def _support(self, pictures: Tensor) -> Tensor | None:
        """(A, V, d) further views of each anchor, without gradient; the views of a picture share them."""
        if not self.recipe.support:
            return None
        random = chance.generator(self.settings.seed, chance.SUPPORT, self.done)
        seen = [self.encoders.keys(self.recipe.views(pictures, random)) for _ in range(self.recipe.support)]
        stacked = torch.stack(seen, dim=1)
        return torch.cat([stacked, stacked]) if self.recipe.both_views else stacked

    def _pictures(self, rows: np.ndarray) -> Tensor:
        return self.encoders.upload(self.pictures[rows])

    def _rows(self) -> np.ndarray:
        """(B,) distinct rows: a slice of the epoch's order, part of it replaced by answered items."""
        epoch, place = divmod(self.done, self.steps_each)
        order = np.random.default_rng((self.settings.seed, chance.ORDER, epoch)).permutation(len(self.ids))
        rows = order[place * self.batch : (place + 1) * self.batch]
        share = int(self.settings.answered * self.batch)
        if self.overlay is None or share < 2:
            return np.sort(rows)
        kept = rows[: self.batch - share]
        known = self.overlay.rows(kept, share, (self.settings.seed, chance.ANSWERED, self.done))
        filled = np.concatenate([kept, known, rows])
        return np.sort(filled[np.sort(np.unique(filled, return_index=True)[1])][: self.batch])


def _overlaid(term: Term) -> Term:
    return replace(term, positives=(*term.positives, *POSITIVES))


def _height(step: int, steps: int, warm_up: float) -> float:
    """Share of the highest rate: a straight rise, then half a cosine down to 0."""
    rise = max(int(warm_up * steps), 1)
    if step < rise:
        return (step + 1) / rise
    return (1 + math.cos(math.pi * (step - rise) / max(steps - rise, 1))) / 2

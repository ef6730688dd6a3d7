"""The one trainer of every named system: it follows a recipe, step by step.

    rows -> views -> anchors (network), keys (target) -> pools with queue and answers (trainer.pools)
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
from trainer import chance, ranks
from trainer.attributes import Attributes
from trainer.choosing import Chooser
from trainer.collapse import spread
from trainer.encoding import encoders
from trainer.feedback_pool import Table
from trainer.generated import Generated
from trainer.labelled import Labelled
from trainer.network import TRAINABLE, Paced
from trainer.overlay import Overlay, nothing, overlaid
from trainer.pool import Pool, obey
from trainer.pools import Earlier, Seen, look
from trainer.prototypes import prototypes
from trainer.queue import Queue
from trainer.recipe import Recipe, Term
from trainer.update import device_for_training

Report = dict[str, Any]
Watch = Callable[[Pool], Mapping[str, Any]]


@dataclass(frozen=True)
class TrainSettings:
    """How long and how wide, the same for every system.

    backbone: a name of trainer/backbones or of timm; size: side of its square, 0 for its own; trainable: full, partly
    or frozen. rate: highest step size, 0 for the system's own, reached after the share `warm_up` of the steps, then
    falling as a cosine. answered: share of a batch drawn from items that answers placed, -1 for the system's own.
    partners: of items that answers join to the batch or hold apart from it, and that are not in it, how many join the
    keys as last seen. feedback: weight of a term by which answers pull and push where a system has no repulsion of its
    own. probe: epochs from one look at the kNN accuracy to the next where classes are known, 0 for none.
    """

    backbone: str = "small"
    size: int = 0
    pretrained: bool = True
    trainable: str = "full"
    projection: int = 64
    epochs: int = 30
    batch: int = 256
    rate: float = 0.0
    decay: float = 1e-4
    warm_up: float = 0.05
    answered: float = -1.0
    partners: int = 0
    feedback: float = 1.0
    probe: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch", 2), ("projection", 1), ("size", 0), ("partners", 0), ("probe", 0)):
            if getattr(self, name) < low:
                raise BadInput(f"{name} = at least {low} expected, got {getattr(self, name)}.")
        for name in ("rate", "decay", "feedback"):
            if not 0 <= getattr(self, name) < math.inf:
                raise BadInput(f"{name} = 0 or a number above expected, got {getattr(self, name)}.")
        if self.trainable not in TRAINABLE:
            raise BadInput(f"trainable = {', '.join(TRAINABLE)} expected, got '{self.trainable}'.")
        if not 0 <= self.warm_up < 1:
            raise BadInput(f"warm_up = at least 0 and below 1 expected, got {self.warm_up}.")
        if self.answered != -1 and not 0 <= self.answered < 1:
            raise BadInput(f"answered = at least 0 and below 1 expected, or -1, got {self.answered}.")


class Training:
    """One run. pictures: (N, S, S, 3) uint8, an array or a memory map; ids: (N,) int64; done: steps so far.

    attributes: metadata of the items, None for none: then sources by metadata leave every picture its own view.
    generated: pictures that stand beside the items they were made of, for the recipes that take them.
    """

    def __init__(
        self, recipe: Recipe, pictures: np.ndarray, ids: np.ndarray, settings: TrainSettings,
        overlay: Overlay | Labelled | None = None, attributes: Attributes | None = None,
        generated: Generated | None = None,
    ) -> None:  # fmt: skip
        self.recipe, self.pictures, self.settings, self.overlay = recipe, pictures, settings, overlay
        self.batch = min(settings.batch, len(ids))
        if self.batch < 2:
            raise BadInput(f"{len(ids)} pictures cannot be contrasted. Import more images first.")
        self.device = device_for_training()
        self.ids = torch.from_numpy(np.asarray(ids, np.int64)).to(self.device)
        self.done, self.steps_each = 0, max(len(ids) // self.batch, 1)
        self.encoders = encoders(recipe, settings, self.device)
        self.terms = overlaid(recipe.terms, settings.feedback) if overlay else list(recipe.terms)
        self.optimizer = torch.optim.AdamW(self._groups(), lr=self.rate, weight_decay=settings.decay)
        self.queue = Queue(recipe.queue, self.encoders.outputs) if recipe.queue else None
        held = overlay is not None and settings.partners > 0 and recipe.look is None
        self.table = Table(len(ids), self.encoders.outputs, self.device) if held else None
        self.chooser = Chooser(recipe.selector, self, Training) if recipe.selector else None
        self._dealt = -1  # the epoch that partners were drawn for
        self._introduce(attributes, generated)

    @property
    def rate(self) -> float:
        """The highest step size."""
        return self.settings.rate or self.recipe.rate

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
        self._deal()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(chance.number(self.settings.seed, chance.DROPOUT, self.done))
            seen = self._look(self._rows())
            pools = [seen.pools(term, self.recipe, self.encoders) for term in self.terms]
            emphasis = self.overlay.emphasis if self.overlay else 1.0
            curated = [
                [obey(self._curated(term, pool), emphasis) for pool in of]
                for term, of in zip(self.terms, pools, strict=True)
            ]
            losses = [
                term.weight * torch.stack([term.objective(pool) for pool in of]).mean()
                for term, of in zip(self.terms, curated, strict=True)
            ]
        loss = torch.stack(losses).sum()
        if not loss.isfinite():
            raise BadInput(
                f"the loss of step {self.done + 1} is {loss.item()}. Lower the rate, or raise the temperature."
            )
        rate = self._learn(loss)
        self._after(pools[0][0], [of[0] for of in curated], list(seen.keys.values()))
        getattr(seen, "after_step", lambda: None)()
        self.done += 1
        shown = getattr(seen, "embedded", pools[0][0].anchors).detach()  # what may collapse: the embedding
        told = {} if watch is None else {**spread(_unit(shown)), **watch(curated[0][0])}
        return {"loss": float(loss.detach()), "rate": rate, **told}

    def embed(self, *, projected: bool = False) -> np.ndarray:
        """(N, D) float32 features of every picture as it is; projected: (N, d) unit rows that the loss sees."""
        return self.encoders.embed(self.pictures, projected=projected)

    # the parts of a step ------------------------------------------------------------------------------------------
    def _look(self, rows: np.ndarray) -> Seen:
        """The batch, encoded, and what is known about it."""
        more = {} if self.recipe.look or self.recipe.mates is None else {"mates": self._mates(rows)}
        seen: Seen = (self.recipe.look or look)(
            self.recipe, self.encoders, self._pictures(rows), torch.from_numpy(rows).to(self.device), self.ids,
            earlier=self._earlier(rows), about=self.overlay.about if self.overlay else nothing,
            seed=self.settings.seed, step=self.done, progress=self.progress, **more,
        )  # fmt: skip
        return seen

    def _introduce(self, attributes: Attributes | None, generated: Generated | None) -> None:
        """Parts that read metadata, or look at the pictures themselves, do so once."""
        if generated is not None and self.recipe.generated is not None:
            self.recipe.generated.take(generated)
        if attributes is not None:
            for part in self.recipe.readers:
                part.learn_of(attributes.only(self.ids.cpu().numpy()))
        if self.chooser is not None:
            self.chooser.learn_of(attributes)
        parts = [*(part for term in self.terms for part in term.parts), self.recipe.look]
        for part in (part for part in parts if hasattr(part, "look_at")):
            part.look_at(self.pictures)

    def _deal(self) -> None:
        """Once an epoch, and after going on: partners are drawn, by the seed and the epoch."""
        epoch = self.done // self.steps_each
        if epoch != self._dealt:
            for part in (part for term in self.terms for part in term.parts if hasattr(part, "deal")):
                part.deal(epoch)
        self._dealt = epoch

    def _mates(self, rows: np.ndarray) -> tuple[Tensor, Tensor] | None:
        """Pictures and rows of the partners of these rows; None as long as none were drawn."""
        drawn = self.recipe.mates.drawn
        if drawn is None:
            return None
        found = drawn.partner[torch.from_numpy(rows)]
        return self._pictures(found.numpy()), found.to(self.device)

    def _earlier(self, rows: np.ndarray) -> Earlier:
        """Keys that were made before this step, and their rows: the queue, then partners from the table."""
        keys, of = [torch.zeros(0, self.encoders.outputs, device=self.device)], [self.ids[:0]]
        if self.queue is not None and len(self.queue.ids):
            keys.append(self.queue.keys)
            of.append(torch.searchsorted(self.ids, self.queue.ids.to(self.device)))
        if self.table is not None:
            of.append(self._partners(rows))
            keys.append(self.table.keys[of[-1]])
        return torch.cat(keys), torch.cat(of)

    def _partners(self, rows: np.ndarray) -> Tensor:
        """(P,) rows outside the batch that answers name together with rows of it, as far as the table has them."""
        if self.overlay is None or self.table is None:
            return self.ids[:0]
        seed = (self.settings.seed, chance.PARTNERS, self.done)
        found = self.overlay.partners(rows, self.settings.partners, seed)
        return self.table.filled(torch.from_numpy(found).to(self.device))

    def _curated(self, term: Term, pool: Pool) -> Pool:
        """Who pulls and who pushes; an anchor never meets itself. The keys of the batch come first, one an anchor."""
        for source in term.positives:
            pool = source(pool)
        if self.recipe.both_views and not term.beside:
            itself = torch.eye(*pool.pos.shape, dtype=torch.bool, device=self.device)
            pool = replace(pool, pos=pool.pos.masked_fill(itself, 0.0))
        return term.negatives(pool)

    def _groups(self) -> list[dict[str, Any]]:
        """What learns: all whose step size falls, then predictors whose step size stays, where the recipe says so, and
        towers that go at a pace of their own."""
        network, steady = self.encoders.network, self.recipe.steady_predictors
        paced = {id(weight): float(head.pace) for head in network.predictors if isinstance(head, Paced)
                 for weight in head.slow_weights()}  # fmt: skip
        kept = {id(weight) for weight in network.predictors.parameters()} if steady else set()
        groups: dict[tuple[bool, float], list[Tensor]] = {(False, 1.0): []}
        for weight in (weight for weight in network.parameters() if weight.requires_grad):
            groups.setdefault((id(weight) in kept, paced.get(id(weight), 1.0)), []).append(weight)
        return [{"params": of, "steady": stays, "pace": pace} for (stays, pace), of in groups.items()]

    def _learn(self, loss: Tensor) -> float:
        """The step itself; returns its size."""
        rate = self.rate * _height(self.done, self.steps, self.settings.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = group["pace"] * (self.rate if group["steady"] else rate)
        self.optimizer.zero_grad(set_to_none=True)
        if loss.requires_grad:
            (loss / ranks.count()).backward()
            ranks.add_gradients(weight for group in self.optimizer.param_groups for weight in group["params"])
            self._hold()
            self.optimizer.step()
        return rate

    def _hold(self) -> None:
        """Prototypes do not move in the first epochs, where the recipe wants it so."""
        if self.done < self.recipe.held * self.steps_each:
            for weight in prototypes(self.encoders.network):
                weight.grad = None

    def _after(self, first: Pool, curated: Sequence[Pool], keys: Sequence[Tensor]) -> None:
        """The target follows, queue and table take in the batch's keys, parts that learn by themselves take a step, or
        look at the keys of every view."""
        self.encoders.follow(self.done / max(self.steps - 1, 1))
        if self.table is not None:
            rows = torch.searchsorted(self.ids, first.key_ids[: self.batch])
            self.table.put(rows, first.keys[: self.batch])
        if self.queue is not None:
            count = len(first.anchors)
            self.queue.push(first.keys[:count].detach(), first.key_ids[:count])
        for term, pool in zip(self.terms, curated, strict=True):
            for part in term.parts:
                if hasattr(part, "after_step"):
                    part.after_step(pool)
                if hasattr(part, "after_keys") and keys:
                    part.after_keys(torch.cat(list(keys)).detach())

    def _refresh(self) -> None:
        """Once an epoch: policies that look at the whole collection get its embedding, a way to look may begin anew."""
        epoch = self.done // self.steps_each
        renew = getattr(self.recipe.look, "renew", lambda *_: ())
        for weight in renew(epoch, self.steps_each, self.progress, self.encoders, self.pictures):
            self.optimizer.state.pop(weight, None)
        wanting = [part for term in self.terms for part in term.parts if hasattr(part, "refresh")]
        if wanting:
            table = torch.from_numpy(self.embed(projected=True)).to(self.device)
            for part in wanting:
                part.refresh(table, self.ids, self.progress)

    def _fill_queue(self) -> None:
        """Start with keys of real pictures, not with noise."""
        if self.queue is None:
            return
        order = np.random.default_rng((self.settings.seed, chance.START)).permutation(len(self.ids))
        random = chance.generator(self.settings.seed, chance.START)
        view = self.recipe.views[self.recipe.matches[-1][1]]
        for at in range(0, min(self.recipe.queue, len(order) - 1), self.batch):
            rows = order[at : at + self.batch]
            keys = self.encoders.keys(view(self._pictures(rows), random)).detach()
            self.queue.push(keys, self.ids[torch.from_numpy(rows).to(self.device)])

    def _pictures(self, rows: np.ndarray) -> Tensor:
        return self.encoders.upload(self.pictures[rows])

    def _rows(self) -> np.ndarray:
        """(B,) distinct rows: a slice of the epoch's order, or drawn by the weight a source gives them, or chosen by a
        selector; part of it replaced by answered items."""
        epoch, place = divmod(self.done, self.steps_each)
        order = np.random.default_rng((self.settings.seed, chance.ORDER, epoch)).permutation(len(self.ids))
        rows = order[place * self.batch : (place + 1) * self.batch] if self.chooser is None else self.chooser()
        weights = None if self.recipe.mates is None else self.recipe.mates.anchors()
        if weights is not None:  # in place of the slice, by weight
            noise = np.random.default_rng((self.settings.seed, chance.ORDER, epoch, place)).gumbel(size=len(order))
            rows = np.argsort(-(np.log(weights) + noise), kind="stable")[: self.batch]
        wanted = self.recipe.answered if self.settings.answered < 0 else self.settings.answered
        share = int(wanted * self.batch)
        if self.overlay is None or share < 2:
            return np.sort(rows)
        kept = rows[: self.batch - share]
        known = self.overlay.rows(kept, share, (self.settings.seed, chance.ANSWERED, self.done))
        filled = np.concatenate([kept, known, rows])
        return np.sort(filled[np.sort(np.unique(filled, return_index=True)[1])][: self.batch])


def _unit(rows: Tensor) -> Tensor:
    return torch.nn.functional.normalize(rows, dim=1)


def _height(step: int, steps: int, warm_up: float) -> float:
    """Share of the highest rate: a straight rise, then half a cosine down to 0."""
    rise = max(int(warm_up * steps), 1)
    if step < rise:
        return (step + 1) / rise
    return (1 + math.cos(math.pi * (step - rise) / max(steps - rise, 1))) / 2

"""One update from inside: what is known, which parts curate, one gradient step after another."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize, softmax

from db.nouns import Snapshot
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from trainer.auditing import Likeness
from trainer.batches import Knowledge, Sampler
from trainer.choices import UpdateSettings
from trainer.feedback_pool import partners
from trainer.head import Head
from trainer.negative_report import report as negative_report
from trainer.pool import Pool, obey
from trainer.priors import share_of
from trainer.table import Table

REFRESH = 50  # steps from one look at all items to the next


class Lesson:
    """The state of one update."""

    def __init__(
        self, head: Head, reduced: Tensor, snapshot: Snapshot, graph: ConstraintGraph, settings: UpdateSettings,
        seed: int, device: torch.device, likeness: Likeness | None = None,
    ) -> None:  # fmt: skip
        self.settings, self.device = settings, device
        self.head = Head.from_bytes(head.to_bytes()).to(device).train()
        self.reduced = reduced.to(device)
        belief = infer(snapshot, graph)
        self.knowledge = Knowledge.of(belief, device, graph, likeness)
        self.sampler = Sampler(belief, settings.batch, seed)
        self.random = torch.Generator(device=device).manual_seed(seed)
        share = share_of(snapshot, graph)
        self.sources, self.policy, self.objectives = (
            settings.sources(),
            settings.policy(seed, share),
            settings.losses(share),
        )
        self.done = 0
        self.table = Table(self.head, self.reduced)
        self.prototypes = self._prototypes()
        parameters = [*self.head.parameters(), *([self.prototypes] if self.prototypes.requires_grad else [])]
        self.optimizer = torch.optim.AdamW(parameters, lr=settings.rate, weight_decay=settings.decay)
        self.plan = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, settings.steps)

    def step(self, report: bool = False) -> dict[str, Any]:
        """One gradient step; the losses by name, with their weighted sum first. report: what pushed, too."""
        self._look()
        pool = self.pool(torch.from_numpy(self.sampler.rows()).to(self.device))
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            losses = {name: objective(pool) for name, objective in self.objectives.items()}
        total = torch.stack([self.settings.objectives[name] * loss for name, loss in losses.items()]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        if total.requires_grad:
            total.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        self.plan.step()
        self.done += 1
        self._hook("after_step")(pool)
        if not report:
            return {}
        told = {name: float(loss.detach()) for name, loss in {"loss": total, **losses}.items()}
        return told | {"negatives": negative_report(pool, self.objectives[self.settings.objective])}

    def pool(self, rows: Tensor) -> Pool:
        """The curated pool of a batch: anchors are one view; keys the other view, then the feedback pool."""
        reduced, anchors, keys = self.reduced[rows], self._viewed(rows), self._viewed(rows)
        more = self._partners(rows)
        ids, all_rows = self.knowledge.ids, torch.cat([rows, more])
        same, said = self.knowledge.between(rows, all_rows)
        pool = Pool.of(anchors, torch.cat([keys, self.table[more]]), ids[rows], ids[all_rows], same, said)
        pool = replace(pool, progress=self.done / self.settings.steps)
        for source in self.sources:
            pool = source(pool)
        pool = obey(self.policy(pool))
        if "keep" in self.objectives:
            untaught = normalize(self.reduced[all_rows][:, : self.head.size], dim=1)
            pool = replace(pool, reference=normalize(reduced[:, : self.head.size], dim=1) @ untaught.T)
        if "cluster" in self.objectives:
            pool = replace(pool, anchor_groups=self._assign(anchors), key_groups=self._assign(keys))
        return pool

    def _partners(self, rows: Tensor) -> Tensor:
        """(P,) rows outside the batch that answers place beside or apart from rows of it."""
        found = partners(self.knowledge, rows.cpu().numpy(), self.settings.partners, self.sampler.random)
        return torch.from_numpy(found).to(self.device)

    def _viewed(self, rows: Tensor) -> Tensor:
        return self.head(self._view(self.reduced[rows]))  # type: ignore[no-any-return]

    def _view(self, reduced: Tensor) -> Tensor:
        """Hide some directions and jitter the rest: the augmentation of cached features. (B, W)"""
        kept = torch.rand(reduced.shape, generator=self.random, device=self.device) >= self.settings.drop
        jitter = torch.randn(reduced.shape, generator=self.random, device=self.device)
        scale = self.settings.noise * reduced.norm(dim=1, keepdim=True) / reduced.shape[1] ** 0.5
        return reduced * kept / (1 - self.settings.drop) + scale * jitter

    def _look(self) -> None:
        """Every so often, see the items anew for the feedback pool, and for a policy that clusters them."""
        if self.done % REFRESH == 0:
            if self.done:
                self.table = Table(self.head, self.reduced)
            if hasattr(self.policy, "refresh"):
                self.policy.refresh(self.table.all(), self.knowledge.ids, self.done / self.settings.steps)

    def _hook(self, name: str) -> Callable[..., Any]:
        """A method of the policy that not every policy has."""
        return getattr(self.policy, name, lambda *_: None)

    def _prototypes(self) -> Tensor:
        """(C, d) one direction per group found, at the mean of its members, to be learnt; none if no objective reads
        them."""
        if "cluster" not in self.settings.objectives:
            return torch.zeros(0, self.head.size, device=self.device)
        centres = normalize(self.knowledge.joint.T @ self.table.all(), dim=1)
        return centres.requires_grad_(len(centres) > 0)

    def _assign(self, embedded: Tensor) -> Tensor:
        return softmax(embedded @ normalize(self.prototypes, dim=1).T / 0.1, dim=1)

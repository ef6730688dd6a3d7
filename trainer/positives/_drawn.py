"""One partner for every item, drawn anew each epoch: what sources by metadata share."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trainer.pool import Pool


@dataclass(frozen=True, eq=False)
class Drawn:
    """ids: (N,) int64, rising. partner: (N,) int64 row of each item's partner, its own where it has none."""

    ids: Tensor
    partner: Tensor

    @classmethod
    def of(cls, ids: np.ndarray, partner: np.ndarray) -> "Drawn":
        """From arrays."""
        return cls(torch.from_numpy(np.asarray(ids, np.int64)), torch.from_numpy(np.asarray(partner, np.int64)))

    @property
    def share(self) -> float:
        """Of the items, how many have a partner."""
        return float((self.partner != torch.arange(len(self.partner))).double().mean()) if len(self.partner) else 0.0

    def rows(self, ids: Tensor) -> Tensor:
        """(n,) rows of items, -1 for one that is not here."""
        wanted = ids.cpu()
        if not len(self.ids):
            return torch.full_like(wanted, -1)
        at = torch.searchsorted(self.ids, wanted).clamp_max(len(self.ids) - 1)
        return torch.where(self.ids[at] == wanted, at, -1)

    def mates(self, pool: Pool) -> Tensor:
        """(B, K) bool: the key is of the anchor's partner, or the anchor of the key's."""
        one, other = self.rows(pool.anchor_ids), self.rows(pool.key_ids)
        there = (one >= 0)[:, None] & (other >= 0)[None]
        met = (self._of(one)[:, None] == other[None]) | (one[:, None] == self._of(other)[None])
        return (there & met).to(pool.pos.device) & ~pool.own

    def _of(self, rows: Tensor) -> Tensor:
        return torch.where(rows >= 0, self.partner[rows.clamp_min(0)], -1) if len(self.partner) else rows


def pulling(pool: Pool, mates: Tensor, weight: float, resting: Tensor | None = None) -> Pool:
    """The same with mates pulling, where no answer holds them apart; `resting` keys no longer push."""
    pull = torch.where(mates & (pool.said >= 0), weight, 0.0).to(pool.pos)
    quiet = pull > 0 if resting is None else (pull > 0) | resting
    return replace(pool, pos=torch.maximum(pool.pos, pull), neg=pool.neg.masked_fill(quiet, 0.0))

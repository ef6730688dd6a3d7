"""Which items meet in a batch, and what is known about each pair of them.

Half of a batch are items the answers placed, group by group, so that labelled partners really meet (a random batch
would hold
almost none); a quarter are items the belief is nearly sure of; a quarter are drawn uniformly.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from oracle.belief import Belief


@dataclass(frozen=True, eq=False)
class Knowledge:
    """A belief as tensors. joint: (N, G). member: (N,), -1 unknown. against: (N, G). apart: (G, G). ids: (N,)."""

    joint: Tensor
    member: Tensor
    against: Tensor
    apart: Tensor
    ids: Tensor

    @classmethod
    def of(cls, belief: Belief, device: torch.device) -> "Knowledge":
        """Groups found by answers only; before any answer nothing is known."""
        count = belief.groups
        joint = belief.joint[:, :count] if count else np.zeros((len(belief.labels), 0))
        arrays = (joint.astype(np.float32), belief.member, belief.against, belief.apart, belief.snapshot.ids)
        return cls(*(torch.from_numpy(np.array(array)).to(device) for array in arrays))

    def same(self, rows: Tensor) -> Tensor:
        """(B, B) chance that two rows of a batch belong together."""
        return self.joint[rows] @ self.joint[rows].T

    def said(self, rows: Tensor) -> Tensor:
        """(B, B) int8: +1 together, -1 apart, 0 open, as far as the answers place the rows."""
        member = self.member[rows]
        placed = member >= 0
        both = placed[:, None] & placed[None, :]
        together = both & (member[:, None] == member[None, :])
        if not self.apart.numel():
            return together.to(torch.int8)
        group = member.clamp_min(0)
        apart = both & self.apart[group][:, group]
        denied = self.against[rows][:, group] & placed[None, :]
        return together.to(torch.int8) - ((apart | denied | denied.T) & ~together).to(torch.int8)


class Sampler:
    """Rows for one batch after another; the same seed gives the same rows."""

    def __init__(self, belief: Belief, size: int, seed: int, confident: float = 0.9) -> None:
        self.random = np.random.default_rng(seed)
        self.size, self.count = size, len(belief.labels)
        placed = belief.member >= 0
        self.groups = [np.flatnonzero(belief.member == group) for group in range(belief.groups)]
        sizes = np.array([len(rows) for rows in self.groups], dtype=float)
        self.share = np.sqrt(sizes) / max(np.sqrt(sizes).sum(), 1e-9)
        sure = belief.joint[:, : belief.groups].max(1, initial=0.0) >= confident
        self.likely = np.flatnonzero(sure & ~placed)

    def rows(self) -> np.ndarray:
        """(B,) distinct rows, sorted."""
        drawn = [self._placed(self.size // 2), self._some(self.likely, self.size // 4)]
        known = np.unique(np.concatenate(drawn))
        return np.union1d(known, self.random.integers(0, self.count, self.size - len(known)))

    def _placed(self, size: int) -> np.ndarray:
        if not self.groups:
            return np.empty(0, dtype=np.int64)
        picks = self.random.choice(len(self.groups), size=size, p=self.share)
        return np.array([self.random.choice(self.groups[pick]) for pick in picks], dtype=np.int64)

    def _some(self, rows: np.ndarray, size: int) -> np.ndarray:
        return self.random.choice(rows, min(size, len(rows)), replace=False) if len(rows) else rows

"""Which items meet in a batch, and what is known about each pair of them.

Half of a batch are items the answers placed, group by group, so that labelled partners really meet: a random batch of
B out of n items holds L (B/n)^2 of L labelled pairs, which is almost none. A quarter are items the belief is nearly
sure of; a quarter are drawn uniformly.
"""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sparse
import torch
from torch import Tensor

from oracle.belief import Belief
from oracle.constraints import ConstraintGraph
from trainer.auditing import Likeness


@dataclass(frozen=True, eq=False)
class Knowledge:
    """A belief as tensors. joint: (N, G). member: (N,), -1 unknown. against: (N, G). apart: (G, G). ids: (N,).

    direct: (N, N) sparse, net nats of the answers about the very pair. likeness: what audits show of pairs that
    look alike, None to take the belief's chances as they are.
    """

    joint: Tensor
    member: Tensor
    against: Tensor
    apart: Tensor
    ids: Tensor
    direct: sparse.csr_matrix = field(default_factory=lambda: sparse.csr_matrix((0, 0)))
    likeness: Likeness | None = None

    @classmethod
    def of(
        cls,
        belief: Belief,
        device: torch.device,
        graph: ConstraintGraph | None = None,
        likeness: Likeness | None = None,
    ) -> "Knowledge":
        """Groups found by answers only; before any answer nothing is known."""
        count = belief.groups
        chance = belief.joint[:, :count] if count else np.zeros((len(belief.labels), 0))
        arrays = (chance.astype(np.float32), belief.member, belief.against, belief.apart, belief.snapshot.ids)
        joint, member, against, apart, ids = (torch.from_numpy(np.array(array)).to(device) for array in arrays)
        told = _direct(belief.snapshot.ids, graph)
        return cls(joint, member, against, apart, ids, told, likeness if count else None)

    def same(self, rows: Tensor, others: Tensor | None = None) -> Tensor:
        """(B, K) chance that a row and another belong together; others: the rows themselves by default.

        Open pairs: as the audits show. Pairs placed by answers: as the belief has it. Pairs about which only an answer
        of their own speaks: as sure as that answer is.
        """
        return self.between(rows, others)[0]

    def chance(self, first: Tensor, second: Tensor) -> Tensor:
        """(P,) chance that the two rows of each pair belong together, as if no answer placed either."""
        chance = (self.joint[first] * self.joint[second]).sum(1)
        if self.likeness is None:
            return chance
        return self.likeness.corrected(chance, self.likeness.cosine_of(first, second))

    def said(self, rows: Tensor, others: Tensor | None = None) -> Tensor:
        """(B, K) int8: +1 together, -1 apart, 0 open. By the groups answers place rows in, else by its answer."""
        return self.between(rows, others)[1]

    def between(self, rows: Tensor, others: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """`same` and `said` at once."""
        others = rows if others is None else others
        chance = self.joint[rows] @ self.joint[others].T
        placed, nats = self._placed(rows, others), self._told(rows, others)
        if self.likeness is not None:
            fair = self.likeness.corrected(chance, self.likeness.cosine(rows, others))
            chance = torch.where(placed == 0, fair, chance)
        if nats is None:
            return chance, placed
        alone = (placed == 0) & (nats != 0)
        return torch.where(alone, torch.sigmoid(nats), chance), torch.where(alone, nats.sign().to(torch.int8), placed)

    def _placed(self, rows: Tensor, others: Tensor) -> Tensor:
        """(B, K) int8: what follows for two rows whose groups the answers know."""
        one, other = self.member[rows], self.member[others]
        known, also = one >= 0, other >= 0
        both = known[:, None] & also[None, :]
        together = both & (one[:, None] == other[None, :])
        if not self.apart.numel():
            return together.to(torch.int8)
        group, its = one.clamp_min(0), other.clamp_min(0)
        apart = both & self.apart[group][:, its]
        denied = (self.against[rows][:, its] & also[None, :]) | (self.against[others][:, group].T & known[:, None])
        return together.to(torch.int8) - ((apart | denied) & ~together).to(torch.int8)

    def _told(self, rows: Tensor, others: Tensor) -> Tensor | None:
        """(B, K) net nats of the answers about each pair itself, 0 where there are none; None before any."""
        if not self.direct.nnz:
            return None
        block = self.direct[rows.cpu().numpy()][:, others.cpu().numpy()].toarray()
        return torch.from_numpy(block).to(rows.device)


def _direct(ids: np.ndarray, graph: ConstraintGraph | None) -> sparse.csr_matrix:
    """(N, N) symmetric, net nats of the answers about each pair of items the snapshot holds."""
    count = len(ids)
    if graph is None or not count:
        return sparse.csr_matrix((count, count), dtype=np.float32)
    first, second, sign, weight = graph.arrays()
    a, b = (np.searchsorted(ids, side).clip(0, count - 1) for side in (first, second))
    known = (ids[a] == first) & (ids[b] == second)
    nats = np.tile((sign * weight)[known], 2).astype(np.float32)
    ends = np.concatenate([a[known], b[known]]), np.concatenate([b[known], a[known]])
    return sparse.csr_matrix((nats, ends), shape=(count, count))


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

"""A batch on its way to the loss: who is compared with whom, who pulls, who pushes.

Curation is `Pool -> Pool`, an objective is `Pool -> number`, and `obey` lets the answers have the last word.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from db.errors import BadInput


@dataclass(frozen=True, eq=False)
class Pool:
    """anchors: (B, d) unit rows. keys: (K, d) unit rows. anchor_ids (B,), key_ids (K,): int64 item ids.

    pos: (B, K) >= 0, share of the pull. neg: (B, K) >= 0, weight in the unlabelled stratum. confirmed: (B, K) >= 0,
    weight in the stratum of confirmed negatives, never debiased. same: (B, K) in [0, 1], chance that the two belong
    together. said: (B, K) int8, +1 must-link, -1 cannot-link, 0 open. Filled where an objective needs them: reference
    (B, K) cosines of the untaught embedding; anchor_groups, key_groups (B, C) soft assignments of two views; features
    (B, D) of the anchors before any head.

    What a negative policy may add, `None` or 0 where it did not: synthetic (B, S, d) unit rows, columns of one anchor
    each, with synthetic_weight (B, S) >= 0. tau_plus (B,) in [0, 1), share of false negatives to subtract. tilt
    (beta of HCL) and normalise: how the unlabelled stratum is weighted by similarity. count (B,): n_i, the number of
    negatives, where it is not the number of unlabelled keys. detected (B, K) bool: keys taken for false negatives.
    What it may read: support (B, V, d) further views of the anchors; progress in [0, 1], share of the training done;
    idle (K,) bool: keys that may pull but push only where an answer says so, as those of the batch beside a queue;
    sharpness () > 0: a learnt factor of all scores, 1 / tau beside an objective with temperature 1; judged (B, K):
    scores of every pair by another model.
    """

    anchors: Tensor
    keys: Tensor
    anchor_ids: Tensor
    key_ids: Tensor
    pos: Tensor
    neg: Tensor
    confirmed: Tensor
    same: Tensor
    said: Tensor
    reference: Tensor | None = None
    anchor_groups: Tensor | None = None
    key_groups: Tensor | None = None
    features: Tensor | None = None
    synthetic: Tensor | None = None
    synthetic_weight: Tensor | None = None
    tau_plus: Tensor | None = None
    tilt: float = 0.0
    normalise: bool = False
    count: Tensor | None = None
    detected: Tensor | None = None
    support: Tensor | None = None
    progress: float = 0.0
    idle: Tensor | None = None
    sharpness: Tensor | None = None
    judged: Tensor | None = None
    met: tuple[Tensor, ...] = field(default=(), compare=False, repr=False)  # what `own` remembers

    @classmethod
    def of(
        cls, anchors: Tensor, keys: Tensor, anchor_ids: Tensor, key_ids: Tensor, same: Tensor, said: Tensor
    ) -> "Pool":
        """A pool nobody has curated: nothing pulls, every other item pushes with weight 1."""
        shape = (len(anchors), len(keys))
        if tuple(same.shape) != shape or tuple(said.shape) != shape:
            raise BadInput(f"same and said = {shape} expected, got {tuple(same.shape)} and {tuple(said.shape)}.")
        nothing = torch.zeros(shape, dtype=anchors.dtype, device=anchors.device)
        pool = cls(anchors, keys, anchor_ids, key_ids, nothing, nothing, nothing, same, said)
        return replace(pool, neg=(~pool.own).to(anchors.dtype))

    @property
    def own(self) -> Tensor:
        """(B, K) bool: key is the anchor's own item (another view of it, or itself). Compared once for a pool and all
        that were made of it with the same ids."""
        if not self.met or self.met[0] is not self.anchor_ids or self.met[1] is not self.key_ids:
            own = self.anchor_ids[:, None] == self.key_ids[None, :]
            object.__setattr__(self, "met", (self.anchor_ids, self.key_ids, own))
        return self.met[2]

    @property
    def rival(self) -> Tensor:
        """(B, K) bool: the key is of another item, and not idle: a policy may let it push."""
        return ~self.own if self.idle is None else ~self.own & ~self.idle

    def first(self, count: int) -> "Pool":
        """The same with the first keys only, as it was before any curation."""
        wide = {name: getattr(self, name)[:, :count] for name in ("pos", "neg", "confirmed", "same", "said")}
        idle = None if self.idle is None else self.idle[:count]
        return replace(self, keys=self.keys[:count], key_ids=self.key_ids[:count], idle=idle, **wide)

    def resting(self, idle: Tensor) -> "Pool":
        """The same with (K,) keys that do not push."""
        return replace(self, idle=idle, neg=self.neg.masked_fill(idle, 0.0))


def obey(pool: Pool, emphasis: float = 2.0) -> Pool:
    """The answers have the last word: a must-link never pushes, a cannot-link never pulls and is a confirmed negative.

    emphasis: weight of a confirmed negative, >= 1. The anchor's own item pushes nowhere, an idle key only if confirmed.
    """
    if not pool.said.count_nonzero():  # nobody said anything: the quick way to the same
        neg, confirmed = pool.neg.masked_fill(~pool.rival, 0.0), pool.confirmed.masked_fill(pool.own, 0.0)
        return replace(pool, neg=neg, confirmed=confirmed)
    together, apart = (pool.said > 0) | pool.own, (pool.said < 0) & ~pool.own
    return replace(
        pool,
        pos=pool.pos.masked_fill(apart, 0.0),
        neg=pool.neg.masked_fill(together | apart | ~pool.rival, 0.0),
        confirmed=torch.where(apart, torch.full_like(pool.neg, emphasis), pool.confirmed.masked_fill(together, 0.0)),
    )

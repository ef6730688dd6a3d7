"""Who may be a parent of a synthetic negative, and which of them are hardest.

The anchor's own item, a must-link and a key that is likelier the same than not are no parents: what is mixed from them
would push away what belongs together. Nor is an idle key, unless an answer calls it different: with a queue, MoCHi and
SynCo mix from the queue alone. Confirmed negatives come first.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.pool import Pool

LIKELY = 0.5  # chance of belonging together from which on a key is no parent
CONFIRMED = 2.0  # added to a cosine: every confirmed negative is before every other key


@dataclass(frozen=True, eq=False)
class Parents:
    """The hardest allowed keys of every anchor. keys: (B, n, d) detached, hardest first. allowed: (B,) how many of them
    are keys at all: anchors have fewer than n where less is allowed."""

    keys: Tensor
    allowed: Tensor

    def drawn(self, count: int, random: torch.Generator) -> Tensor:
        """(B, count, d) of them, with replacement; what lies beyond an anchor's own is never drawn unless it has
        none."""
        chance = torch.rand(len(self.keys), count, generator=random, dtype=torch.float64).to(self.keys.device)
        place = (chance * self.allowed.clamp_min(1)[:, None]).long()  # (B, count)
        return torch.gather(self.keys, 1, place[..., None].expand(-1, -1, self.keys.shape[2]))

    def weight(self, count: int) -> Tensor:
        """(B, count): 1, or 0 where an anchor has no parent."""
        return (self.allowed > 0).to(self.keys.dtype)[:, None].expand(-1, count)


def may_be_parent(pool: Pool) -> Tensor:
    """(B, K) bool."""
    open_ = (pool.said == 0) & pool.rival & (pool.same < LIKELY)
    return ~pool.own & (pool.pos == 0) & (open_ | (pool.said < 0))


def hardest(pool: Pool, count: int) -> Parents:
    """The `count` allowed keys nearest to each anchor, confirmed negatives first; at most as many as there are keys."""
    allowed, count = may_be_parent(pool), min(count, len(pool.keys))
    keys = pool.keys.detach()
    rank = pool.anchors.detach() @ keys.T + CONFIRMED * (pool.said < 0)
    place = rank.masked_fill(~allowed, -torch.inf).topk(count, dim=1).indices  # (B, n)
    return Parents(keys[place], allowed.sum(1).clamp_max(count))


def uniform(shape: tuple[int, int], low: float, high: float, random: torch.Generator, like: Tensor) -> Tensor:
    """(B, S, 1) numbers from [low, high), in the precision and on the device of another tensor."""
    drawn = low + (high - low) * torch.rand(shape, generator=random, dtype=torch.float64)
    return drawn.to(like.device, like.dtype)[..., None]


def append(pool: Pool, made: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Synthetic columns and their weights, after those another policy made."""
    if pool.synthetic is None:
        return made, weight
    before = torch.ones_like(pool.synthetic[..., 0]) if pool.synthetic_weight is None else pool.synthetic_weight
    return torch.cat([pool.synthetic, made], 1), torch.cat([before, weight], 1)

"""Every key of the batch is swapped for its nearest earlier key, which then pulls in its place.

    c_j <- argmax over the queue Q of <c_j, q>,    pos_jj = weight

With the key come the id, the chances and the answers of the item it was made from: an answer that holds the anchor and
that item apart passes it over. Without an earlier key that may be taken a key stays itself.

Source: Dwibedi, Aytar, Tompson, Sermanet, Zisserman 2021, "With a little help from my friends: nearest-neighbor
contrastive learning of visual representations" (NNCLR), arXiv 2104.14548, equation 1.
Differs from the paper: the queue knows items, and an earlier key of the very item is passed over. With a million
pictures and a queue of 98,304 it was hardly ever there; with thousands it would be taken again and again, and teach no
more than another view does. `itself=yes` takes it.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch

from oracle.bounds import Weight
from trainer.pool import Pool
from trainer.positives._near import nearest


@dataclass(frozen=True)
class PositiveSource:
    """weight: of the pull, >= 0. itself: whether an earlier key of the very item may be taken."""

    weight: Weight = 1.0
    itself: bool = False

    def __call__(self, pool: Pool) -> Pool:
        count = min(len(pool.anchors), len(pool.keys))  # keys of the batch come first, one an anchor
        place = self._swapped(pool, count)  # (C,)
        rest = pool.first(count) if _only_looked_at(pool, count) else pool
        pull = rest.pos.clone()
        pull[:, :count] = self.weight * torch.eye(len(pull), count, dtype=pull.dtype, device=pull.device)
        dims = {"keys": 0, "key_ids": 0, "same": 1, "said": 1, "confirmed": 1}
        parts: dict[str, Any] = {name: _with(pool, rest, name, place, dim) for name, dim in dims.items()}
        moved = replace(rest, **parts)
        return replace(moved, pos=pull, neg=rest.neg.masked_fill((pull > 0) | moved.own, 0.0))

    def _swapped(self, pool: Pool, count: int) -> torch.Tensor:
        """(C,) which key comes to each of the first places."""
        place = torch.arange(count, device=pool.keys.device)
        if len(pool.keys) == count:
            return place
        may = pool.said[:count, count:] >= 0
        may = may if self.itself else may & ~pool.own[:count, count:]
        found, allowed = nearest(pool.keys[:count], pool.keys[count:], may, 1)
        return torch.where(allowed[:, 0], found[:, 0] + count, place)


def _only_looked_at(pool: Pool, count: int) -> bool:
    """Whether the keys after the first neither pull nor push, nor will by an answer: once looked at they can go."""
    if pool.idle is None or len(pool.keys) == count or not pool.idle[count:].all():
        return False
    return not any(bool(wide[:, count:].count_nonzero()) for wide in (pool.said, pool.pos, pool.confirmed))


def _with(pool: Pool, rest: Pool, name: str, place: torch.Tensor, dim: int) -> torch.Tensor:
    """What these places of the pool have comes first, then the rest as it was."""
    after: torch.Tensor = getattr(rest, name)
    after = after.narrow(dim, len(place), after.shape[dim] - len(place))
    return torch.cat([getattr(pool, name).index_select(dim, place), after], dim)

"""The keys nearest to the anchor's own key pull with it: its neighbourhood as the target sees it, itself included.

    N_i = the k keys c_j with the highest <c_own(i), c_j>,    pos_ij = weight for j in N_i

Near to the own key, not to the anchor's prediction: the two views share a target, and the prediction is drawn to it.
The own key is the first key of the anchor's item; those of the batch come first. What answers hold apart from the
anchor is passed over for the next nearest, and what they put together joins with the same weight (`must_links`).

Source: Koohpayegani, Tejankar, Pirsiavash 2021, "Mean shift for self-supervised learning" (MSF), arXiv 2105.07269,
section 3. Official code: UMBCvision/MSF.
Differs from the paper: weight 1 where it has 1/k: objectives divide by the sum.
"""

from dataclasses import dataclass, replace

import torch

from db.errors import BadInput
from oracle.bounds import Weight
from trainer.pool import Pool
from trainer.positives._near import nearest


@dataclass(frozen=True)
class PositiveSource:
    """k: keys that pull, the own one among them, at least 1. weight: of each, >= 0."""

    k: int = 5
    weight: Weight = 1.0

    def __post_init__(self) -> None:
        if self.k < 1:
            raise BadInput(f"k = at least 1 key expected, got {self.k}.")

    def __call__(self, pool: Pool) -> Pool:
        own = pool.keys[pool.own.int().argmax(1)]  # (B, d)
        place, allowed = nearest(own, pool.keys, (pool.said >= 0) | pool.own, self.k)
        taken = allowed & pool.own.any(1, keepdim=True)  # an anchor without a key of its own has no target to be near
        pull = torch.zeros_like(pool.pos).scatter_(1, place, taken.to(pool.pos.dtype) * self.weight)
        return replace(pool, pos=torch.maximum(pool.pos, pull), neg=pool.neg.masked_fill(pull > 0, 0.0))

"""Every other item pushes with weight 1, as in plain SupCon and NT-Xent."""

from dataclasses import dataclass, replace

from oracle.bounds import Weight
from trainer.pool import Pool


@dataclass(frozen=True)
class NegativePolicy:
    """weight: push of one negative, >= 0."""

    weight: Weight = 1.0

    def __call__(self, pool: Pool) -> Pool:
        pushes = pool.pos.logical_not() & pool.rival  # (B, K)
        return replace(pool, neg=pushes.to(pool.neg.dtype) * self.weight)

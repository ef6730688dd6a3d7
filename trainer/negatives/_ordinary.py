"""Whom a policy starts from: every other item pushes with weight 1, except those that answers hold for the same.

A must-link, and an open key that is likelier the same than not, is no ordinary negative. One that an answer calls
different stays, whatever the belief thinks of it.
"""

from dataclasses import replace

from torch import Tensor

from trainer.negatives._parents import LIKELY
from trainer.negatives.uniform import NegativePolicy as Uniform
from trainer.pool import Pool


def ordinary(pool: Pool) -> Pool:
    """The pool with weight 1 on every ordinary negative, 0 elsewhere."""
    pool = Uniform()(pool)
    return replace(pool, neg=pool.neg.masked_fill(held_for_same(pool), 0.0))


def held_for_same(pool: Pool) -> Tensor:
    """(B, K) bool."""
    return (pool.said > 0) | ((pool.said == 0) & (pool.same > LIKELY))

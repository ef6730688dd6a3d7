"""Pools with answers in them, as negative policies meet them."""

import torch
from torch.nn.functional import normalize

from trainer.pool import Pool


def answered_pool(
    batch: int = 8, keys: int = 12, dim: int = 6, seed: int = 0, *, same: float = 0.0, said: bool = True
) -> Pool:
    """float64 pool; the first keys are own views where there are as many. A sixth of the pairs is answered."""
    random = torch.Generator().manual_seed(seed)
    anchors, columns = (
        normalize(torch.randn(n, dim, generator=random, dtype=torch.float64), dim=1) for n in (batch, keys)
    )
    answers = torch.randint(-5, 6, (batch, keys), generator=random)
    answers = torch.where(answers.abs() == 5, answers.sign(), 0).to(torch.int8) if said else torch.zeros_like(answers)
    ids, key_ids = torch.arange(batch), torch.arange(keys)
    answers = answers.to(torch.int8).masked_fill(ids[:, None] == key_ids, 0)
    chance = torch.full((batch, keys), same, dtype=torch.float64)
    return Pool.of(anchors.requires_grad_(), columns, ids, key_ids, chance, answers)

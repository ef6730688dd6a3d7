"""What a teacher finds similar pulls as much as it finds it similar: its view of the own key and the queue.

    P_ij = softmax_j(<t_i, t_j> / sharp)        over the own key t_i and the keys of the queue

Works where the keys are a teacher's, the batch's first, one an anchor and in their order.
Source: Fang et al. 2021, "SEED: Self-supervised distillation for visual representation", arXiv 2101.04731, equation 4.
"""

from dataclasses import dataclass, replace

import torch

from db.errors import BadInput
from oracle.bounds import Positive
from trainer.pool import Pool


@dataclass(frozen=True)
class PositiveSource:
    """sharp: the teacher's temperature, > 0."""

    sharp: Positive = 0.01

    def __post_init__(self) -> None:
        if not self.sharp > 0:
            raise BadInput(f"sharp > 0 expected, got {self.sharp}.")

    def __call__(self, pool: Pool) -> Pool:
        batch, keys = pool.pos.shape
        itself = torch.eye(batch, keys, dtype=torch.bool, device=pool.pos.device)
        earlier = ~pool.idle if pool.idle is not None else torch.arange(keys, device=itself.device) >= batch  # (K,)
        scores = pool.keys[:batch].detach() @ pool.keys.detach().T / self.sharp  # (B, K)
        pull = torch.softmax(scores.masked_fill(~(itself | earlier), -torch.inf), 1).to(pool.pos)
        return replace(pool, pos=torch.maximum(pool.pos, pull), neg=pool.neg.masked_fill(pull > 0, 0.0))

"""What another model finds fitting pulls as much as it finds it fitting: its view of pictures with everybody's words.

    P_ij = softmax_j(sharp * judged_ij)        judged: scores of a reference model

With `contrast` (all, out) it is the cross-entropy of the learner to that model. Where no model judged, nobody pulls.
Source: Hinton, Vinyals, Dean 2015, "Distilling the knowledge in a neural network", arXiv 1503.02531; between pictures
and words: Udandarao et al. 2024 (ACED), arXiv 2411.18674.
"""

from dataclasses import dataclass, replace

import torch

from db.errors import BadInput
from oracle.bounds import Positive
from trainer.pool import Pool


@dataclass(frozen=True)
class PositiveSource:
    """sharp: factor of the scores, > 0; 1 for the model's own."""

    sharp: Positive = 1.0

    def __post_init__(self) -> None:
        if not self.sharp > 0:
            raise BadInput(f"sharp > 0 expected, got {self.sharp}.")

    def __call__(self, pool: Pool) -> Pool:
        if pool.judged is None:
            return pool
        pull = torch.softmax(self.sharp * pool.judged, 1).to(pool.pos)
        return replace(pool, pos=torch.maximum(pool.pos, pull), neg=pool.neg.masked_fill(pull > 0, 0.0))

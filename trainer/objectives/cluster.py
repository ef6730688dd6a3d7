"""Two views of a batch should fill the same groups, and use all of them: contrast between columns of the assignment.

    L = NT-Xent over the columns of the (B, C) assignments of both views - H(mean assignment)

Source: Li et al. 2021, "Contrastive clustering", arXiv 2009.09687; in the interactive setting Wang et al. 2022 (OCC),
arXiv 2211.00409.
Differs: the number of columns is the number of groups found so far.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from db.errors import BadInput
from oracle.bounds import Positive
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """temperature: tau of the columns, > 0. Needs `pool.anchor_groups` and `pool.key_groups`."""

    needs: ClassVar[tuple[str, ...]] = ("anchor_groups", "key_groups")
    temperature: Positive = 0.5

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in nats; exactly 0 with fewer than two groups."""
        if pool.anchor_groups is None or pool.key_groups is None:
            raise BadInput("the objective 'cluster' needs pool.anchor_groups and key_groups (B, C), got None.")
        one, other = pool.anchor_groups, pool.key_groups
        if one.shape[1] < 2:
            return one.sum() * 0.0
        columns = normalize(torch.cat([one.T, other.T]), dim=1)  # (2C, B)
        scores = columns @ columns.T / self.temperature
        scores = scores - torch.diag(torch.full_like(scores.diagonal(), torch.inf))
        partner = torch.arange(2 * one.shape[1], device=one.device).roll(one.shape[1])
        used = torch.cat([one, other]).mean(0)
        return cross_entropy(scores, partner) + (used * used.clamp_min(1e-12).log()).sum()

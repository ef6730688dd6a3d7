"""Contrast after a look into memory: anchor and key are replaced by what the batch's anchors say they are like.

    U(x) = softmax(beta x M^T) M, of length 1,    M = the anchors
    L = scale * mean_i log sum_{j != i} exp(<U(x_i), U(y_j)> / tau) - <U(x_i), U(y_i)> / tau          (InfoLOOB)

The positive is left out of the sum, which keeps the loss from saturating; the memory brings back what features have
in common.
Source: Fürst et al. 2022, "CLOOB: modern Hopfield networks with InfoLOOB outperform CLIP", arXiv 2110.11316, equations
3 to 7. Official code: ml-jku/cloob. InfoLOOB: Poole, Ozair, van den Oord, Alemi, Tucker 2019, arXiv 1905.06922.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from oracle.bounds import Positive, Weight
from trainer.objectives.contrast import Objective as Contrast
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """temperature: tau > 0, fixed. beta: of the retrieval, > 0. scale: of the loss, 0 for tau."""

    temperature: Positive = 1 / 30
    beta: Positive = 8.0
    scale: Weight = 0.0

    def __post_init__(self) -> None:
        if not self.beta > 0:
            raise BadInput(f"beta > 0 expected, got {self.beta}. The paper has 8.")
        self.contrast  # noqa: B018  refuses a temperature that cannot be

    @property
    def contrast(self) -> Contrast:
        """What compares the retrieved rows."""
        return Contrast(self.temperature, denominator="none", scale=self.scale or self.temperature)

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in nats, times scale."""
        memory = pool.anchors
        anchors, keys = (self.retrieved(rows, memory) for rows in (pool.anchors, pool.keys))
        return self.contrast(replace(pool, anchors=anchors, keys=keys, sharpness=None))

    def retrieved(self, rows: Tensor, memory: Tensor) -> Tensor:
        """(N, d) rows of length 1 that a modern Hopfield network finds in a memory (M, d)."""
        return normalize(torch.softmax(self.beta * rows @ memory.T, 1) @ memory, dim=1)

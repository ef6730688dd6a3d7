"""Where nothing was said, neighbours of the untaught embedding stay neighbours.

    L = mean over open pairs of (cos_now - cos_untaught)^2

Source: relational distillation after Park et al. 2019, arXiv 1904.05068, on open pairs only.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from db.errors import BadInput
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """Needs `pool.reference`."""

    needs: ClassVar[tuple[str, ...]] = ("reference",)

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in squared cosine; exactly 0 if every pair was said."""
        if pool.reference is None:
            raise BadInput("the objective 'keep' needs pool.reference (B, K), got None. Give the untaught cosines.")
        open_pairs = ((pool.said == 0) & (pool.pos == 0) & ~pool.own).to(pool.anchors.dtype)  # (B, K)
        moved = (pool.anchors @ pool.keys.T - pool.reference) ** 2
        return (open_pairs * moved).sum() / open_pairs.sum().clamp_min(1)

"""Mix negatives drawn from the hardest of the batch, then weigh real and synthetic ones by hardness and debias.

    h = normalise(a n_i + (1 - a) n_j),  a ~ U(0, 1),  n drawn from the s hardest;   k of them join the negatives
    then HCL over real + synthetic: tau .5, tau+ .1, beta 1

Source: Dong et al. 2024, "Synthetic hard negative samples for contrastive learning" (SSCL), arXiv 2304.02971; the
weights after Robinson et al. 2021, arXiv 2010.04592.
Differs from the paper: parents obey answers, and what answers placed is taken out of tau+.
"""

from dataclasses import dataclass, replace

from torch.nn.functional import normalize

from oracle.bounds import Weight, Whole
from trainer.negatives._drawing import Drawing
from trainer.negatives._parents import append, hardest, uniform
from trainer.negatives.hcl import NegativePolicy as HCL
from trainer.pool import Pool


@dataclass
class NegativePolicy(Drawing):
    """hardest: s. mixed: k. beta, tau_plus: of HCL."""

    hardest: Whole = 64
    mixed: Whole = 32
    beta: Weight = 1.0
    tau_plus: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._weigh = HCL(self.beta, self.tau_plus)

    def __call__(self, pool: Pool) -> Pool:
        pool = self._weigh(pool)
        if not len(pool.keys):
            return pool
        parents, count = hardest(pool, self.hardest), min(self.mixed, len(pool.keys))
        one, other = (parents.drawn(count, self.random) for _ in range(2))
        a = uniform((len(one), count), 0.0, 1.0, self.random, one)
        synthetic, weight = append(pool, normalize(a * one + (1 - a) * other, dim=2), parents.weight(count))
        return replace(pool, synthetic=synthetic, synthetic_weight=weight)

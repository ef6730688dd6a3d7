"""Hard negatives weigh more, exponentially in their similarity, and false negatives are subtracted.

    omega_j = exp(beta s_j),   G = n sum_U omega exp(s) / sum_U omega,   then debiased with tau+

The weights take part in the gradient, as in the official code.

Source: Robinson, Chuang, Sra, Jegelka 2021, "Contrastive learning with hard negative samples", arXiv 2010.04592,
equation 4. Official code: github.com/joshr17/HCL.
Differs from the paper: in log space, where the official code overflows (tau .02, beta 2); answered negatives are never
debiased, and what answers placed is taken out of tau+.
"""

from dataclasses import dataclass, replace

from db.errors import BadInput
from oracle.bounds import Weight
from trainer.negatives._ordinary import ordinary
from trainer.negatives._prior import checked, residual
from trainer.pool import Pool


@dataclass(frozen=True)
class NegativePolicy:
    """beta: concentration, >= 0; 0 weighs all alike. tau_plus: share of positives among the candidates, in [0, 1)."""

    beta: Weight = 1.0
    tau_plus: float = 0.1

    def __post_init__(self) -> None:
        checked("tau_plus", self.tau_plus)
        if not self.beta >= 0:
            raise BadInput(f"beta = 0 or more expected, got {self.beta}.")

    def __call__(self, pool: Pool) -> Pool:
        return replace(ordinary(pool), tilt=self.beta, normalise=True, tau_plus=residual(pool, self.tau_plus))

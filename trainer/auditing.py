"""How likely an open pair is the same: what the belief says, corrected by what the audit answers show about likeness.

    logit p = logit p_belief + 1/2 (logit p(same | cosine) - logit pi)     pi = its mean over all pairs

The belief knows groups; the curve knows how often pairs that look this much alike turned out the same. Both look at one
embedding, so they are no independent witnesses and the second counts half. Measured in docs/why.md.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import logit
from torch import Tensor

from db.nouns import Snapshot
from oracle.audits import witnesses_of
from oracle.constraints import ConstraintGraph
from trainer.calibration import Calibration, Prior

SURE = 1e-3  # no chance is taken to be nearer to 0 or 1 than this
HALF = 0.5
LOOKS = Prior(slope=5.0, shift=-2.0, slope_sd=5.0, shift_sd=5.0)  # what looks alike is rather the same


@dataclass(frozen=True, eq=False)
class Likeness:
    """curve: chance of same by cosine. base: share of same among all pairs, in (0, 1). vectors: (N, d) unit rows."""

    curve: Calibration
    base: float
    vectors: Tensor

    def corrected(self, chance: Tensor, cosine: Tensor) -> Tensor:
        """The belief's chances, with what the audits say of pairs that look this much alike. Any shape."""
        news = self.curve.slope * cosine + self.curve.shift - float(logit(self.base))
        return torch.sigmoid(torch.logit(chance.clamp(SURE, 1 - SURE)) + HALF * news)

    def cosine(self, rows: Tensor, others: Tensor) -> Tensor:
        """(B, K) between rows of the snapshot the audits were seen through."""
        return self.vectors[rows] @ self.vectors[others].T

    def cosine_of(self, first: Tensor, second: Tensor) -> Tensor:
        """(P,) of each pair of rows."""
        return (self.vectors[first] * self.vectors[second]).sum(1)


def audited(snapshot: Snapshot, graph: ConstraintGraph, device: torch.device | None = None) -> Likeness | None:
    """The curve through the audit answers of a graph, as the snapshot sees their pairs; None where there are none.

    An audit is weighed by the pairs it stands for, from the stored probability of its screen, and believed as far as
    its source errs.
    """
    found = witnesses_of([one for one in graph.statements if one.audit], snapshot)
    if not len(found):
        return None
    cosines = np.einsum("pd,pd->p", *(snapshot.vectors[side] for side in found.rows.T))
    error = np.array([graph.error_rates.get(source, graph.error_rate) for source in found.sources])
    curve = Calibration.fit(cosines, found.same, found.weight, error=error, prior=LOOKS)
    base = float(np.average(curve.probability(cosines.astype(np.float64)), weights=found.weight))
    return Likeness(curve, float(np.clip(base, SURE, 1 - SURE)), torch.from_numpy(snapshot.vectors).to(device))

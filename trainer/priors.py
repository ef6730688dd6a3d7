"""How common "same" is, read from the audit answers.

    share = (k + 1/2) / (m + 1)          m audit pairs by their weights' effective number, k of them same

Source: the Krichevsky-Trofimov (Jeffreys) estimate of a share; Kish 1965, "Survey sampling", for the effective number.
Weights are those of `oracle.audits`, from the stored probability of each screen.
"""

from collections.abc import Container

import numpy as np

from db.nouns import Snapshot
from oracle.audits import witnesses_of
from oracle.constraints import ConstraintGraph


def share_of(snapshot: Snapshot, graph: ConstraintGraph) -> float | None:
    """Share of same among all pairs, in (0, 1), as the audits of a graph say; None where there are none."""
    audits = witnesses_of([one for one in graph.statements if one.audit], snapshot)
    if not len(audits):
        return None
    number = audits.weight.sum() ** 2 / (audits.weight**2).sum()
    return float((number * np.average(audits.same, weights=audits.weight) + 0.5) / (number + 1))


def as_settings(share: float | None, takes: Container[str]) -> dict[str, float]:
    """Those of the settings a part takes that mean this share; none where it is not known."""
    return {} if share is None else {name: share for name in ("tau_plus", "prior") if name in takes}

"""How common "same" is, and how much of it the answers have found: read from the audit answers.

    share = (k + 1/2) / (m + 1)          m audit pairs by their weights' effective number, k of them same
    found = pairs that answers put together / (share * all pairs)

Source: the Krichevsky-Trofimov (Jeffreys) estimate of a share; Kish 1965, "Survey sampling", for the effective number.
Weights are those of `oracle.audits`, from the stored probability of each screen.
"""

from dataclasses import dataclass

import numpy as np

from db.nouns import Snapshot
from oracle.audits import witnesses_of
from oracle.belief import infer
from oracle.constraints import ConstraintGraph

MOST_FOUND = 0.99


@dataclass(frozen=True)
class Priors:
    """share: of same among all pairs, in (0, 1). found: of the same pairs, by answers, in [0, .99]. audits: pairs."""

    share: float
    found: float
    audits: int


def priors_of(snapshot: Snapshot, graph: ConstraintGraph) -> Priors | None:
    """What the audits of a graph say; None where there are none."""
    audits = witnesses_of([one for one in graph.statements if one.audit], snapshot)
    if not len(audits):
        return None
    number = audits.weight.sum() ** 2 / (audits.weight**2).sum()
    share = (number * np.average(audits.same, weights=audits.weight) + 0.5) / (number + 1)
    member, count = infer(snapshot, graph).member, len(snapshot.ids)
    sizes = np.bincount(member[member >= 0]).astype(float)
    found = (sizes * (sizes - 1)).sum() / max(share * count * (count - 1), 1.0)
    return Priors(float(share), float(min(found, MOST_FOUND)), len(audits))

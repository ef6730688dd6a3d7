"""Partners of the batch's items from the embedding table, as extra candidates: answers reach further than the batch.

A batch of B out of n items holds L (B/n)^2 of L answered pairs. With the partners of its items among the keys it holds
about L B/n, all of those that start in the batch.
"""

from typing import Protocol

import numpy as np
import scipy.sparse as sparse


class Known(Protocol):
    """What the answers place: direct (N, N) sparse, nats of the answers about each pair."""

    @property
    def direct(self) -> sparse.csr_matrix: ...


def partners(known: Known, rows: np.ndarray, limit: int, random: np.random.Generator) -> np.ndarray:
    """(P,) sorted rows outside the batch that some answer names together with a row of it; P <= limit."""
    if limit < 1 or not known.direct.nnz:
        return np.empty(0, dtype=np.int64)
    found = np.setdiff1d(known.direct[rows].indices, rows).astype(np.int64)
    return np.sort(random.choice(found, limit, replace=False)) if len(found) > limit else found

"""Partners of the batch's items from the embedding table, as extra candidates: answers reach further than the batch.

A batch of B out of n items holds L (B/n)^2 of L answered pairs. With the partners of its items among the keys it holds
about L B/n, all of those that start in the batch.
"""

from typing import Protocol

import numpy as np
import scipy.sparse as sparse
import torch
from torch import Tensor


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


class Table:
    """The newest key of every item, as training makes them: what the feedback pool is taken from. (N, d)"""

    def __init__(self, count: int, dim: int, device: torch.device) -> None:
        self.keys = torch.zeros(count, dim, device=device)

    def put(self, rows: Tensor, keys: Tensor) -> None:
        """Keep (B, d) keys of (B,) rows."""
        self.keys[rows] = keys.detach().to(self.keys)

    def filled(self, rows: Tensor) -> Tensor:
        """Those of the rows that have a key by now."""
        return rows[self.keys[rows].any(1)]

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"keys": self.keys}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with what a checkpoint kept."""
        self.keys.copy_(state["keys"])

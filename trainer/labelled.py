"""Labels in the place of answers: what shares a label pulls, and a batch holds every label equally often.

The same four things as the overlay of a criterion: what is known about pairs, who joins a batch, who joins its keys,
and how much a known negative weighs, which is no more than any other: so the loss with labels is SupCon as published.

Source: Khosla et al. 2020, "Supervised contrastive learning", arXiv 2004.11362, section 3.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from db.errors import BadInput


class Labelled:
    """codes: (N,) int64, the label of each row being trained on, -1 where it is unknown."""

    emphasis: ClassVar[float] = 1.0

    def __init__(self, codes: np.ndarray, device: torch.device) -> None:
        codes = np.asarray(codes, np.int64)
        self.kinds = [np.flatnonzero(codes == code) for code in np.unique(codes[codes >= 0])]
        if len(self.kinds) < 2:
            raise BadInput(
                f"{len(self.kinds)} different labels = at least 2 expected to learn from. Choose another column."
            )
        self._codes = torch.from_numpy(codes).to(device)

    def about(self, rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        """(R, O) chance that they belong together, 0 where a label is unknown, and (R, O) int8: +1, -1 or 0."""
        one, other = self._codes[rows][:, None], self._codes[others][None]
        known = (one >= 0) & (other >= 0)
        same = known & (one == other)
        return same.float(), same.to(torch.int8) - (known & ~same).to(torch.int8)

    def rows(self, batch: np.ndarray, size: int, seed: tuple[int, ...]) -> np.ndarray:
        """At most `size` distinct labelled rows outside the batch, each label as often as any other as far as they
        reach. The same seed gives the same rows."""
        random = np.random.default_rng(seed)
        left = [random.permutation(np.setdiff1d(kind, batch)) for kind in self.kinds]
        turn = np.concatenate([np.arange(len(kind)) for kind in left])  # the first of each kind, then the second, ...
        drawn = np.concatenate(left)[np.lexsort((random.random(len(turn)), turn))]
        return np.sort(drawn[:size])

    def partners(self, batch: np.ndarray, limit: int, seed: tuple[int, ...]) -> np.ndarray:
        """At most `limit` labelled rows outside the batch, where the batch has a label to compare them with."""
        known = bool((self._codes[torch.from_numpy(batch).to(self._codes.device)] >= 0).any())
        return self.rows(batch, limit, seed) if known and limit > 0 else np.empty(0, np.int64)

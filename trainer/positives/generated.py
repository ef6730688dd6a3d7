"""A generated picture of the anchor pulls: one that an oracle accepted, drawn anew every epoch from those it has.

    pos_ii = weight where the anchor of key i has such a picture

What may be used is said by `use`: accepted pictures, or also those that nobody has judged yet. Rejected ones never are.
The way to look (`trainer.generated`) shows the picture that was drawn; an anchor without one is not pulled.

Source: Zeng, Wu, Hu, Xu, Shi 2024, "Contrastive learning with synthetic positives" (CLSP), arXiv 2408.16965, equation 4
(drawn anew from the candidates of an anchor).
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Whole
from trainer import chance
from trainer.pool import Pool

if TYPE_CHECKING:
    from trainer.generated import Generated

USES = ("accepted", "proposed")


@dataclass
class PositiveSource:
    """use: accepted, or proposed to take those nobody has judged, too. weight: of the pull, >= 0. seed: of draws."""

    use: str = "accepted"
    weight: float = 1.0
    seed: Whole = 0
    _given: "Generated | None" = field(default=None, init=False, repr=False, compare=False)
    _row: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)  # (A,) drawn for each anchor

    def __post_init__(self) -> None:
        if self.use not in USES:
            raise BadInput(f"use = {' or '.join(USES)} expected, got '{self.use}'.")
        if not 0 <= self.weight < float("inf"):
            raise BadInput(f"weight = 0 or a number above expected, got {self.weight}.")

    def __call__(self, pool: Pool) -> Pool:
        if self._given is None:
            return pool
        there = torch.from_numpy(self._given.place(pool.key_ids.cpu().numpy()) >= 0).to(pool.own.device)
        own = (pool.own & there[None, :]).to(pool.pos) * self.weight
        return replace(pool, pos=torch.maximum(pool.pos, own), neg=pool.neg.masked_fill(own > 0, 0.0))

    def take(self, given: "Generated") -> None:
        """The pictures to draw from."""
        self._given, self._row = given, None
        self.deal(0)

    def deal(self, epoch: int) -> None:
        """Draw a picture for every anchor that has some; the same epoch and seed draw the same."""
        if self._given is not None:
            random = np.random.default_rng((self.seed, chance.MATES, epoch))
            self._row = self._given.drawn(random)

    def shown(self, ids: Tensor, pictures: Tensor) -> Tensor:
        """(B, 3, S, S) uint8: the drawn picture of each of these items, or its own of `pictures` where it has none."""
        if self._given is None or self._row is None:
            return pictures
        place = self._given.place(ids.cpu().numpy())
        rows = np.flatnonzero(place >= 0)
        made = self._given.pictures[self._row[place[rows]]]  # (n, S, S, 3)
        found = pictures.clone()
        found[torch.from_numpy(rows)] = torch.from_numpy(np.ascontiguousarray(made)).permute(0, 3, 1, 2).to(pictures)
        return found

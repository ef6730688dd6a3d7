"""Pictures that metadata relates pull: a partner of each, drawn anew every epoch, lends its picture to the second view.

    partner of i ~ w_j over the j that the rule relates to i,    pos_ij = weight where j is i's partner or i is j's

The rule is a text over metadata columns, as trainer/kernels.py reads it: equal values, a radius, a window of time, a
track, or several at once. w_j is 1, or with `balance` so that every value of a column weighs the same in sum; then
anchors are drawn by it, too. An item without a value, or that nobody is related to, has no partner and keeps its own
view. What answers hold apart never pulls.

Source: Ayush, Uzkent, Meng, Tanmay, Burke, Lobell, Ermon 2021, "Geography-aware self-supervised learning", arXiv
2011.09980, section 4.2 (another picture of the place as positive); Pantazis, Brostow, Jones, Mac Aodha 2021, "Focus on
the positives: self-supervised learning for biodiversity monitoring", arXiv 2108.06435 (drawn anew, by context).
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from db.errors import BadInput
from oracle.bounds import Whole
from trainer import chance
from trainer.attributes import Attributes
from trainer.kernels import Rule, balanced, rule
from trainer.partners import partners
from trainer.pool import Pool
from trainer.positives._drawn import Drawn, pulling

OTHERS = ("push", "rest", "pull")


@dataclass
class PositiveSource:
    """by: the rule. balance: a column whose values weigh the same, empty for none. weight: of the pull, >= 0. others:
    what other keys that the rule relates do: push, rest or pull. seed: of the draws."""

    by: str = ""
    balance: str = ""
    weight: float = 1.0
    others: str = "rest"
    seed: Whole = 0
    drawn: Drawn | None = field(default=None, init=False, repr=False, compare=False)
    _rule: Rule | None = field(default=None, init=False, repr=False, compare=False)
    _ids: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)
    _weights: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.others not in OTHERS:
            raise BadInput(f"others = {', '.join(OTHERS)} expected, got '{self.others}'.")
        if not 0 <= self.weight < float("inf"):
            raise BadInput(f"weight = 0 or a number above expected, got {self.weight}.")

    def __call__(self, pool: Pool) -> Pool:
        if self.drawn is None:
            return pool
        mates = self.drawn.mates(pool)
        if self.others == "push":
            return pulling(pool, mates, self.weight)
        related = self.related(pool)
        return pulling(pool, mates | related if self.others == "pull" else mates, self.weight, related)

    def learn_of(self, attributes: Attributes) -> None:
        """Read the metadata of all items. Raises: BadInput or NotFound where it lacks what the rule names."""
        if not self.by:
            names = ", ".join(attributes.names) or "none"
            raise BadInput(f"by = what relates two pictures expected, got nothing. Known: {names}.")
        self._rule, self._ids, self.drawn = rule(self.by, attributes), attributes.ids, None
        if not self._rule.known.any():
            raise BadInput(f"no picture has every value that '{self.by}' needs. Known: {', '.join(attributes.names)}.")
        self._weights = balanced(attributes.codes(self.balance)) if self.balance else None

    def deal(self, epoch: int) -> None:
        """Draw the partners of an epoch; the same epoch and seed draw the same."""
        if self._rule is None or self._ids is None:
            return
        random = np.random.default_rng((self.seed, chance.MATES, epoch))
        self.drawn = Drawn.of(self._ids, partners(self._rule, random, self._weights))

    def anchors(self) -> np.ndarray | None:
        """(N,) weights of the anchors, None where all weigh the same."""
        return self._weights

    def related(self, pool: Pool) -> torch.Tensor:
        """(B, K) bool: what the rule relates, drawn or not."""
        if self._rule is None or self.drawn is None:
            return torch.zeros_like(pool.own)
        one, other = (self.drawn.rows(ids).numpy() for ids in (pool.anchor_ids, pool.key_ids))
        held = self._rule(one[:, None], other[None]) & (one >= 0)[:, None] & (other >= 0)[None]
        return torch.from_numpy(held).to(pool.own.device) & ~pool.own

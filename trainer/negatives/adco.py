"""A bank of negatives that are learnt against the encoder: each step they climb the loss the encoder descends.

    W <- W + lr dL/dW at the bank's own temperature, by SGD with momentum and weight decay;   used as rows W / |W|

The bank begins with keys of the first batches, each taken in after its own step, so that no picture meets its own key.
From then on a row belongs to no item, so no answer speaks about it. For the climb its rows are keys, which every anchor
shares: as columns of each anchor their gradient would be (B, S, d).

Source: Hu, Wang, Hu, Qi 2021, "AdCo: adversarial contrast for efficient learning of unsupervised representations from
self-trained negative adversaries", arXiv 2011.08435, equations 5 to 7.
Official code: github.com/maple-research-lab/AdCo.
Differs from the paper: a smaller bank (65,536 there), for smaller collections; it fills during the first steps, where
the official code has a pass of its own. Rate, momentum and decay of the climb are the official code's.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from oracle.bounds import Fraction, Positive, Weight
from trainer.negatives._ordinary import ordinary
from trainer.objectives.contrast import Objective
from trainer.pool import Pool


@dataclass
class NegativePolicy:
    """size: rows of the bank. temperature: of the climb. rate, momentum, decay: of its SGD."""

    size: int = 1024
    temperature: Positive = 0.02
    rate: Weight = 3.0
    momentum: Fraction = 0.9
    decay: Weight = 1e-4
    bank: Tensor = field(init=False, repr=False, compare=False)  # (S, d)
    speed: Tensor = field(init=False, repr=False, compare=False)  # (S, d)

    def __post_init__(self) -> None:
        if self.size < 1:
            raise BadInput(f"size = 1 row or more expected, got {self.size}.")
        self.bank = self.speed = torch.zeros(0, 0)

    def __call__(self, pool: Pool) -> Pool:
        if not len(self.bank):
            return ordinary(pool)
        rows = normalize(self.bank, dim=1).expand(len(pool.anchors), -1, -1)  # (B, S, d), one copy for all anchors
        return replace(ordinary(pool), synthetic=rows, synthetic_weight=rows.new_ones(1, 1).expand(rows.shape[:2]))

    def after_step(self, pool: Pool) -> None:
        """Climb once, then take in keys until the bank is full. pool: the step's pool as the objective saw it."""
        if len(self.bank):
            self._climb(pool)
        self._fill(pool.keys)

    def _climb(self, pool: Pool) -> None:
        bank = self.bank.clone().requires_grad_()
        with torch.enable_grad():
            loss = Objective(self.temperature, denominator="self")(_as_keys(pool, normalize(bank, dim=1)))
            (slope,) = torch.autograd.grad(loss, bank)
        self.speed = self.momentum * self.speed + self.decay * self.bank - slope
        self.bank = self.bank - self.rate * self.speed

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"bank": self.bank, "speed": self.speed}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Climb on where a checkpoint stopped."""
        self.bank, self.speed = state["bank"].clone(), state["speed"].clone()

    def _fill(self, keys: Tensor) -> None:
        """Take keys in until the bank is full. It is float32 at least, where keys may be half as precise."""
        new = keys.detach()[: self.size - len(self.bank)].to(torch.promote_types(keys.dtype, torch.float32))
        self.bank, self.speed = (
            (table if len(table) else new[:0]).to(new.device, new.dtype) for table in (self.bank, self.speed)
        )
        self.bank, self.speed = torch.cat([self.bank, new]), torch.cat([self.speed, torch.zeros_like(new)])


def _as_keys(pool: Pool, rows: Tensor) -> Pool:
    """What the loss reads of a pool, held still, with the bank as keys of nobody."""
    anchors, keys = pool.anchors.detach(), pool.keys.detach()
    none, ids = pool.neg.new_zeros(len(anchors), len(rows)), pool.key_ids.new_full((len(rows),), -1)
    pos, neg, confirmed, same, said = (
        torch.cat([table, new.to(table.dtype)], 1)
        for table, new in (
            (pool.pos, none), (pool.neg, none + 1), (pool.confirmed, none), (pool.same, none), (pool.said, none),
        )
    )  # fmt: skip
    return Pool(
        anchors, torch.cat([keys.to(rows.dtype), rows]), pool.anchor_ids, torch.cat([pool.key_ids, ids]),
        pos.detach(), neg.detach(), confirmed.detach(), same, said,
    )  # fmt: skip
